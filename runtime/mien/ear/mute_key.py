"""A hardware key or switch that mutes the microphone, read through evdev."""

import errno
import fcntl
import logging
import os
import struct
from pathlib import Path
from typing import Final

from mien.core.clock import Clock
from mien.units import NS_PER_S

log = logging.getLogger("mien.ear")

# <linux/input.h>, <linux/input-event-codes.h>. An event: time (two longs), type, code, value.
EVENT: Final = struct.Struct("@llHHi")
EV_KEY, EV_SW = 0x01, 0x05
KEY_MICMUTE: Final = 248
SW_MUTE_DEVICE: Final = 0x0E
PRESSED: Final = 1
_SWITCH_BYTES: Final = 8
_EVIOCGSW: Final = (2 << 30) | (_SWITCH_BYTES << 16) | (ord("E") << 8) | 0x1B  # the state of all switches
_EVENTS: Final = 64
RETRY_NS: Final = 2 * NS_PER_S


class MuteKey:
    """Each press of KEY_MICMUTE changes `muted`; the switch SW_MUTE_DEVICE sets it.

    A device that is unplugged leaves `muted` as it is, and is tried again every two seconds. failure: why it cannot be
    read, with the remedy; "" while it can.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.muted = False
        self.failure = ""
        self._path = path
        self._clock = clock
        self._descriptor = -1
        self._retry_ns = 0

    def poll(self) -> bool:
        """Read what was pressed since the last call. Returns whether the microphone is muted by the key."""
        if self._descriptor < 0 and self._clock.now_ns() >= self._retry_ns:
            self._open()
        if self._descriptor >= 0:
            try:
                self._take(os.read(self._descriptor, _EVENTS * EVENT.size))
            except BlockingIOError:
                pass
            except OSError as error:
                self._lose(error)
        return self.muted

    def close(self) -> None:
        """Close the device."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, data: bytes) -> None:
        if not data:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        whole = len(data) // EVENT.size * EVENT.size
        for _, _, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if (kind, code, value) == (EV_KEY, KEY_MICMUTE, PRESSED):
                self.muted = not self.muted
            elif (kind, code) == (EV_SW, SW_MUTE_DEVICE):
                self.muted = bool(value)

    def _open(self) -> None:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._lose(error)
            return
        self.failure = ""
        state = bytearray(_SWITCH_BYTES)
        try:
            fcntl.ioctl(self._descriptor, _EVIOCGSW, state)
        except OSError:  # it has no switches
            return
        if state[SW_MUTE_DEVICE // 8] >> SW_MUTE_DEVICE % 8 & 1:
            self.muted = True

    def _lose(self, error: OSError) -> None:
        self.close()
        self._retry_ns = self._clock.now_ns() + RETRY_NS
        if not self.failure:
            self.failure = (
                f"the mute key does not work: ear.mute_key: {self._path}: cannot be read ({error.strerror}); is it "
                "plugged in, and may mien-ear read it (systemd/README.md)?"
            )
            log.warning("%s", self.failure)
