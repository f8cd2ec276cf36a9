"""Text from outside, fit for a log, a terminal and a file of any encoding."""


def printable(text: str) -> str:
    """The text with every character that cannot be shown as its Python escape: NUL as \\x00, an undecodable byte of a
    file name as \\udcff. Never raises, and what it returns can always be encoded as UTF-8."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def has_control_characters(text: str) -> bool:
    """Whether a text holds NUL, a line break or any other of C0, DEL and C1, or half of a surrogate pair."""
    return any(map(_controls, text))


def without_controls(text: str) -> str:
    """The text with control characters as their escapes, and all that scripts need (joiners, say) as it is."""
    return "".join(letter.encode("unicode_escape").decode() if _controls(letter) else letter for letter in text)


def one_line(text: str, most: int) -> str:
    """A text as one line of at most `most` characters: what cannot be shown, line breaks too, becomes a space."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _controls(letter: str) -> bool:
    return letter < " " or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff"
