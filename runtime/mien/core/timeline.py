"""The motion of the current epoch, indexed by media time: motion writes ahead of the playhead, the renderer samples.

There is no queue between the two. Each turn has a track of its own, because a turn begins at any media time and its
frames are spaced from there. Frames that lie too far back are overwritten; a time outside the track gives the nearest
frame. Not locked: the owner serialises writing and sampling.
"""

import numpy as np
from numpy.typing import NDArray

from mien.units import NS_PER_S

Frames = NDArray[np.float32]


class _Track:
    """A ring of the newest frames of one turn. Frame k lies at origin_ns + k / frame_hz."""

    def __init__(self, width: int, frame_hz: int, capacity: int) -> None:
        self._ring = np.zeros((capacity, width), dtype=np.float32)
        self._scratch = np.zeros(width, dtype=np.float32)
        self._frame_hz = frame_hz
        self.restart(0, 0)

    def restart(self, origin_ns: int, at_frame: int) -> None:
        self.origin_ns = origin_ns
        self._begin = self._end = at_frame

    @property
    def empty(self) -> bool:
        return self._end == self._begin

    @property
    def end_ns(self) -> int:
        return self.origin_ns + self._end * NS_PER_S // self._frame_hz

    def append(self, frames: Frames) -> None:
        capacity = len(self._ring)
        self._end += max(0, len(frames) - capacity)
        for frame in frames[-capacity:]:
            self._ring[self._end % capacity] = frame
            self._end += 1
        self._begin = max(self._begin, self._end - capacity)

    def sample(self, media_ns: int, out: Frames) -> None:
        capacity = len(self._ring)
        position = (media_ns - self.origin_ns) * self._frame_hz / NS_PER_S
        position = min(max(position, self._begin), self._end - 1)
        index = int(position)
        share = position - index
        np.multiply(self._ring[index % capacity], 1.0 - share, out=out)
        if share > 0.0:
            np.multiply(self._ring[(index + 1) % capacity], share, out=self._scratch)
            out += self._scratch


class Timeline:
    """The tracks of the newest turns.

    width: channels a frame. frame_hz: frames a second of media time. capacity: frames kept a turn. tracks: turns kept.
    """

    def __init__(self, *, width: int, frame_hz: int, capacity: int, tracks: int = 4) -> None:
        self._spare = [_Track(width, frame_hz, capacity) for _ in range(tracks)]
        self._tracks: list[_Track] = []

    @property
    def end_ns(self) -> int:
        """Media time up to which motion is final; 0 when there is none."""
        return self._tracks[-1].end_ns if self._tracks else 0

    def clear(self) -> None:
        """Drop all tracks."""
        self._spare += self._tracks
        self._tracks.clear()

    def begin(self, origin_ns: int, *, at_frame: int = 0) -> None:
        """Start the track of a turn that begins at origin_ns, from frame `at_frame` on. Drop later tracks."""
        while self._tracks and self._tracks[-1].origin_ns >= origin_ns:
            self._spare.append(self._tracks.pop())
        if not self._spare:
            self._spare.append(self._tracks.pop(0))
        track = self._spare.pop()
        track.restart(origin_ns, at_frame)
        self._tracks.append(track)

    def append(self, frames: Frames) -> None:
        """Add frames to the newest turn, float32 (n, width)."""
        self._tracks[-1].append(frames)

    def sample(self, media_ns: int, out: Frames) -> bool:
        """Write the pose at media_ns into out, float32 (width,), linearly interpolated. False when there is none."""
        found: _Track | None = None
        for track in self._tracks:
            if not track.empty and (found is None or track.origin_ns <= media_ns):
                found = track
        if found is None:
            return False
        found.sample(media_ns, out)
        return True
