"""A bench board's power switch, as two commands."""

from collections.abc import Sequence
from typing import Final

from hil.process import run

PART: Final = "power"


class CommandPower:
    """on, off: commands, such as ("uhubctl", "-l", "1-1", "-p", "2", "-a", "on"), or a curl to a network plug."""

    def __init__(self, on: Sequence[str], off: Sequence[str]) -> None:
        self._on, self._off = on, off
        self._is_on = False

    def on(self) -> None:
        """Switch power on."""
        run(PART, *self._on)
        self._is_on = True

    def cut(self) -> None:
        """Cut the power."""
        run(PART, *self._off)
        self._is_on = False

    @property
    def is_on(self) -> bool:
        """The state requested last: few switches can report theirs."""
        return self._is_on
