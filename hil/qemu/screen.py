"""The emulated board's screen: exact pixels from QEMU's screendump."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from hil.captured import NS_PER_S, Frame
from hil.errors import RigError
from hil.qemu.qmp import Qmp

PART: Final = "screen"


class QemuScreen:
    """qmp: returns the running board's. clock: the rig's. frozen: stop guest time during a capture. is_in: whether the
    display is plugged in."""

    def __init__(
        self,
        work: Path,
        qmp: Callable[[], Qmp],
        clock: Callable[[], int],
        *,
        frozen: bool,
        is_in: Callable[[], bool] = lambda: True,
    ) -> None:
        self._path = work / "screen.ppm"
        self._qmp = qmp
        self._clock = clock
        self._frozen = frozen
        self._is_in = is_in

    def frame(self) -> Frame:
        """Capture one frame now."""
        if not self._is_in():
            raise RigError(PART, "the screen is unplugged")
        qmp = self._qmp()
        if self._frozen:
            qmp.run("stop")
        try:
            time_ns = self._clock()
            qmp.run("screendump", filename=str(self._path))
        finally:
            if self._frozen:
                qmp.run("cont")
        return Frame(time_ns, read_ppm(self._path.read_bytes()))

    def record(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """Capture for `seconds` of the rig's clock, as fast as QEMU delivers frames."""
        frames = [self.frame()]
        begin_ns = frames[0].time_ns
        while (latest_ns := frames[-1].time_ns) < begin_ns + seconds * NS_PER_S:
            frame = self.frame()
            if frame.time_ns - latest_ns >= NS_PER_S / at_most_hz / 2:
                frames.append(frame)
        return frames

    def close(self) -> None:
        """Does nothing."""


def read_ppm(data: bytes) -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]":
    """A binary portable pixmap (P6, 8 bits) as uint8 (height, width, 3). Raises RigError."""
    fields = data.split(maxsplit=4)
    if len(fields) < 4 or fields[0] != b"P6" or fields[3] != b"255":
        raise RigError(PART, f"QEMU returned no image: {data[:20]!r}")
    width, height = int(fields[1]), int(fields[2])
    return np.frombuffer(data[-3 * width * height :], dtype=np.uint8).reshape(height, width, 3)
