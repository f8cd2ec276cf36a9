"""Which user holds the floor: the voice knows this link only. Pure."""

from typing import Final

from mien.errors import FleetError
from mien.units import NS_PER_S

SILENT_NS: Final = 10 * NS_PER_S
"""A holder that neither watches nor sends for so long has closed the page."""


class FloorKeeper:
    """Times are CLOCK_MONOTONIC in ns."""

    def __init__(self) -> None:
        self.holder = ""
        self.turn = ""
        """The turn as which the holder's speech is heard now. The agent's speech sets it."""
        self._alive_until_ns = 0

    def taken(self, user: str, now_ns: int) -> None:
        """This user has the floor now."""
        self.holder = user
        self._alive_until_ns = now_ns + SILENT_NS

    def check(self, user: str) -> None:
        """Raises FleetError, which names the holder, when another user has the floor."""
        if self.holder not in ("", user):
            raise FleetError(f"{self.holder} holds the floor of this board")

    def lost(self) -> None:
        """Nobody holds it through this link any more."""
        self.holder = self.turn = ""

    def sign(self, user: str, now_ns: int, for_s: float = 0.0) -> None:
        """This user sent something; for_s: and looks for so long."""
        if user == self.holder:
            alive_ns = now_ns + max(SILENT_NS, round(for_s * NS_PER_S))
            self._alive_until_ns = max(self._alive_until_ns, alive_ns)

    def gone(self, user: str, now_ns: int) -> None:
        """This user has stopped looking: its page was closed, or it speaks without looking."""
        if user == self.holder:
            self._alive_until_ns = now_ns + SILENT_NS

    def vanished(self, now_ns: int) -> bool:
        """Whether the holder's floor must be released, because it has shown no sign for too long."""
        return bool(self.holder) and now_ns >= self._alive_until_ns
