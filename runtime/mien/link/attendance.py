"""Who attends at this board from elsewhere: the face shows it while a person listens or speaks through it. Pure."""

from typing import NamedTuple


class Sign(NamedTuple):
    """As the voice's `attend` has it."""

    listening: bool = False
    speaking: bool = False
    name: str = ""


class Attendance:
    """speaking: the user who holds the floor. hearing: the users who hear the microphone. The streams set it."""

    def __init__(self) -> None:
        self.speaking = ""
        self.hearing: tuple[str, ...] = ()
        self._told = Sign()

    @property
    def sign(self) -> Sign:
        """What the face must show now."""
        return Sign(bool(self.hearing), bool(self.speaking), self.speaking or next(iter(self.hearing), ""))

    def news(self) -> Sign | None:
        """The sign to tell the voice; None if it knows it."""
        return None if self.sign == self._told else self.sign

    def told(self, sign: Sign) -> None:
        """The voice has taken this one."""
        self._told = sign

    def forget(self) -> None:
        """A new session with the voice, which shows nothing yet."""
        self._told = Sign()
