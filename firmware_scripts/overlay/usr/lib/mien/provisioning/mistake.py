"""Mistakes in the user's files, as messages that are safe on any screen."""

import os
from typing import Final

MOST_CHARACTERS: Final = 600


class Mistake(Exception):
    """What is wrong with a file and how to correct it, one line each."""


def plain(text: str) -> str:
    """Escape everything but printable characters and newlines; truncate long texts.

    Messages quote untrusted input, which must not control the terminal.
    """
    cut = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " ..."
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in cut)


def plain_name(name: str) -> str:
    """A file name on one line, with invalid UTF-8 as \\xNN."""
    return plain(os.fsencode(name).decode("utf-8", "backslashreplace").replace("\n", "\\n"))
