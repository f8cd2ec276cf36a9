"""What is wrong with a file, in words that may be shown on any screen."""

import os
from typing import Final

MOST_CHARACTERS: Final = 600


class Mistake(Exception):
    """What is wrong with a file, and what to do about it: one line for each thing."""


def plain(text: str) -> str:
    """`text` in printable characters and newlines; anything else escaped, and cut where it goes on for too long.

    What is wrong quotes what a stranger wrote: no quote may move a terminal's cursor.
    """
    cut = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " ..."
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in cut)


def plain_name(name: str) -> str:
    """A file's name on one line; bytes that are no UTF-8 as \\xNN."""
    return plain(os.fsencode(name).decode("utf-8", "backslashreplace").replace("\n", "\\n"))
