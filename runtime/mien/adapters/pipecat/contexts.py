"""TTS contexts from the arrival of their first frame until they ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipecat.frames.frames import Frame, TTSAudioRawFrame, TTSStartedFrame, TTSTextFrame

from mien.adapters.heard.segment import Segment, Utterance
from mien.adapters.heard.speaker import Word
from mien.adapters.heard.words import WordClock
from mien.adapters.pipecat.items import Item, Timed

_REMEMBERED: Final = 64


class Context:
    """One TTS context. begun: whether its TTSStartedFrame came. early: timed frames that came before its segment."""

    def __init__(self, name: str | None) -> None:
        self.utterance = Utterance(name)
        self.begun = False
        self.interruptible = True
        self.segment: Segment[Item] | None = None
        self.early: list[tuple[Timed, float, bool]] = []
        self._uncaptioned: list[tuple[str, float]] = []
        self.announced: list[str] = []
        """Texts that came before the segment, of a service that does not time its words."""

    def place(self, item: Timed, at_ms: float, *, word: bool) -> None:
        """Add a timed frame, at a position of the context."""
        if self.segment is None:
            self.early.append((item, at_ms, word))
        else:
            self.segment.line.put_timed(item, at_ms - self.utterance.heard_ms, word=word)

    def add_word(self, text: str, at_ms: float) -> None:
        """Add to the caption."""
        self._uncaptioned.append((text, at_ms))

    def take_words(self, last_word_ms: float | None = None) -> list[Word]:
        """The words whose end is known, which is the next one's start, and the last if its length is given."""
        words = self._uncaptioned
        ends = [at_ms for _, at_ms in words[1:]]
        if words and last_word_ms is not None:
            ends.append(words[-1][1] + last_word_ms)
        self._uncaptioned = words[len(ends) :]
        return [
            (text, round(start_ms), round(max(start_ms, end_ms)))
            for (text, start_ms), end_ms in zip(words, ends, strict=False)
        ]

    def attach(self, segment: Segment[Item]) -> None:
        """Continue in this segment."""
        self.segment = segment
        for item, at_ms, word in self.early:
            segment.line.put_timed(item, at_ms, word=word)
        self.early = []


class Contexts:
    """The contexts that have not ended, and how the newest others did."""

    def __init__(self) -> None:
        self._live: dict[str, Context] = {}
        self._ended: dict[str, bool] = {}
        self._newest: Context | None = None
        self.words = WordClock()

    def arrive(self, frame: Frame, now_ns: int) -> None:
        """A frame has come from the TTS. now_ns: of the pipeline's clock."""
        match frame:
            case TTSStartedFrame(context_id=str(name)):
                context = self.open(name)
                if context.begun:  # the same name again: another segment
                    context = self._live[name] = Context(name)
                context.begun, context.interruptible = True, frame.interruptible
                self.words.forget(name)
            case TTSAudioRawFrame(context_id=name):
                self.words.audio(name, now_ns)
            case TTSTextFrame(pts=int(stamp_ns)) if stamp_ns:
                self.words.word(stamp_ns, interruptible=frame.interruptible)

    def open(self, name: str) -> Context:
        """The context of this name, made where there is none."""
        self._ended.pop(name, None)
        return self._live.setdefault(name, Context(name))

    def of(self, frame: Frame) -> Context | None:
        """The context that a timed frame belongs to: its own, or that of the timed frame before it."""
        name = getattr(frame, "context_id", None)
        if name is not None and name not in self._ended:
            self._newest = self.open(name)
        return self._newest if name is None or name not in self._ended else None

    def was_cut(self, frame: Frame) -> bool:
        """Whether the frame belongs to a context that was cut off."""
        return self._ended.get(getattr(frame, "context_id", None) or "", False)

    def named(self, name: str | None) -> Context | None:
        """The context of this name that has not ended."""
        return self._live.get(name) if name is not None else None

    def unreported(self) -> Iterator[Context]:
        """Those that began, have no segment yet, and can be interrupted."""
        waiting = [c for c in self._live.values() if c.begun and c.segment is None and c.interruptible]
        yield from waiting

    def end(self, name: str | None, *, cut: bool) -> None:
        """A context has ended."""
        if name is None:
            return
        ended = self._live.pop(name, None)
        if ended is self._newest:
            self._newest = None
        self._ended[name] = cut
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]
        self.words.forget(name)
