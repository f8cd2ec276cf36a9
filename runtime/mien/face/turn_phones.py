"""The phones of the turns that are processed now or soon, as the voice publishes them."""

from typing import Final

from mien.core.bus import PhoneCue
from mien.motion.guidance import SpokenWord

_Key = tuple[str, int]
MOST_TURNS: Final = 8  # the voice publishes those within the next second; the oldest are dropped


class TurnPhones:
    """Collects cues by turn. Cues of an older epoch are ignored."""

    def __init__(self) -> None:
        self._epoch = -1
        self._words: dict[_Key, list[SpokenWord]] = {}

    def renew(self, epoch: int) -> None:
        """A new epoch: the voice publishes everything again."""
        if epoch > self._epoch:
            self._epoch = epoch
            self._words.clear()

    def take(self, cue: PhoneCue) -> list[SpokenWord]:
        """The words of a cue that were not known; none when one before them is missing."""
        if cue.epoch < self._epoch:
            return []
        self.renew(cue.epoch)
        known = self._words.setdefault((cue.turn, cue.turn_start_ns), [])
        while len(self._words) > MOST_TURNS:
            del self._words[next(iter(self._words))]
        if cue.first > len(known):
            return []
        new = [_word(*word) for word in cue.words[len(known) - cue.first :]]
        known += new
        return new

    def of(self, turn: str, start_ns: int) -> list[SpokenWord]:
        """What is known of a turn that begins there in media time."""
        return self._words.get((turn, start_ns), [])

    def end(self, turn: str, start_ns: int) -> None:
        """A turn was processed to its end."""
        self._words.pop((turn, start_ns), None)


def _word(phones: str, start_ms: int | None, end_ms: int | None) -> SpokenWord:
    start_s, end_s = (None if at_ms is None else at_ms / 1000 for at_ms in (start_ms, end_ms))
    return SpokenWord(tuple(phones.split()), start_s, end_s)
