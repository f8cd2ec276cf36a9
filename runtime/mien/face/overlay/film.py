"""Captions without a clock to keep up with: for a video of one utterance."""

from mien.config import CaptionsConfig, Config
from mien.core.bus import Anchor, CaptionCue
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations
from mien.face.overlay.cues import CueBox
from mien.render.base import Renderer
from mien.text.pango import libpango
from mien.units import NS_PER_MS

_TURN = "film"


class FilmCaptions:
    """One text, spread over speech of length_ms that begins with the film."""

    def __init__(self, renderer: Renderer, text: str, length_ms: int) -> None:
        """Raises TextError where Pango is missing."""
        libpango()
        self._end_ns = length_ms * NS_PER_MS
        cues = CueBox()
        cues.take(CaptionCue(epoch=0, turn=_TURN, text=text, length_ms=length_ms))
        config = Config(captions=CaptionsConfig(enabled=True))
        self._annotations = Annotations(config, renderer, cues, Counters())

    def step(self, now_ns: int) -> None:
        """What is shown at this time of the film, from the next draw() on."""
        speaking = now_ns < self._end_ns
        anchor = Anchor(
            epoch=0,
            media_ns=0,
            at_ns=0,
            until_ns=self._end_ns,
            phase="speaking" if speaking else "idle",
            turn=_TURN if speaking else "",
        )
        typist = self._annotations.typist
        assert typist is not None
        for _ in range(2):  # what the first asks for, the second shows
            self._annotations.step(now_ns, anchor, now_ns, voice=None, motion_lost=False)
            typist.do()
