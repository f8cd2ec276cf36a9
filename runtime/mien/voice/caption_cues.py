"""Captions for the face: the whole of a turn's each time, from shortly before the turn is heard."""

from mien.core.bus import CaptionCue
from mien.units import NS_PER_MS, frames_to_ns
from mien.voice.desk import Desk
from mien.voice.turn import Turn, TurnCaption

_Told = tuple[TurnCaption, int, bool]


class CaptionCues:
    """Tells of the turns that are heard or will be within ahead_ms; of each again when its caption, its place or
    whether its length is known has changed, and of all in a new epoch."""

    def __init__(self, desk: Desk, ahead_ms: int) -> None:
        self._desk = desk
        self._ahead_ns = ahead_ms * NS_PER_MS
        self._epoch = -1
        self._told: dict[Turn, _Told] = {}

    def renew(self) -> None:
        """A face has joined: it must be told everything."""
        self._told.clear()

    def step(self, epoch: int, media_ns: int) -> list[CaptionCue]:
        """The cues that are due when media_ns is heard."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._told.clear()
        near = [turn for turn in self._desk.queue if self._is_near(turn, media_ns)]
        self._told = {turn: told for turn, told in self._told.items() if turn in near}
        return [self._cue(turn) for turn in near if self._changed(turn)]

    def _is_near(self, turn: Turn, media_ns: int) -> bool:
        if turn.start_frame is None or turn.interrupted:
            return False
        return frames_to_ns(turn.start_frame, turn.sink_rate_hz) <= media_ns + self._ahead_ns

    def _changed(self, turn: Turn) -> bool:
        caption, (before, *place) = turn.caption, self._told.get(turn, (TurnCaption(), -1, False))
        if not (caption.text or caption.words or before.text or before.words):
            return False
        return caption is not before or place != [turn.start_frame, turn.ended]

    def _cue(self, turn: Turn) -> CaptionCue:
        start_frame = turn.start_frame or 0
        self._told[turn] = (turn.caption, start_frame, turn.ended)
        words = tuple((word.text, word.start_ms, word.end_ms) for word in turn.caption.words)
        return CaptionCue(epoch=self._epoch, turn=turn.name, text=turn.caption.text, words=words,
                          turn_start_ns=frames_to_ns(start_frame, turn.sink_rate_hz),
                          length_ms=round(turn.received_ms) if turn.ended else 0)
