"""Waiting for a display: one that is absent at boot, was lost, or is plugged in later. The voice needs none."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from mien.core.stats import Counters
from mien.errors import DisplayError
from mien.host.notify import ServiceNotifier
from mien.render.base import Renderer

log = logging.getLogger("mien.face")

FIRST_RETRY_S: Final = 0.5
MOST_RETRY_S: Final = 4.0  # somebody who plugs in a screen looks at it
PATIENCE_S: Final = 30  # until systemd asks again whether this is alive
_SLICE_S: Final = 0.5  # systemd's watchdog is fed while we wait


class DisplayWait:
    """Opens the renderer again and again, ever less often, until there is a display or the service stops."""

    def __init__(
        self,
        opener: Callable[[], Renderer],
        notifier: ServiceNotifier,
        stopping: threading.Event,
        counters: Counters,
        alive: Callable[[], None],
    ) -> None:
        """alive: called twice a second while waiting, for systemd's watchdog."""
        self._opener = opener
        self._notifier = notifier
        self._stopping = stopping
        self._counters = counters
        self._alive = alive

    def open(self) -> Renderer | None:
        """The renderer, or None when the service stops first. One log line for each reason, however often tried."""
        retry_s, logged = FIRST_RETRY_S, ""
        while not self._stopping.is_set():
            try:
                return self._opener()
            except DisplayError as error:
                self._counters.count("display_retries")
                if str(error) != logged:
                    logged = str(error)
                    log.warning("no display yet: %s", logged)
                self._wait(retry_s, logged)
                retry_s = min(2 * retry_s, MOST_RETRY_S)
        return None

    def lost(self, error: DisplayError) -> None:
        """Tell that the display went away; the next open() waits for it."""
        self._counters.count("display_lost")
        log.error("the display is lost, waiting for it: %s", error)

    def _wait(self, wait_s: float, reason: str) -> None:
        self._notifier.status(f"waiting for a display: {reason}")
        self._notifier.waiting(PATIENCE_S)
        left_s = wait_s
        while left_s > 0 and not self._stopping.is_set():
            self._alive()
            self._stopping.wait(min(_SLICE_S, left_s))
            left_s -= _SLICE_S
