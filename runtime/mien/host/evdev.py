"""A key or a switch that the kernel reports through evdev."""

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from mien.core.clock import Clock
from mien.units import NS_PER_S

# <linux/input.h>, <linux/input-event-codes.h>. An event: time (two longs), type, code, value.
EVENT: Final = struct.Struct("@llHHi")
EV_KEY, EV_SW = 0x01, 0x05
KEY_MICMUTE: Final = 248
SW_HEADPHONE_INSERT, SW_MUTE_DEVICE = 0x02, 0x0E
_SWITCH_BYTES: Final = 8
_EVIOCGSW: Final = (2 << 30) | (_SWITCH_BYTES << 16) | (ord("E") << 8) | 0x1B  # the state of all switches
_EVENTS: Final = 64
RETRY_NS: Final = 2 * NS_PER_S


class InputDevice:
    """Reads one device of /dev/input without blocking. One that is unplugged is tried again every two seconds.

    failure: why it cannot be read, as the system says it; "" while it can.
    """

    def __init__(
        self, path: Path, clock: Clock, *, switch: int, opened: Callable[[bool], None], failed: Callable[[], None]
    ) -> None:
        """switch: an EV_SW code. opened(on): the device was opened, and says where that switch stands.

        failed(): it cannot be read; called once until it can.
        """
        self.failure = ""
        self._path, self._clock = path, clock
        self._switch, self._opened, self._failed = switch, opened, failed
        self._descriptor = -1
        self._retry_ns = 0

    def events(self) -> Iterator[tuple[int, int, int]]:
        """What happened since the last call: type, code, value."""
        if self._descriptor < 0 and self._clock.now_ns() >= self._retry_ns:
            self._open()
        if self._descriptor < 0:
            return
        try:
            data = os.read(self._descriptor, _EVENTS * EVENT.size)
            if not data:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        whole = len(data) // EVENT.size * EVENT.size
        for _, _, kind, code, value in EVENT.iter_unpack(data[:whole]):
            yield kind, code, value

    def close(self) -> None:
        """Close the device."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

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
        self._opened(bool(state[self._switch // 8] >> self._switch % 8 & 1))

    def _lose(self, error: OSError) -> None:
        self.close()
        self._retry_ns = self._clock.now_ns() + RETRY_NS
        if not self.failure:
            self.failure = error.strerror or str(error)
            self._failed()
