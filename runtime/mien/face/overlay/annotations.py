"""Everything that is laid over the face: which layers there are, how large they are and where they lie."""

import math

from mien.config import Config
from mien.core.bus import Anchor, FaceHealth, VoiceHealth
from mien.core.stats import Counters
from mien.face.overlay.captions import Captions
from mien.face.overlay.cues import CueBox
from mien.face.overlay.signs import Signs, sign_for
from mien.face.overlay.status import status_text
from mien.face.overlay.typist import Typist
from mien.render.base import Overlay, Renderer
from mien.text.typesetter import Picture, Style
from mien.units import ns_to_ms

_CAPTION, _STATUS, _SIGN = range(3)


class Layout:
    """Sizes and places on an upright screen of width x height pixels. Everything grows with the root of the area."""

    def __init__(self, width: int, height: int, *, lines: int = 2, size: float = 1.0) -> None:
        """lines: of a caption. size: of its letters, 1 is the usual."""
        self.width, self.height = width, height
        unit = math.sqrt(width * height)
        font_px = 0.039 * unit * size
        across, down = round(0.72 * font_px), round(0.36 * font_px)
        # Lines longer than some forty letters are read slowly (BBC, Subtitle Guidelines); portrait has room for thirty.
        text_px = round(min(0.9 * width - 2 * across, 21 * font_px))
        self.caption = Style(
            font_px=font_px,
            width_px=text_px,
            lines=lines,
            plate=0.68,
            padding_px=(across, down),
            radius_px=0.42 * font_px,
        )
        self.margin_px = round(0.03 * min(width, height))
        self.sign_px = max(24, round(0.056 * min(width, height)))
        small_px = max(9.0, 0.0155 * unit)
        room_px = round(width - 3 * self.margin_px - self.sign_px - 1.4 * small_px)
        self.status = Style(
            font_px=small_px,
            width_px=room_px,
            lines=1,
            weight="Normal",
            plate=0.4,
            padding_px=(round(0.7 * small_px), round(0.25 * small_px)),
            radius_px=0.4 * small_px,
        )

    @property
    def sign_corner(self) -> tuple[int, int]:
        """Upper right."""
        return self.width - self.margin_px - self.sign_px, self.margin_px

    def caption_corner(self, picture: Picture) -> tuple[int, int]:
        """In the middle, its lower edge a twentieth of the height above the screen's: below every face's mouth."""
        height, width = picture.shape[:2]
        return (self.width - width) // 2, self.height - height - round(0.05 * self.height)


class Annotations:
    """Captions, status line and sign. The overlay is opened when it is needed: signs alone may never be."""

    def __init__(self, config: Config, renderer: Renderer, cues: CueBox, counters: Counters) -> None:
        captions, info = config.captions, renderer.info
        sides = (info.width, info.height)
        width, height = sides[::-1] if config.face.quarter_turns % 2 else sides
        self._layout = Layout(width, height, lines=captions.lines, size=captions.size)
        self._renderer, self._cues = renderer, cues
        self._overlay: Overlay | None = None
        self._with_captions, self._with_status = captions.enabled, config.face.status_line
        self._signs = Signs(self._layout.sign_px, self._layout.sign_corner, _SIGN)
        self._voice: VoiceHealth | None = None
        self.typist: Typist | None = None
        self._captions: Captions | None = None
        if self._with_captions or self._with_status:
            self._open_typist(counters)

    def start(self) -> None:
        """Begin to set text."""
        if self.typist is not None:
            self.typist.start()

    def stop(self) -> None:
        """End."""
        if self.typist is not None:
            self.typist.stop()

    def step(
        self, now_ns: int, anchor: Anchor | None, media_ns: int, *, voice: VoiceHealth | None, motion_lost: bool
    ) -> None:
        """One picture: what will be heard when it is seen is media_ns."""
        self._voice = voice
        if self._captions is not None:
            cue = self._cues.heard(anchor, media_ns)
            turn_ms = ns_to_ms(media_ns - cue.turn_start_ns) if cue is not None else 0.0
            coming = self._cues.coming(anchor, media_ns) if cue is None else None
            self._captions.step(now_ns, cue, turn_ms, -1 if anchor is None else anchor.epoch, coming)
        if self._with_status:
            self._step_status()
        self._signs.step(now_ns, sign_for(anchor, voice, motion_lost=motion_lost), self._opened)

    @property
    def stale(self) -> bool:
        """Whether something here must be drawn anew."""
        return self._overlay is not None and self._overlay.stale

    def tell(self, health: FaceHealth) -> None:
        """The report of the second that has passed, for the status line."""
        if self.typist is not None and self._with_status:
            self.typist.ask_line(status_text(health, self._voice))

    def _open_typist(self, counters: Counters) -> None:
        layout = self._layout
        self.typist = Typist(
            captions=layout.caption if self._with_captions else None,
            status=layout.status if self._with_status else None,
            counters=counters,
        )
        if self._with_captions:
            self._captions = Captions(self.typist, self._opened(), _CAPTION, layout.caption_corner)

    def _step_status(self) -> None:
        if self.typist is None or (line := self.typist.take_line()) is None:
            return
        overlay = self._opened()
        overlay.load(_STATUS, line)
        overlay.place(_STATUS, self._layout.margin_px, self._layout.margin_px, 0.8)

    def _opened(self) -> Overlay:
        if self._overlay is None:
            caption = self._layout.caption.largest if self._with_captions else (0, 0)
            status = self._layout.status.largest if self._with_status else (0, 0)
            self._overlay = self._renderer.open_overlay((caption, status, (self._layout.sign_px,) * 2))
        return self._overlay
