"""Publishes the captions of turns that are heard now or soon to the face."""

from typing import Final

from mien.core.bus import CaptionCue
from mien.core.wire import MAX_CAPTION_CHARACTERS
from mien.units import NS_PER_MS, frames_to_ns
from mien.voice.limits import Bucket
from mien.voice.turn import Turn, TurnCaption
from mien.voice.turn_queue import TurnQueue

CUE_BYTES: Final = 65_536
CUE_BYTES_A_SECOND: Final = 65_536.0  # of all turns, with bursts of four times as much
CUE_EVERY_NS: Final = 100 * NS_PER_MS  # for one turn in an epoch
_CUE_BYTES: Final = 256  # of a cue without its text and words
_WORD_BYTES: Final = 16  # of a word without its letters

_Sent = tuple[TurnCaption, int, bool]


class CaptionCues:
    """Publishes the caption of every turn that is heard now or within ahead_ms.

    A caption is published again when its text, its turn's position or its turn's end changes, and all of them in a new
    epoch. Bounded in size and rate, because a stopped face leaves its messages in the voice's memory: changes that come
    faster are merged into the next cue.
    """

    def __init__(self, queue: TurnQueue, ahead_ms: int) -> None:
        self._queue = queue
        self._ahead_ns = ahead_ms * NS_PER_MS
        self._epoch = -1
        self._sent: dict[Turn, _Sent] = {}
        self._sent_ns: dict[Turn, int] = {}
        self._allowance = Bucket(CUE_BYTES_A_SECOND, 4 * CUE_BYTES_A_SECOND, 4 * CUE_BYTES_A_SECOND, 0)

    def renew(self) -> None:
        """A face has joined: send everything again."""
        self._sent.clear()
        self._sent_ns.clear()

    def step(self, epoch: int, media_ns: int, now_ns: int) -> list[CaptionCue]:
        """The cues that are due when media_ns is heard. now_ns: CLOCK_MONOTONIC."""
        if epoch != self._epoch:
            self._epoch = epoch
            self.renew()
        near = self._queue.beginning_by(media_ns + self._ahead_ns)
        self._sent = {turn: sent for turn, sent in self._sent.items() if turn in near}
        self._sent_ns = {turn: sent_ns for turn, sent_ns in self._sent_ns.items() if turn in near}
        self._allowance.fill(now_ns)
        return [self._cue(turn, now_ns) for turn in near if self._changed(turn) and self._may_send(turn, now_ns)]

    def _changed(self, turn: Turn) -> bool:
        caption, (before, *place) = turn.caption, self._sent.get(turn, (TurnCaption(), -1, False))
        if not (caption.text or caption.words or before.text or before.words):
            return False
        return caption is not before or place != [turn.playout.start_frame, turn.ended]

    def _may_send(self, turn: Turn, now_ns: int) -> bool:
        if now_ns - self._sent_ns.get(turn, -CUE_EVERY_NS) < CUE_EVERY_NS:
            return False
        return self._allowance.take(min(CUE_BYTES, _size(turn.caption)))

    def _cue(self, turn: Turn, now_ns: int) -> CaptionCue:
        start_frame = turn.playout.start_frame or 0
        self._sent[turn] = (turn.caption, start_frame, turn.ended)
        self._sent_ns[turn] = now_ns
        text, words = _fitting(turn.caption)
        return CaptionCue(
            epoch=self._epoch,
            turn=turn.name,
            text=text,
            words=words,
            turn_start_ns=frames_to_ns(start_frame, turn.sink_rate_hz),
            length_ms=round(turn.received_ms) if turn.ended else 0,
        )


def _size(caption: TurnCaption) -> int:
    """The most bytes that a complete cue takes."""
    return _CUE_BYTES + caption.text_bytes + caption.words_bytes + _WORD_BYTES * len(caption.words)


def _fitting(caption: TurnCaption) -> tuple[str, tuple[tuple[str, int, int], ...]]:
    """Text and words of a cue. When they exceed CUE_BYTES, words are left out evenly.

    The face interpolates the times of missing words, and needs the whole text for that.
    """
    text, words = caption.text, caption.words
    if _size(caption) > CUE_BYTES:
        text = text or " ".join(word.text for word in words)[:MAX_CAPTION_CHARACTERS]
        room = CUE_BYTES - _CUE_BYTES - len(text.encode())
        longest = max(len(word.text.encode()) for word in words) + _WORD_BYTES
        words = words[:: max(1, -(-len(words) * longest // room))] if room >= longest else ()
    return text, tuple((word.text, word.start_ms, word.end_ms) for word in words)
