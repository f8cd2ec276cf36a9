"""Captions for the face: the whole of a turn's each time, from shortly before the turn is heard.

Bounded in size and in rate, whatever clients send: a face that is stopped leaves its messages in the voice's memory.
"""

from typing import Final

from mien.core.bus import CaptionCue
from mien.core.wire import MAX_CAPTION_CHARACTERS
from mien.units import NS_PER_MS, frames_to_ns
from mien.voice.desk import Desk
from mien.voice.limits import Bucket
from mien.voice.turn import Turn, TurnCaption

CUE_BYTES: Final = 65_536
CUE_BYTES_A_SECOND: Final = 65_536.0  # of all turns; four times as much at once
CUE_EVERY_NS: Final = 100 * NS_PER_MS  # of one turn, in an epoch
_CUE_BYTES: Final = 256  # what a cue takes beside text and words
_WORD_BYTES: Final = 16  # and a word beside its letters

_Told = tuple[TurnCaption, int, bool]


class CaptionCues:
    """Tells of the turns that are heard or will be within ahead_ms; of each again when its caption, its place or
    whether its length is known has changed, and of all in a new epoch. What changes faster is told as it is then."""

    def __init__(self, desk: Desk, ahead_ms: int) -> None:
        self._desk = desk
        self._ahead_ns = ahead_ms * NS_PER_MS
        self._epoch = -1
        self._told: dict[Turn, _Told] = {}
        self._told_ns: dict[Turn, int] = {}
        self._allowance = Bucket(CUE_BYTES_A_SECOND, 4 * CUE_BYTES_A_SECOND, 4 * CUE_BYTES_A_SECOND, 0)

    def renew(self) -> None:
        """A face has joined: it must be told everything."""
        self._told.clear()
        self._told_ns.clear()

    def step(self, epoch: int, media_ns: int, now_ns: int) -> list[CaptionCue]:
        """The cues that are due when media_ns is heard. now_ns: CLOCK_MONOTONIC."""
        if epoch != self._epoch:
            self._epoch = epoch
            self.renew()
        near = [turn for turn in self._desk.queue if self._is_near(turn, media_ns)]
        self._told = {turn: told for turn, told in self._told.items() if turn in near}
        self._told_ns = {turn: told_ns for turn, told_ns in self._told_ns.items() if turn in near}
        self._allowance.fill(now_ns)
        return [self._cue(turn, now_ns) for turn in near if self._changed(turn) and self._may_tell(turn, now_ns)]

    def _is_near(self, turn: Turn, media_ns: int) -> bool:
        if turn.start_frame is None or turn.interrupted:
            return False
        return frames_to_ns(turn.start_frame, turn.sink_rate_hz) <= media_ns + self._ahead_ns

    def _changed(self, turn: Turn) -> bool:
        caption, (before, *place) = turn.caption, self._told.get(turn, (TurnCaption(), -1, False))
        if not (caption.text or caption.words or before.text or before.words):
            return False
        return caption is not before or place != [turn.start_frame, turn.ended]

    def _may_tell(self, turn: Turn, now_ns: int) -> bool:
        if now_ns - self._told_ns.get(turn, -CUE_EVERY_NS) < CUE_EVERY_NS:
            return False
        return self._allowance.take(min(CUE_BYTES, _size(turn.caption)))

    def _cue(self, turn: Turn, now_ns: int) -> CaptionCue:
        start_frame = turn.start_frame or 0
        self._told[turn] = (turn.caption, start_frame, turn.ended)
        self._told_ns[turn] = now_ns
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
    """Bytes of a cue that has all of it, at most."""
    return _CUE_BYTES + caption.text_bytes + caption.words_bytes + _WORD_BYTES * len(caption.words)


def _fitting(caption: TurnCaption) -> tuple[str, tuple[tuple[str, int, int], ...]]:
    """Text and words of a cue. Where they are too much, words are left out evenly: the face reckons the times between
    those that it has, but it needs the whole text for that."""
    text, words = caption.text, caption.words
    if _size(caption) > CUE_BYTES:
        text = text or " ".join(word.text for word in words)[:MAX_CAPTION_CHARACTERS]
        room = CUE_BYTES - _CUE_BYTES - len(text.encode())
        longest = max(len(word.text.encode()) for word in words) + _WORD_BYTES
        words = words[:: max(1, -(-len(words) * longest // room))] if room >= longest else ()
    return text, tuple((word.text, word.start_ms, word.end_ms) for word in words)
