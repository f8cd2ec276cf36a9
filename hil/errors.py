"""Errors of the rig itself, as opposed to the board under test."""


class RigError(Exception):
    """A part of the rig does not work. part: its name. The message says what to do."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"{part}: {message}")
        self.part = part
        self.why = message
