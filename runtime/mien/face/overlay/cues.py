"""The newest captions off the bus, and which of them is being heard."""

from typing import Final

from mien.core.bus import Anchor, CaptionCue

MAX_CUES: Final = 16  # turns that come within the second that the voice tells ahead


class CueBox:
    """Filled by the thread that reads the bus, read by the one that draws: the tuple is replaced as a whole."""

    def __init__(self) -> None:
        self._cues: tuple[CaptionCue, ...] = ()

    def take(self, cue: CaptionCue) -> None:
        """Keep it, in place of an older one of the same turn; those of another epoch are over."""
        if cue in self._cues:
            return  # a replay for somebody who joined later
        others = (kept for kept in self._cues if kept.epoch == cue.epoch and turn_of(kept) != turn_of(cue))
        self._cues = (*others, cue)[-MAX_CUES:]

    def heard(self, anchor: Anchor | None, media_ns: int) -> CaptionCue | None:
        """The caption of the turn in which media_ns lies, or None."""
        found: CaptionCue | None = None
        for cue in self._cues:
            if anchor is None or (cue.epoch, cue.turn) != (anchor.epoch, anchor.turn):
                continue
            if cue.turn_start_ns <= media_ns and (found is None or cue.turn_start_ns > found.turn_start_ns):
                found = cue
        return found

    def coming(self, anchor: Anchor | None, media_ns: int) -> CaptionCue | None:
        """The caption of the turn that is heard next, or None."""
        epoch = -1 if anchor is None else anchor.epoch
        later = [cue for cue in self._cues if cue.epoch == epoch and cue.turn_start_ns >= media_ns]
        return min(later, key=lambda cue: cue.turn_start_ns, default=None)


def turn_of(cue: CaptionCue) -> tuple[int, str, int]:
    """What tells two turns apart: names may be used by several clients."""
    return cue.epoch, cue.turn, cue.turn_start_ns
