"""Whether the whole face lives: systemd's watchdog is fed by work that advances in every thread that must not end."""

from collections.abc import Callable


class Heartbeat:
    """Passes a feed on once every part has advanced since the last one, so that one dead thread starves the watchdog.

    It counts work and not time: a slow machine takes longer, and lives. feed: tells systemd.
    """

    def __init__(self, feed: Callable[[], None]) -> None:
        self._feed = feed
        self._advanced: dict[str, bool] = {}

    def watch(self, part: str) -> None:
        """From now on this part must advance, too."""
        self._advanced[part] = False

    def advance(self, part: str) -> None:
        """This part has done a piece of work. Called by the thread that does it."""
        self._advanced[part] = True

    def feed(self) -> None:
        """Feed the watchdog, if every part has advanced since it was fed last. Called by one thread only."""
        if self._advanced and all(self._advanced.values()):
            for part in self._advanced:
                self._advanced[part] = False
            self._feed()
