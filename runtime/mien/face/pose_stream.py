"""The poses that were shown, for those who watch from afar: quantized, 30 a second, only what changed.

The drawing thread fills a ring that was allocated before; the motion thread encodes what is in it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core import bus
from mien.core.pose import CHANNEL_COUNT, Pose, new_pose
from mien.core.pose_frames import HEAD, HEAD_LIMIT, HEAD_SCALE, MAX_FRAMES, MAX_GAP_MS, SHAPE_SCALE
from mien.core.stats import Counters
from mien.units import NS_PER_MS, NS_PER_S

PERIOD_NS: Final = NS_PER_S // 30
EARLY_NS: Final = 5 * NS_PER_MS  # by which a frame may come before its time: displays have 60, 75, 90 Hz
WAIT_NS: Final = 70 * NS_PER_MS  # from the first frame of a batch until it is sent, however few there are
ALONE_NS: Final = 45 * NS_PER_MS  # from the last one: the next is not drawn at 30 a second, so nobody waits for it
KEY_NS: Final = 900 * NS_PER_MS  # within a second, with the time of a batch to spare
RING: Final = 16  # frames: half a second of a motion thread that is busy

_IS_HEAD: Final = np.isin(np.arange(CHANNEL_COUNT), HEAD)
_SCALE: Final = np.where(_IS_HEAD, HEAD_SCALE, SHAPE_SCALE).astype(np.float32)
_LOW: Final = np.where(_IS_HEAD, -HEAD_LIMIT, 0).astype(np.float32)
_HIGH: Final = np.where(_IS_HEAD, HEAD_LIMIT, 255).astype(np.float32)

Quantized = NDArray[np.uint8]


class PoseStream:
    """add() is called by the drawing thread, all else by the motion thread. Does nothing until order()."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._poses = np.zeros((RING, CHANNEL_COUNT), dtype=np.float32)
        self._seen_ns = [0] * RING
        self._added = self._taken = 0
        self._due_ns = 0
        self._sent: Quantized = quantized(new_pose())
        self._seq = 0
        self.order(False)

    @property
    def wanted(self) -> bool:
        """Whether the next frame must be drawn, even if nothing has moved: who begins to watch has no pose yet."""
        return self.on and self._fresh

    def order(self, wanted: bool) -> None:
        """Begin, with a key batch, or stop."""
        self._taken = self._added
        self._key_due_ns = 0
        self._fresh = self.on = wanted

    def add(self, seen_ns: int, pose: Pose) -> None:
        """A frame is seen at seen_ns."""
        if not self.on or (seen_ns < self._due_ns - EARLY_NS and not self._fresh):
            return
        if self._added - self._taken >= RING:
            self._counters.count("poses_dropped")
            return
        late_ns = seen_ns - self._due_ns
        self._due_ns = (self._due_ns if late_ns < PERIOD_NS and not self._fresh else seen_ns) + PERIOD_NS
        row = self._added % RING
        self._poses[row] = pose
        self._seen_ns[row] = seen_ns
        self._fresh = False
        self._added += 1

    def batch(self, now_ns: int, epoch: int) -> bus.PoseBatch | None:
        """The next batch, if one is due. While nothing moves there is only a key batch a second."""
        if not self.on:
            return None
        count = min(self._added - self._taken, MAX_FRAMES)
        if not count:
            return self._repeat(now_ns, epoch)
        first_ns = self._seen_ns[self._taken % RING]
        last_ns = self._seen_ns[(self._taken + count - 1) % RING]
        if count < MAX_FRAMES and now_ns < min(first_ns + WAIT_NS, last_ns + ALONE_NS):
            return None
        return self._encode(count, first_ns, epoch, key=first_ns >= self._key_due_ns)

    def _encode(self, count: int, first_ns: int, epoch: int, *, key: bool) -> bus.PoseBatch | None:
        before_ms, moved, frames = 0, key, bytearray()
        for number in range(count):
            row = self._taken % RING
            at_ms = max(before_ms, round((self._seen_ns[row] - first_ns) / NS_PER_MS))
            if at_ms - before_ms > MAX_GAP_MS:
                break
            moved |= self._append(frames, at_ms - before_ms, quantized(self._poses[row]), whole=key and not number)
            before_ms = at_ms
            self._taken += 1
        return self._made(first_ns, epoch, bytes(frames), key=key) if moved else None

    def _repeat(self, now_ns: int, epoch: int) -> bus.PoseBatch | None:
        """Nothing was drawn, because nothing moves: the last pose is still seen."""
        if not self._key_due_ns or now_ns < self._key_due_ns:
            return None
        frames = bytearray()
        self._append(frames, 0, self._sent, whole=True)
        return self._made(now_ns, epoch, bytes(frames), key=True)

    def _append(self, frames: bytearray, dt_ms: int, pose: Quantized, *, whole: bool) -> bool:
        """Append a frame. Returns whether anything has changed."""
        changed = pose != self._sent
        moved = bool(changed.any())
        if whole:
            changed[:] = True
        frames.append(dt_ms)
        frames += np.packbits(changed, bitorder="little").tobytes()
        frames += pose[changed].tobytes()
        self._sent = pose
        return moved

    def _made(self, at_ns: int, epoch: int, frames: bytes, *, key: bool) -> bus.PoseBatch:
        if key:
            self._key_due_ns = at_ns + KEY_NS
        seq, self._seq = self._seq, self._seq + 1
        return bus.PoseBatch(epoch=epoch, seq=seq, at_ns=at_ns, key=key, frames=frames)


def quantized(pose: Pose) -> Quantized:
    """A pose as the bytes of a frame, (CHANNEL_COUNT,)."""
    bounded: NDArray[np.float32] = np.clip(np.rint(pose * _SCALE), _LOW, _HIGH)
    return bounded.astype(np.int16).astype(np.uint8)
