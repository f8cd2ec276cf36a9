"""A hardware key or switch that mutes the microphone."""

import logging
from pathlib import Path
from typing import Final

from mien.core.clock import Clock
from mien.host.evdev import EV_KEY, EV_SW, KEY_MICMUTE, SW_MUTE_DEVICE, InputDevice

log = logging.getLogger("mien.ear")

PRESSED: Final = 1


class MuteKey:
    """Each press of KEY_MICMUTE changes `muted`; the switch SW_MUTE_DEVICE sets it.

    A device that is unplugged leaves `muted` as it is. failure: why it cannot be read, with the remedy; "" while it
    can.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.muted = False
        self._path = path
        self._device = InputDevice(
            path,
            clock,
            switch=SW_MUTE_DEVICE,
            opened=self._opened,
            failed=lambda: log.warning("%s", self.failure),
        )

    @property
    def failure(self) -> str:
        """Why it does not work."""
        if not self._device.failure:
            return ""
        return (
            f"the mute key does not work: ear.mute_key: {self._path}: cannot be read ({self._device.failure}); is it "
            "plugged in, and may mien-ear read it (systemd/README.md)?"
        )

    def poll(self) -> bool:
        """Read what was pressed since the last call. Returns whether the microphone is muted by the key."""
        for kind, code, value in self._device.events():
            if (kind, code, value) == (EV_KEY, KEY_MICMUTE, PRESSED):
                self.muted = not self.muted
            elif (kind, code) == (EV_SW, SW_MUTE_DEVICE):
                self.muted = bool(value)
        return self.muted

    def close(self) -> None:
        """Close the device."""
        self._device.close()

    def _opened(self, on: bool) -> None:
        self.muted |= on  # a device with a key alone says that its switch is off
