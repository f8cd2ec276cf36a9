"""The sign of a person elsewhere who listens or speaks: what it says, where it stands, that it goes."""

from itertools import combinations

import numpy as np
import pytest

from mien.config import Config, parse_config
from mien.core import bus
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations, Layout
from mien.face.overlay.attend_signs import STRENGTH, attend_sign, draw_attend_sign
from mien.face.overlay.attend_text import LANGUAGES, MOST_OF_A_NAME, attend_text
from mien.face.state import CueStore
from mien.render.headless import HeadlessRenderer

MS = 1_000_000
SIGN, EAR, ATTEND, NOTE = 2, 3, 13, 14
ANCHOR = bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="idle")
PAUSED = bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="paused")
VOICE = bus.VoiceHealth(epoch=1, pid=1, level="full", clients=1, pss_mb=1.0, counters={}, session="1a-2")
NOBODY = bus.AttendSign(epoch=1)
LISTENING = bus.AttendSign(epoch=1, listening=True)
SPEAKING = bus.AttendSign(epoch=1, speaking=True)
BOTH = bus.AttendSign(epoch=1, listening=True, speaking=True)


class Rig:
    """720 x 1280 pixels; opened: overlays."""

    def __init__(self, config: Config | None = None, *, pango: bool = True) -> None:
        self.renderer = HeadlessRenderer(720, 1280, ManualClock(0))
        self.opened = 0
        inner = self.renderer.open_overlay

        def counted(sizes):
            self.opened += 1
            return inner(sizes)

        self.renderer.open_overlay = counted
        self.annotations = Annotations(config or Config(), self.renderer, CueStore(), Counters())
        self.now_ms, self.pango = 0, pango

    def play(self, ms, attend, *, anchor=ANCHOR, live=False):
        for _ in range(ms // 20):
            self.now_ms += 20
            ear = bus.EarSign(epoch=1, live=live)
            self.annotations.step(self.now_ms * MS, anchor, 0, voice=VOICE, motion_lost=False, ear=ear, attend=attend)
            if self.pango and self.annotations.worker is not None:
                self.annotations.worker.do()
        return self.shown(ATTEND)

    def shown(self, layer):
        return self.renderer.overlay.shown.get(layer) if self.opened else None


@pytest.mark.parametrize(
    ("sign", "name", "text"),
    [
        (NOBODY, "", ""),
        (bus.AttendSign(epoch=1, name="Ada"), "", ""),
        (LISTENING, "listening", "A colleague is listening"),
        (SPEAKING, "speaking", "A colleague is speaking"),
        (BOTH, "both", "A colleague is listening and speaking"),
        (bus.AttendSign(epoch=1, listening=True, name="Ada"), "listening", "Ada is listening"),
    ],
)
def test_what_it_says(sign, name, text):
    assert attend_sign(sign) == name
    assert attend_text(sign, ("en",)) == text


def test_every_language_has_a_line_of_its_own():
    lines = attend_text(BOTH, LANGUAGES).split("\n")
    assert len(set(lines)) == len(LANGUAGES) == 3
    assert attend_text(LISTENING, ("de", "es")) == "Jemand aus dem Team hört zu\nAlguien del equipo escucha"


def test_a_name_is_shortened_and_makes_no_line_of_its_own():
    long = attend_text(bus.AttendSign(epoch=1, listening=True, name="A\u202e" + "b" * 63), ("en",))
    assert "\u202e" not in long
    assert long.endswith("b… is listening")
    assert len(long) == MOST_OF_A_NAME + len(" is listening")


@pytest.mark.parametrize(
    ("config", "languages"),
    [
        ({}, ("en",)),
        ({"converse": {"language": "de", "hear_model": "base"}}, ("de",)),
        ({"converse": {"language": "auto", "hear_model": "base"}}, ("en", "de")),
        ({"face": {"languages": ["es"]}}, ("es",)),
    ],
)
def test_its_languages_are_those_of_the_configuration(config, languages):
    rig = Rig(parse_config(config, "test"))
    assert rig.annotations._attend._languages == languages


def test_nothing_is_reserved_while_nobody_attends():
    rig = Rig()
    rig.play(2000, NOBODY)
    assert rig.opened == 0
    assert rig.annotations.worker is None


def test_it_comes_at_once_with_its_text_beside_it_and_goes():
    rig = Rig()
    rig.play(200, NOBODY)
    sign = rig.play(200, LISTENING)
    assert sign.opacity == pytest.approx(STRENGTH)
    note, image = rig.shown(NOTE), rig.renderer.overlay.images[NOTE]
    layout = Layout(720, 1280)
    assert note.left + image.shape[1] <= sign.left
    assert sign.left + layout.ear_px <= 720 - layout.margin_px
    assert abs((note.top + image.shape[0] / 2) - (sign.top + layout.ear_px / 2)) <= 1
    assert rig.play(3_600_000 // 100, LISTENING) == rig.shown(ATTEND)
    assert rig.play(200, NOBODY) is None
    assert rig.shown(NOTE) is None


def test_sign_and_text_follow_who_does_what_and_a_frame_without_change_uploads_nothing():
    rig = Rig()
    rig.play(400, LISTENING)
    first, uploads = rig.renderer.overlay.images[NOTE], rig.renderer.overlay.uploads
    rig.play(400, LISTENING)
    assert rig.renderer.overlay.uploads == uploads
    rig.play(400, BOTH)
    assert rig.renderer.overlay.images[NOTE].shape != first.shape
    np.testing.assert_array_equal(
        rig.renderer.overlay.images[ATTEND], draw_attend_sign("both", Layout(720, 1280).ear_px)
    )
    assert rig.shown(NOTE).opacity == pytest.approx(STRENGTH)


def test_without_a_font_the_sign_alone_tells():
    rig = Rig(pango=False)
    assert rig.play(400, LISTENING) is not None
    assert rig.shown(NOTE) is None


def test_without_a_voice_nobody_attends():
    rig = Rig()
    rig.play(400, LISTENING)
    assert rig.play(400, LISTENING, anchor=None) is None


def test_microphone_person_and_status_stand_below_each_other():
    rig = Rig()
    rig.play(2000, LISTENING, anchor=PAUSED, live=True)
    layout = Layout(720, 1280)
    ear, attend, status = rig.shown(EAR), rig.shown(ATTEND), rig.shown(SIGN)
    assert ear.top + layout.ear_px < attend.top
    assert attend.top + layout.ear_px < status.top
    rig.play(3000, NOBODY, anchor=PAUSED)
    assert rig.shown(SIGN).top == layout.margin_px


@pytest.mark.parametrize("size_px", [30, 40, 46, 70])
def test_the_signs_differ_stay_inside_their_disc_and_are_dark_on_light(size_px):
    images = [draw_attend_sign(name, size_px).astype(float) / 255 for name in ("listening", "speaking", "both")]
    axis = np.arange(size_px) + 0.5 - size_px / 2
    outside = np.hypot(*np.meshgrid(axis, axis)) > size_px / 2 + 0.5
    for image in images:
        assert image[outside].max() == 0
        assert (image[..., 2] == 0).all(), "no word of a caption"
        assert 0.08 < (image[..., 3] > 0.5).mean() < 0.3
    for one, other in combinations(images, 2):
        assert ((one[..., 3] > 0.5) ^ (other[..., 3] > 0.5)).sum() > 0.02 * size_px**2
