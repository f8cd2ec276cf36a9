"""Annotations over the face: sizes, positions, contents of the overlay's layers."""

import math
from pathlib import Path
from typing import Final

from mien import __version__
from mien.config import Config
from mien.core.bus import Anchor, AttendSign, Choices, EarSign, FaceHealth, VoiceHealth
from mien.core.stats import Counters
from mien.core.wire import MAX_CHOICES
from mien.face.overlay import ear_signs, signs
from mien.face.overlay.attend_row import AttendRow
from mien.face.overlay.button_grid import ButtonGrid
from mien.face.overlay.captions import Captions
from mien.face.overlay.choice_buttons import ChoiceButtons, Report
from mien.face.overlay.logo import Logo, largest
from mien.face.overlay.sign_fade import Corner, SignFade
from mien.face.overlay.text_worker import TextWorker
from mien.face.state import CueStore
from mien.render.base import Overlay, Renderer
from mien.text.typesetter import Image, Style
from mien.units import ns_to_ms

_CAPTION, _STATUS, _SIGN, _EAR, _LOGO, _BUTTONS = range(6)
_ATTEND, _NOTE = (_BUTTONS + MAX_CHOICES + 2 + more for more in range(2))  # after the ring and the QR code
_LINE_EM: Final = 1.4  # height of a line of captions
_NO_EAR: Final = EarSign(epoch=0)


class Layout:
    """Sizes and positions on an upright screen of width x height pixels; they scale with the root of its area."""

    def __init__(self, width: int, height: int, *, lines: int = 2, size: float = 1.0) -> None:
        """lines: per caption page. size: scale of caption text, 1 by default."""
        self.width, self.height = width, height
        unit = math.sqrt(width * height)
        font_px = 0.039 * unit * size
        across, down = round(0.72 * font_px), round(0.36 * font_px)
        # Lines of more than about forty letters are slow to read (BBC Subtitle Guidelines); portrait fits about thirty.
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
        self.ear_px = max(30, 2 * round(0.032 * min(width, height)))  # even: the drawing is symmetrical
        small_px = max(9.0, 0.0155 * unit)
        room_px = round(width - 3 * self.margin_px - max(self.sign_px, self.ear_px) - 1.4 * small_px)
        self.status = Style(
            font_px=small_px,
            width_px=room_px,
            lines=1,
            weight="Normal",
            plate=0.4,
            padding_px=(round(0.7 * small_px), round(0.25 * small_px)),
            radius_px=0.4 * small_px,
        )
        note_px = max(12.0, 0.02 * unit)
        self.note = Style(
            font_px=note_px,
            width_px=round(min(0.5 * width, 26 * note_px)),
            lines=3,
            plate=0.68,
            padding_px=(round(0.6 * note_px), round(0.3 * note_px)),
            radius_px=0.5 * note_px,
        )

    @property
    def ear_corner(self) -> Corner:
        """Upper left corner of the microphone's sign, which sits at the upper right of the screen."""
        return self.width - self.margin_px - self.ear_px, self.margin_px

    def attend_corner(self, *, rows: int) -> Corner:
        """Upper left corner of the sign of a person elsewhere: at the upper right of the screen, below `rows` signs."""
        return self.width - self.margin_px - self.ear_px, self.margin_px + rows * self._row_px

    def sign_corner(self, *, rows: int) -> Corner:
        """Upper left corner of the status sign: at the upper right of the screen, or below `rows` other signs."""
        left = self.width - self.margin_px - self.sign_px
        if not rows:
            return left, self.margin_px
        return left - (self.ear_px - self.sign_px) // 2, self.margin_px + rows * self._row_px

    @property
    def _row_px(self) -> int:
        return self.ear_px + round(0.6 * self.margin_px)

    @property
    def caption_room_px(self) -> int:
        """The height that captions take in the preferred fonts, with the space around them."""
        style = self.caption
        around_px = self.margin_px if self.height > self.width else round(0.07 * self.height)
        return round(_LINE_EM * style.lines * style.font_px) + 2 * style.padding_px[1] + around_px

    def caption_corner(self, image: Image, rise_px: int = 0) -> tuple[int, int]:
        """Upper left corner of a caption: centred, 5 % of the height above the bottom or rise_px, below the mouth."""
        height, width = image.shape[:2]
        return (self.width - width) // 2, self.height - height - max(rise_px, round(0.05 * self.height))


class Annotations:
    """Captions, status line and signs. The overlay is opened on first use; with signs alone that may never happen."""

    def __init__(
        self,
        config: Config,
        renderer: Renderer,
        cues: CueStore,
        counters: Counters,
        report: Report = lambda _: None,
    ) -> None:
        """report(message): tells the voice what the customer chose."""
        captions, info = config.captions, renderer.info
        sides = (info.width, info.height)
        width, height = sides[::-1] if config.face.quarter_turns % 2 else sides
        self._layout = Layout(width, height, lines=captions.lines, size=captions.size)
        self._renderer, self._cues, self._counters = renderer, cues, counters
        self._overlay: Overlay | None = None
        self._with_captions, self._with_status = captions.enabled, config.face.status_line
        layout = self._layout
        self._sign = SignFade(
            _SIGN,
            lambda name: signs.draw_sign(name, layout.sign_px),
            after_ns=signs.AFTER_NS,
            strength=signs.STRENGTH,
        )
        self._ear = ear_signs.EarSigns()
        self._ear_sign = SignFade(
            _EAR,
            lambda name: ear_signs.draw_ear_sign(name, layout.ear_px),
            after_ns=ear_signs.AFTER_NS,
            strength=ear_signs.STRENGTH,
            fade_ns=ear_signs.FADE_NS,
        )
        self._attend = AttendRow((_ATTEND, _NOTE), layout.ear_px, _languages(config), self._ask_note)
        self._logo = Logo(Path(config.face.logo), config.face.logo_corner, _LOGO) if config.face.logo else None
        room_px = layout.caption_room_px if captions.enabled else 0
        self._grid = ButtonGrid(
            width,
            height,
            diagonal_inches=config.screen.diagonal_inches,
            caption_px=room_px,
            size=config.choices.size,
        )
        self._numbers = config.choices.numbers
        self.buttons = ChoiceButtons(
            self._grid,
            first_layer=_BUTTONS,
            ring=config.choices.ring,
            open_overlay=self._opened,
            ask=self._ask_buttons,
            report=report,
        )
        self._voice: VoiceHealth | None = None
        self._started = False
        self.worker: TextWorker | None = None
        self._captions: Captions | None = None
        if self._with_captions or self._with_status:
            self._open_worker()

    def start(self) -> None:
        """Start the text worker, at once or with the first buttons."""
        self._started = True
        if self.worker is not None:
            self.worker.start()

    def stop(self) -> None:
        """Stop the text worker."""
        if self.worker is not None:
            self.worker.stop()

    def step(
        self,
        now_ns: int,
        anchor: Anchor | None,
        media_ns: int,
        *,
        voice: VoiceHealth | None,
        motion_lost: bool,
        ear: EarSign = _NO_EAR,
        attending: bool = False,
        choices: Choices | None = None,
        attend: AttendSign | None = None,
    ) -> None:
        """Update every layer for the next frame. media_ns: the media time heard when it is seen.

        attending: the face listens to a customer. attend: who attends from elsewhere.
        """
        self._voice = voice
        self._step_buttons(now_ns, choices)
        if self._captions is not None:
            cue = self._cues.heard(anchor, media_ns)
            turn_ms = ns_to_ms(media_ns - cue.turn_start_ns) if cue is not None else 0.0
            coming = self._cues.coming(anchor, media_ns) if cue is None else None
            self._captions.step(now_ns, cue, turn_ms, -1 if anchor is None else anchor.epoch, coming)
        if self._with_status:
            self._step_status()
        if self._logo is not None:
            self._logo.step(now_ns, self._opened())
        self._step_signs(
            now_ns,
            self._ear.step(now_ns, anchor, ear),
            attend if anchor is not None else None,
            signs.sign_for(anchor, voice, motion_lost=motion_lost, attending=attending),
        )

    @property
    def stale(self) -> bool:
        """Whether the overlay differs from what was drawn last."""
        return self._overlay is not None and self._overlay.stale

    def show_health(self, health: FaceHealth) -> None:
        """Put a health report into the status line, if enabled."""
        if self.worker is not None and self._with_status:
            self.worker.ask_line(status_text(health, self._voice))

    def _step_buttons(self, now_ns: int, choices: Choices | None) -> None:
        self.buttons.offer(choices)
        if self.worker is not None and (made := self.worker.take_buttons()) is not None:
            self.buttons.made(made, now_ns)
        self.buttons.step(now_ns)

    def _ask_buttons(self, offer: Choices) -> None:
        self._worker_for_requests().ask_buttons(offer)

    def _ask_note(self, text: str) -> None:
        self._worker_for_requests().ask_note(text)

    def _worker_for_requests(self) -> TextWorker:
        worker = self.worker
        if worker is None:
            worker = self._open_worker()
            if self._started:
                self.start()
        return worker

    def _open_worker(self) -> TextWorker:
        layout = self._layout
        self.worker = worker = TextWorker(
            captions=layout.caption if self._with_captions else None,
            status=layout.status if self._with_status else None,
            counters=self._counters,
            grid=self._grid,
            numbers=self._numbers,
            notes=layout.note,
        )
        if self._with_captions:
            self._captions = Captions(
                worker,
                self._opened(),
                _CAPTION,
                lambda image: layout.caption_corner(image, self.buttons.caption_rise()),
            )
        return worker

    def _step_signs(self, now_ns: int, of_ear: str, attend: AttendSign | None, of_status: str) -> None:
        """One below the other: the microphone, the person elsewhere, the status."""
        layout, ear, row = self._layout, self._ear_sign, self._attend
        ear.step(now_ns, of_ear, layout.ear_corner, self._opened)
        rows = int(bool(of_ear or ear.shown))
        if self.worker is not None and (made := self.worker.take_note()) is not None:
            row.made(*made)
        row.step(now_ns, attend, layout.attend_corner(rows=rows), self._opened, self._beside_code_px())
        rows += int(row.shown)
        self._sign.step(now_ns, of_status, layout.sign_corner(rows=rows), self._opened)

    def _beside_code_px(self) -> int:
        """Where the room beside a QR code begins, which a text over it would make unreadable; 0 without a code."""
        shown = self.buttons.shown
        box = shown.qr_box if shown is not None else None
        return 0 if box is None else box.left + box.width

    def _step_status(self) -> None:
        if self.worker is None or (line := self.worker.take_line()) is None:
            return
        overlay = self._opened()
        overlay.load(_STATUS, line)
        overlay.place(_STATUS, self._layout.margin_px, self._layout.margin_px, 0.8)

    def _opened(self) -> Overlay:
        if self._overlay is None:
            caption = self._layout.caption.largest if self._with_captions else (0, 0)
            status = self._layout.status.largest if self._with_status else (0, 0)
            logo = largest(self._layout.width, self._layout.height) if self._logo is not None else (0, 0)
            signs_px = (self._layout.sign_px,) * 2, (self._layout.ear_px,) * 2
            buttons = self._grid.largest
            widest = max(width for width, _ in buttons)
            ring = self._grid.ring_size(widest, max(height for _, height in buttons))
            qr = (self._grid.largest_qr,) * 2
            attend_px = (self._layout.ear_px,) * 2, self._layout.note.largest
            self._overlay = self._renderer.open_overlay(
                (caption, status, *signs_px, logo, *buttons, ring, qr, *attend_px)
            )
        return self._overlay


def _languages(config: Config) -> tuple[str, ...]:
    """Those of the texts that the face shows by itself."""
    spoken = config.converse.language
    return config.face.languages or (("en", "de") if spoken == "auto" else (spoken,))


def status_text(face: FaceHealth, voice: VoiceHealth | None) -> str:
    """The status line: level, frame rate, A/V offset (pose minus audio), version, newest client's session."""
    offset = "–" if face.offset_median_ms is None else f"{face.offset_median_ms:+.1f}".replace("-", "−")
    level = voice.level if voice is not None else face.level
    session = voice.session if voice is not None and voice.session else "none"
    return f"{level.replace('_', ' ')} · {face.fps:.0f} fps · A/V {offset} ms · mien {__version__} · session {session}"
