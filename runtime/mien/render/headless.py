"""A renderer without pixels that records which pose was presented when."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.core.clock import Clock
from mien.core.pose import CHANNEL_COUNT, Pose, new_pose
from mien.errors import DisplayError
from mien.render.base import ALL_HEARD, Input, RendererInfo

# An hour at 60 frames per second, about 50 MB, so that a forgotten recorder cannot exhaust memory.
MAX_RECORDS = 216_000
_FIRST_CAPACITY = 4096


class Placed(NamedTuple):
    """The arguments of Overlay.place()."""

    left: int
    top: int
    opacity: float
    progress: float
    ahead: float


class HeadlessOverlay:
    """Records the layers. images: the newest of each layer. uploads: images loaded so far."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.images: dict[int, NDArray[np.uint8]] = {}
        self.shown: dict[int, Placed] = {}
        self.uploads = 0
        self.stale = False

    def load(self, layer: int, image: NDArray[np.uint8]) -> None:
        """Record an image."""
        self.images[layer] = image
        self.uploads += 1
        self.hide(layer)

    def place(
        self, layer: int, left: int, top: int, opacity: float, progress: float = ALL_HEARD, ahead: float = 1.0
    ) -> None:
        """Record the placement."""
        if opacity <= 0.0:
            self.hide(layer)
            return
        placed = Placed(left, top, opacity, progress, ahead)
        self.stale |= self.shown.get(layer) != placed
        self.shown[layer] = placed

    def hide(self, layer: int) -> None:
        """Hide a layer."""
        self.stale |= self.shown.pop(layer, None) is not None


class HeadlessRenderer:
    """Records time and pose of every present(). Beyond `max_records` it only counts, in `discarded`.

    brightness: the newest. blanks: how often blank() was called. inputs: what take_inputs() returns next.
    """

    def __init__(self, width: int, height: int, clock: Clock, *, max_records: int = MAX_RECORDS) -> None:
        """width, height: reported in info, in pixels. clock: read at every present()."""
        self.info = RendererInfo(backend="headless", width=width, height=height)
        self.close_requested = False
        self.discarded = 0
        self.brightness = 1.0
        self.blanks = 0
        self._clock = clock
        self._max_records = max_records
        self._drawn = new_pose()
        self._has_drawn = False
        self._closed = False
        self._count = 0
        self._reserve(min(_FIRST_CAPACITY, max_records))
        self.overlay = HeadlessOverlay(width, height)
        self.inputs: deque[Input] = deque()

    def take_inputs(self) -> Sequence[Input]:
        """What was put into `inputs`."""
        self._require_open()
        taken = tuple(self.inputs)
        self.inputs.clear()
        return taken

    def set_presence(self, presence: float) -> None:
        """Ignored."""
        self._require_open()

    def set_brightness(self, brightness: float) -> None:
        """Record the brightness."""
        self._require_open()
        self.brightness = brightness

    def blank(self) -> bool:
        """Count the call. Always False: there is no screen."""
        self._require_open()
        self.blanks += 1
        return False

    def open_overlay(self, sizes: Sequence[tuple[int, int]]) -> HeadlessOverlay:
        """The recording overlay."""
        self._require_open()
        return self.overlay

    def rested(self) -> None:
        """Ignored."""
        self._require_open()

    def draw(self, pose: Pose) -> None:
        """Copy the pose for present(). Raises DisplayError after close()."""
        self._require_open()
        np.copyto(self._drawn, pose)
        self.overlay.stale = False
        self._has_drawn = True

    def present(self) -> None:
        """Record the time and the pose last drawn. Raises DisplayError after close()."""
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
        """Always raises DisplayError, for lack of pixels."""
        raise DisplayError("the headless renderer draws no pixels: use the gles renderer to capture frames")

    def looks_blank(self) -> bool:
        """Always False."""
        return False

    def close(self) -> None:
        """Refuse further drawing; the records stay readable."""
        self._closed = True

    def records(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Copies of the presented times in ns, int64 (N,), and poses, float32 (N, CHANNEL_COUNT)."""
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
