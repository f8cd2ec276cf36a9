"""What was written to the device, so that a device position becomes a place in a turn and in media time."""

from collections import deque
from dataclasses import dataclass

from mien.voice.turn import Turn


@dataclass(slots=True)
class Segment:
    """A run of frames in the device's own count.

    turn None is filler. media_start: media frames of `epoch` at which it begins. audible: the device was a real one.
    """

    start: int
    frames: int
    epoch: int
    media_start: int
    turn: Turn | None
    turn_start: int
    audible: bool

    @property
    def end(self) -> int:
        """The device frame after the last."""
        return self.start + self.frames


class Ledger:
    """Segments that are not heard yet, oldest first; runs of one kind are one segment, so it stays short."""

    def __init__(self) -> None:
        self.segments: deque[Segment] = deque()
        self.written = 0

    @property
    def holds_speech(self) -> bool:
        """Whether any of it is speech. Never without an unfinished turn."""
        return any(segment.turn for segment in self.segments)

    def add(
        self, frames: int, *, epoch: int, media_start: int, turn: Turn | None, turn_start: int = 0, audible: bool = True
    ) -> None:
        """Note that `frames` were written."""
        last = self.segments[-1] if self.segments else None
        if last is not None and (last.turn, last.epoch, last.audible) == (turn, epoch, audible):
            last.frames += frames
        else:
            self.segments.append(Segment(self.written, frames, epoch, media_start, turn, turn_start, audible))
        self.written += frames

    def heard(self, position: int) -> list[tuple[Segment, int]]:
        """Segments that the device position has reached, with how many of their frames were heard; whole ones leave."""
        reached = []
        while self.segments and self.segments[0].end <= position:
            segment = self.segments.popleft()
            reached.append((segment, segment.frames))
        if self.segments and self.segments[0].start < position:
            reached.append((self.segments[0], position - self.segments[0].start))
        return reached
