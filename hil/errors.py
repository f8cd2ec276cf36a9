"""What can go wrong with a rig, as opposed to with the board on it."""


class RigError(Exception):
    """A part of the rig does not work. part: which; its remedy is in the message."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"{part}: {message}")
        self.part = part
