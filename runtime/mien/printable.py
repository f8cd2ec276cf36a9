"""Makes text from outside safe to print in any encoding."""


def printable(text: str) -> str:
    """The text with unprintable characters as Python escapes: NUL as \\x00, an undecodable byte as \\udcff.

    Never raises. The result can always be encoded as UTF-8.
    """
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def has_control_characters(text: str) -> bool:
    """Whether a text holds NUL, a line break or any other of C0, DEL and C1, or a lone surrogate."""
    return any(map(_controls, text))


def without_controls(text: str) -> str:
    """The text with control characters as escapes. What scripts need, such as joiners, stays."""
    return "".join(letter.encode("unicode_escape").decode() if _controls(letter) else letter for letter in text)


def one_line(text: str, most: int) -> str:
    """One line of at most `most` characters. Unprintable characters and line breaks become spaces."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _controls(letter: str) -> bool:
    return letter < " " or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff"
