"""Publishes the phones of turns that are heard now or soon to the face, before their speech."""

from typing import Final

from mien.core.bus import PhoneCue
from mien.units import NS_PER_MS, frames_to_ns
from mien.voice.turn import Turn
from mien.voice.turn_queue import TurnQueue

WORDS_A_CUE: Final = 250  # at most 50 kB
CUES_A_STEP: Final = 2


class PhoneCues:
    """Publishes each word once, and all of them again in a new epoch and to a face that joins."""

    def __init__(self, queue: TurnQueue, ahead_ms: int) -> None:
        """ahead_ms: how far before it is heard a turn's speech is published."""
        self._queue = queue
        self._ahead_ns = ahead_ms * NS_PER_MS
        self._epoch = -1
        self._sent: dict[Turn, tuple[int, int]] = {}  # where the turn begins, and how many words were sent

    def renew(self) -> None:
        """A face has joined: send everything again."""
        self._sent.clear()

    def step(self, epoch: int, media_ns: int) -> list[PhoneCue]:
        """The cues that are due when media_ns is heard."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._sent.clear()
        near = [turn for turn in self._queue.beginning_by(media_ns + self._ahead_ns) if turn.phones]
        self._sent = {turn: self._of(turn) for turn in near}
        due = [turn for turn in near if self._sent[turn][1] < len(turn.phones)]
        return [self._cue(turn) for turn in due[:CUES_A_STEP]]

    def _of(self, turn: Turn) -> tuple[int, int]:
        """A turn that was held begins elsewhere, and is published again."""
        start_ns = frames_to_ns(turn.playout.start_frame or 0, turn.sink_rate_hz)
        before = self._sent.get(turn)
        return before if before is not None and before[0] == start_ns else (start_ns, 0)

    def _cue(self, turn: Turn) -> PhoneCue:
        start_ns, first = self._sent[turn]
        words = turn.phones[first : first + WORDS_A_CUE]
        self._sent[turn] = start_ns, first + len(words)
        return PhoneCue(
            epoch=self._epoch,
            turn=turn.name,
            turn_start_ns=start_ns,
            first=first,
            words=tuple((word.phones, word.start_ms, word.end_ms) for word in words),
        )
