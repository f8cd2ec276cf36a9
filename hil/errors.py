"""Errors of the rig itself, as opposed to the board under test."""

import sys
from collections.abc import Callable


class RigError(Exception):
    """A part of the rig does not work. part: its name. The message says what to do."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"{part}: {message}")
        self.part = part
        self.why = message


def exit_status(work: Callable[[], object]) -> int:
    """Do the work of a command. Returns 0, or 1 after saying which part of the rig does not work."""
    try:
        work()
    except RigError as error:
        print(f"hil: {error}", file=sys.stderr)
        return 1
    return 0
