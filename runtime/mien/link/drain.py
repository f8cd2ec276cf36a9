"""Drain: the board takes no new visitors, until the one who is there has left. Pure.

Used before an update or a restart. A voice agent that tells its visits ends them by itself; of others only silence
tells that nobody is there.
"""

from typing import Final

from mien.link.status_keeper import StatusKeeper
from mien.units import NS_PER_S

QUIET_NS: Final = 20 * NS_PER_S
"""Without speech for so long nobody is being served by an agent that tells no visits."""


class Drain:
    """Stepped with CLOCK_MONOTONIC in ns."""

    def __init__(self, keeper: StatusKeeper) -> None:
        self._keeper = keeper
        self._busy_ns = 0

    @property
    def draining(self) -> bool:
        """Whether new visitors are turned away."""
        return self._keeper.now.draining

    def begin(self) -> None:
        """Take no new visitors."""
        self._keeper.change(draining=True)

    def end(self) -> None:
        """Take visitors again."""
        self._keeper.change(draining=False)

    def step(self, now_ns: int) -> None:
        """Notice speech, which shows that somebody is there."""
        status = self._keeper.now
        if status.phase != "idle" or status.floor is not None or status.call is not None:
            self._busy_ns = now_ns

    def clear(self, now_ns: int) -> bool:
        """Whether nobody is being served."""
        status = self._keeper.now
        return status.visit is None and status.floor is None and now_ns - self._busy_ns >= QUIET_NS
