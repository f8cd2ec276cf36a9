"""A renderer that draws nothing and writes down which pose was presented when."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.core.clock import Clock
from mien.core.pose import CHANNEL_COUNT, Pose, new_pose
from mien.errors import DisplayError
from mien.render.base import ALL_HEARD, RendererInfo

# An hour at 60 pictures a second; about 50 MB when full, so that a forgotten recorder cannot eat the machine.
MAX_RECORDS = 216_000
_FIRST_CAPACITY = 4096


class Placed(NamedTuple):
    """How a layer is shown; see mien.render.base.Overlay."""

    left: int
    top: int
    opacity: float
    progress: float
    ahead: float


class HeadlessOverlay:
    """Keeps what is shown. pictures: the newest of each layer. uploads: how many pictures were loaded."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pictures: dict[int, NDArray[np.uint8]] = {}
        self.shown: dict[int, Placed] = {}
        self.uploads = 0
        self.stale = False

    def load(self, layer: int, picture: NDArray[np.uint8]) -> None:
        """Keep a picture."""
        self.pictures[layer] = picture
        self.uploads += 1
        self.hide(layer)

    def place(
        self, layer: int, left: int, top: int, opacity: float, progress: float = ALL_HEARD, ahead: float = 1.0
    ) -> None:
        """Note where."""
        placed = Placed(left, top, opacity, progress, ahead)
        self.stale |= self.shown.get(layer) != placed and opacity > 0.0
        self.shown[layer] = placed
        if opacity <= 0.0:
            self.hide(layer)

    def hide(self, layer: int) -> None:
        """Nothing of it."""
        self.stale |= self.shown.pop(layer, None) is not None


class HeadlessRenderer:
    """Keeps (time, pose) of every present(). Past `max_records` it counts in `discarded` and keeps what it has."""

    def __init__(self, width: int, height: int, clock: Clock, *, max_records: int = MAX_RECORDS) -> None:
        """width, height: what info tells, in pixels. clock: read at every present()."""
        self.info = RendererInfo(backend="headless", width=width, height=height)
        self.close_requested = False
        self.discarded = 0
        self._clock = clock
        self._max_records = max_records
        self._drawn = new_pose()
        self._has_drawn = False
        self._closed = False
        self._count = 0
        self._reserve(min(_FIRST_CAPACITY, max_records))
        self.overlay = HeadlessOverlay(width, height)

    def set_presence(self, presence: float) -> None:
        """Nothing to show it on."""
        self._require_open()

    def open_overlay(self, sizes: Sequence[tuple[int, int]]) -> HeadlessOverlay:
        """The overlay that keeps what is shown."""
        self._require_open()
        return self.overlay

    def rested(self) -> None:
        """Nothing to note."""
        self._require_open()

    def draw(self, pose: Pose) -> None:
        """Remember a copy of the pose for present(). Raises DisplayError after close()."""
        self._require_open()
        np.copyto(self._drawn, pose)
        self.overlay.stale = False
        self._has_drawn = True

    def present(self) -> None:
        """Write down the time and the pose last drawn. Raises DisplayError after close()."""
        self._require_open()
        if not self._has_drawn:
            return
        if self._count == self._max_records:
            self.discarded += 1
            return
        if self._count == len(self._times_ns):
            self._grow()
        self._times_ns[self._count] = self._clock.now_ns()
        self._poses[self._count] = self._drawn
        self._count += 1

    def capture(self) -> NDArray[np.uint8]:
        """Raises DisplayError, always: there are no pixels here."""
        raise DisplayError("the headless renderer draws no pixels: use the gles renderer to capture pictures")

    def looks_blank(self) -> bool:
        """False: there is no picture that could fail."""
        return False

    def close(self) -> None:
        """Stop drawing; the records stay readable."""
        self._closed = True

    def records(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """What was presented: times in ns, int64 (N,), and poses, float32 (N, CHANNEL_COUNT). Copies."""
        return self._times_ns[: self._count].copy(), self._poses[: self._count].copy()

    def _require_open(self) -> None:
        if self._closed:
            raise DisplayError("this renderer is closed")

    def _reserve(self, capacity: int) -> None:
        self._times_ns = np.zeros(capacity, dtype=np.int64)
        self._poses = np.zeros((capacity, CHANNEL_COUNT), dtype=np.float32)

    def _grow(self) -> None:
        times_ns, poses = self._times_ns, self._poses
        self._reserve(min(2 * len(times_ns), self._max_records))
        self._times_ns[: len(times_ns)] = times_ns
        self._poses[: len(poses)] = poses
