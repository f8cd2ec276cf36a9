"""Whether headphones are plugged in, as the jack's switch says."""

import logging
from pathlib import Path

from mien.core.clock import Clock
from mien.host.evdev import EV_SW, SW_HEADPHONE_INSERT, InputDevice
from mien.units import NS_PER_MS

log = logging.getLogger("mien.voice")

EVERY_NS = 50 * NS_PER_MS
SETTLED_NS = 200 * NS_PER_MS
"""A plug that is being pushed in bounces. This long it has to say the same."""


class Headphones:
    """plugged: of the jack whose input device this is. One that cannot be read counts as empty."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.plugged = False
        self._clock, self._path = clock, path
        self._device = InputDevice(path, clock, switch=SW_HEADPHONE_INSERT, opened=self._see, failed=self._lose)
        self._seen = False
        self._seen_ns = self._due_ns = 0

    def poll(self) -> bool:
        """Read the jack, if that is due. Returns whether `plugged` has changed."""
        now_ns = self._clock.now_ns()
        if now_ns < self._due_ns:
            return False
        self._due_ns = now_ns + EVERY_NS
        for kind, code, value in self._device.events():
            if (kind, code) == (EV_SW, SW_HEADPHONE_INSERT):
                self._see(bool(value))
        if self._seen == self.plugged or now_ns - self._seen_ns < SETTLED_NS:
            return False
        self.plugged = self._seen
        return True

    @property
    def unsettled(self) -> bool:
        """Whether `plugged` may change soon."""
        return self._seen != self.plugged

    def close(self) -> None:
        """Close the device."""
        self._device.close()

    def _see(self, plugged: bool) -> None:
        if plugged != self._seen:
            self._seen, self._seen_ns = plugged, self._clock.now_ns()

    def _lose(self) -> None:
        self._see(False)
        log.warning(
            "playback.headphone_jack: %s: cannot be read (%s), and counts as empty; is it there, and may mien-voice "
            "read it (systemd/README.md)?",
            self._path,
            self._device.failure,
        )
