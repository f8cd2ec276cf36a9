"""One segment of speech, from its first audio until it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mien.adapters.segments.words import Words
from mien.units import ms_to_frames

SAMPLE_BYTES: Final = 2


@dataclass(slots=True, eq=False)
class Segment:
    """The audio that nobody has heard yet, and the words. Mono s16le at rate_hz; frames count from its beginning.

    ended: all audio was pushed. cleared: the framework wants no more of it heard. over: its finish was reported, or
    is about to be. capturing: calls that are pushing audio now. text: what it says, without times. position_ms: how
    much was heard of it, while it is spoken the least that was. taken: frames that somebody speaks, or holds to speak.
    """

    number: int
    rate_hz: int
    words: Words = field(default_factory=Words)
    text: str = ""
    ended: bool = False
    cleared: bool = False
    over: bool = False
    started: bool = False
    capturing: int = 0
    position_ms: float = 0.0
    taken: int = 0
    _pcm: bytearray = field(default_factory=bytearray)
    _first: int = 0

    @property
    def pushed_frames(self) -> int:
        """How many frames were pushed."""
        return self._first + len(self._pcm) // SAMPLE_BYTES

    @property
    def pushed_ms(self) -> float:
        """How much was pushed."""
        return self.to_ms(self.pushed_frames)

    @property
    def waiting_ms(self) -> float:
        """How much was pushed that nobody has taken yet."""
        return self.to_ms(self.pushed_frames - self.taken)

    @property
    def takes_audio(self) -> bool:
        """Whether more audio may still be heard."""
        return not (self.ended or self.cleared or self.over)

    def append(self, pcm: bytes) -> None:
        """Add whole samples. What comes after an end or a clear is not heard, and not kept."""
        if self.takes_audio:
            self._pcm += pcm

    def end(self) -> None:
        """All audio was pushed."""
        self.ended = True
        self.words.finish()

    def read(self, frame: int, frames: int) -> bytes:
        """At most `frames` from `frame` on, as far as they were pushed and not forgotten."""
        begin = max(0, frame - self._first) * SAMPLE_BYTES
        return bytes(self._pcm[begin : begin + frames * SAMPLE_BYTES])

    def forget(self, frame: int) -> None:
        """Drop the audio before `frame`: it was heard."""
        drop = min(max(0, frame - self._first), len(self._pcm) // SAMPLE_BYTES)
        del self._pcm[: drop * SAMPLE_BYTES]
        self._first += drop

    def to_ms(self, frames: int) -> float:
        """Frames as ms."""
        return frames * 1000 / self.rate_hz

    def to_frames(self, ms: float) -> int:
        """Ms as frames, within what was pushed."""
        return min(max(0, ms_to_frames(ms, self.rate_hz)), self.pushed_frames)
