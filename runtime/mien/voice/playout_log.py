"""What was written to the device: turns a device position into a position in media time."""

from collections import deque
from dataclasses import dataclass
from itertools import chain
from typing import Final

from mien.voice.turn import Turn

PAST_SEGMENTS: Final = 16  # that were heard, for looking back over a fraction of a second


@dataclass(slots=True)
class Segment:
    """A run of frames, counted by the device.

    turn: None for filler. media_start: the media frame of `epoch` at which it begins. audible: a real device plays it.
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
        """The device frame after its last."""
        return self.start + self.frames


class PlayoutLog:
    """Segments that have not been heard yet, oldest first. Adjacent runs of one kind are merged, so it stays short."""

    def __init__(self) -> None:
        self.segments: deque[Segment] = deque()
        self._past: deque[Segment] = deque(maxlen=PAST_SEGMENTS)
        self.written = 0

    @property
    def holds_speech(self) -> bool:
        """Whether any segment is speech. False when every turn has finished."""
        return any(segment.turn for segment in self.segments)

    def ends_with(self, turn: Turn) -> bool:
        """Whether the last frame that was written, and not heard yet, is this turn's."""
        return bool(self.segments) and self.segments[-1].turn is turn

    def add(
        self, frames: int, *, epoch: int, media_start: int, turn: Turn | None, turn_start: int = 0, audible: bool = True
    ) -> None:
        """Note `frames` that were written."""
        last = self.segments[-1] if self.segments else None
        if last is not None and (last.turn, last.epoch, last.audible) == (turn, epoch, audible):
            last.frames += frames
        else:
            self.segments.append(Segment(self.written, frames, epoch, media_start, turn, turn_start, audible))
        self.written += frames

    def heard(self, position: int) -> list[tuple[Segment, int]]:
        """Segments that the position has reached, and how many of their frames were heard. Heard ones are removed."""
        reached = []
        while self.segments and self.segments[0].end <= position:
            segment = self.segments.popleft()
            self._past.append(segment)
            reached.append((segment, segment.frames))
        if self.segments and self.segments[0].start < position:
            reached.append((self.segments[0], position - self.segments[0].start))
        return reached

    def speech_at(self, frame: int, gap: int) -> tuple[Segment, int] | None:
        """The segment of speech that was heard at a frame, and the frame at which that speech began.

        Filler shorter than `gap` frames does not end speech. None: filler was heard, or it is too long ago.
        """
        found: tuple[Segment, int] | None = None
        begun = filler = gap
        for segment in chain(self._past, self.segments):
            if segment.turn is None or not segment.audible:
                filler += segment.frames
                continue
            if filler >= gap:
                begun = segment.start
            filler = 0
            if segment.start <= frame < segment.end:
                found = segment, begun
        return found
