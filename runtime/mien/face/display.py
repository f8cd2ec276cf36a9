"""Waits for a display that is absent at boot, is lost, or is plugged in later."""

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
MOST_RETRY_S: Final = 4.0  # whoever plugs in a screen waits for an image
PATIENCE_S: Final = 30  # by which each wait extends systemd's start timeout
_SLICE_S: Final = 0.5  # between feeds of systemd's watchdog


class DisplayWait:
    """Retries opening the renderer, with backoff, until it succeeds or the service stops."""

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
        """The renderer, or None when the service stops first. Logs each distinct reason once."""
        retry_s, logged = FIRST_RETRY_S, ""
        while not self._stopping.is_set():
            try:
                return self._opener()
            except DisplayError as error:
                self._counters.count("display_retries")
                if str(error) != logged:
                    logged = str(error)
                    log.warning("waiting for a display: %s", logged)
                self._wait(retry_s, logged)
                retry_s = min(2 * retry_s, MOST_RETRY_S)
        return None

    def lost(self, error: DisplayError) -> None:
        """Report that the display was lost; the next open() waits for it."""
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
