"""Signs and status line: what is shown when, and that signs differ."""

from itertools import combinations

import msgspec
import numpy as np
import pytest

from mien import __version__
from mien.config import Config, parse_config
from mien.core import bus
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations, Layout, status_text
from mien.face.overlay.ear_signs import LINGERS_NS, STRENGTH, draw_ear_sign
from mien.face.overlay.signs import draw_sign, sign_for
from mien.face.speech_motion import MotionWatch
from mien.face.state import CueStore
from mien.render.headless import HeadlessRenderer

MS = 1_000_000
STATUS, SIGN, EAR = 1, 2, 3
NO_EAR, LIVE, MUTED = (bus.EarSign(epoch=1, **fields) for fields in ({}, {"live": True}, {"muted": True}))
VOICE = bus.VoiceHealth(epoch=1, pid=1, level="full", clients=1, pss_mb=1.0, counters={}, session="1a-2")
FACE = bus.FaceHealth(
    epoch=1,
    pid=1,
    level="full",
    fps=29.97,
    shown=1,
    missed=0,
    offset_median_ms=-1.26,
    offset_p95_ms=4.0,
    motion_lead_ms=None,
    pss_mb=1.0,
    counters={},
)


def anchor(phase="idle"):
    return bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase=phase)


def voice(**fields):
    return bus.VoiceHealth(
        **{
            "epoch": 1,
            "pid": 1,
            "level": "full",
            "clients": 1,
            "pss_mb": 1.0,
            "counters": {},
            "session": "1a-2",
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("what", "lost", "health", "sign"),
    [
        (anchor(), False, voice(), ""),
        (anchor("speaking"), False, voice(), ""),
        (anchor(), False, None, ""),
        (anchor("paused"), False, voice(), "paused"),
        (anchor("speaking"), True, voice(), "audio_only"),
        (anchor("speaking"), False, voice(level="silent"), "silent"),
        (anchor(), False, voice(session=""), "disconnected"),
        (anchor("speaking"), False, voice(session=""), ""),
        (None, False, voice(), "disconnected"),
        (None, False, None, "disconnected"),
    ],
)
def test_each_condition_has_its_sign(what, lost, health, sign):
    assert sign_for(what, health, motion_lost=lost) == sign


@pytest.mark.parametrize("size_px", [24, 40, 90])
def test_signs_look_different_and_stay_inside_their_disc(size_px):
    images = {name: draw_sign(name, size_px) for name in ("paused", "audio_only", "disconnected", "silent")}
    for image in images.values():
        assert image[..., 0].max() > 180
        assert image[0, 0].max() == 0
        assert (image[..., 0][image[..., 3] == 0] == 0).all()
    for one, other in combinations(images.values(), 2):
        assert np.abs(one[..., 0].astype(int) - other[..., 0]).mean() > 5


class Rig:
    def __init__(self, config):
        self.renderer = HeadlessRenderer(720, 1280, ManualClock(0))
        self.opened = 0
        inner = self.renderer.open_overlay

        def counted(sizes):
            self.opened += 1
            return inner(sizes)

        self.renderer.open_overlay = counted
        self.annotations = Annotations(config, self.renderer, CueStore(), Counters())
        self.now_ms = 0

    def play(self, ms, what, health=VOICE, *, lost=False, ear=NO_EAR, attending=False):
        for _ in range(ms // 20):
            self.now_ms += 20
            self.annotations.step(
                self.now_ms * MS, what, 0, voice=health, motion_lost=lost, ear=ear, attending=attending
            )
        return self.shown(SIGN)

    def shown(self, layer):
        """What a layer shows; None without an overlay too."""
        return self.renderer.overlay.shown.get(layer) if self.opened else None


def test_a_sign_comes_softly_stays_and_goes():
    rig = Rig(Config())
    assert rig.play(1000, anchor()) is None
    assert rig.opened == 0  # nothing to show, nothing reserved
    assert rig.play(200, anchor("paused")) is None
    levels = [rig.play(20, anchor("paused")) for _ in range(60)]
    shown = [placed.opacity for placed in levels if placed is not None]
    assert shown == sorted(shown)
    assert 0.7 < shown[-1] < 0.9
    left, top = levels[-1].left, levels[-1].top
    assert left > 600
    assert top < 60
    assert rig.play(100, anchor()).opacity < shown[-1]
    assert rig.play(600, anchor()) is None
    assert rig.opened == 1


def test_a_voice_that_restarts_quickly_raises_no_sign():
    rig = Rig(Config())
    rig.play(1000, anchor())
    assert rig.play(2500, None) is None
    assert rig.play(3000, anchor()) is None
    assert rig.play(6000, None) is not None


def test_one_sign_gives_way_to_another():
    rig = Rig(Config())
    rig.play(2000, anchor("paused"))
    first = rig.renderer.overlay.images[SIGN]
    rig.play(6000, None)
    assert (rig.renderer.overlay.images[SIGN] != first).any()
    assert rig.renderer.overlay.shown[SIGN].opacity > 0.7


def test_a_live_microphone_is_shown_at_once_and_a_moment_after_its_end():
    rig = Rig(Config())
    rig.play(1000, anchor())
    assert rig.opened == 0
    rig.play(160, anchor(), ear=LIVE)
    assert rig.shown(EAR).opacity == pytest.approx(STRENGTH), "the first frame after the news begins the fade"
    rig.play(LINGERS_NS // MS - 20, anchor())
    assert rig.shown(EAR).opacity == pytest.approx(STRENGTH), "utterances follow each other"
    rig.play(200, anchor())
    assert rig.shown(EAR) is None


def test_mute_turns_the_sign_at_once_and_for_as_long_as_it_lasts():
    rig = Rig(Config())
    rig.play(1000, anchor(), ear=LIVE)
    live = rig.renderer.overlay.images[EAR]
    rig.play(320, anchor(), ear=MUTED)
    assert (rig.renderer.overlay.images[EAR] != live).any()
    assert rig.shown(EAR).opacity == pytest.approx(STRENGTH)
    rig.play(60_000, anchor(), ear=MUTED)
    assert rig.shown(EAR).opacity == pytest.approx(STRENGTH)
    rig.play(160, anchor())
    assert rig.shown(EAR) is None, "the microphone was not live before"


def test_mute_wins_over_live():
    rig = Rig(Config())
    rig.play(500, anchor(), ear=bus.EarSign(epoch=1, live=True, muted=True))
    np.testing.assert_array_equal(rig.renderer.overlay.images[EAR], draw_ear_sign("muted", Layout(720, 1280).ear_px))


def test_without_a_voice_nothing_is_live_and_with_it_again_it_is():
    rig = Rig(Config())
    rig.play(500, anchor(), ear=LIVE)
    rig.play(300, None, ear=LIVE)
    assert rig.shown(EAR) is None
    rig.play(300, anchor(), ear=LIVE)
    assert rig.shown(EAR) is not None


def test_status_sign_and_microphone_never_overlap():
    rig = Rig(Config())
    rig.play(1000, anchor("paused"))
    alone = rig.shown(SIGN)
    layout = Layout(720, 1280)
    apart = []
    for ear in (LIVE, NO_EAR):
        for _ in range(150):
            rig.play(20, anchor("paused"), ear=ear)
            sign, microphone = rig.shown(SIGN), rig.shown(EAR)
            if sign is not None and microphone is not None:
                apart.append(sign.top >= microphone.top + layout.ear_px or min(sign.opacity, microphone.opacity) < 0.8)
        if ear is LIVE:
            assert rig.shown(SIGN).top > alone.top + layout.ear_px
            assert rig.shown(SIGN).left + layout.sign_px <= 720 - layout.margin_px
    assert apart
    assert all(apart)
    assert rig.shown(SIGN) == alone


def test_a_turn_that_waits_for_a_customer_to_finish_is_not_marked_as_paused():
    rig = Rig(Config())
    assert rig.play(2000, anchor("paused"), attending=True) is None
    assert rig.play(2000, anchor("paused")) is not None


@pytest.mark.parametrize("size_px", [30, 40, 46, 70])
def test_the_microphones_signs_differ_by_shape_and_stay_inside_their_disc(size_px):
    live, muted = (draw_ear_sign(name, size_px).astype(float) / 255 for name in ("live", "muted"))
    axis = np.arange(size_px) + 0.5 - size_px / 2
    outside = np.hypot(*np.meshgrid(axis, axis)) > size_px / 2 + 0.5
    for image in (live, muted):
        assert image[outside].max() == 0
        assert (image[..., 2] == 0).all(), "no word of a caption"
    microphone, crossed = live[..., 3] > 0.5, muted[..., 0] > 0.5
    assert 0.08 < microphone.mean() < 0.2
    assert (microphone ^ crossed).sum() / (microphone | crossed).sum() > 0.2, "a slash and a gap beside it"
    np.testing.assert_array_equal(live, live[:, ::-1])  # crisp on both sides
    assert not np.allclose(muted, muted[:, ::-1])


@pytest.mark.parametrize("name", ["live", "muted"])
@pytest.mark.parametrize("screen", [(360, 640), (480, 854), (720, 1280)])
@pytest.mark.parametrize("background", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_the_microphone_is_legible_on_light_and_dark(name, screen, background):
    """A contrast of at least 3 to 1 between symbol and disc, as WCAG 2.1 asks of graphics."""
    image = draw_ear_sign(name, Layout(*screen).ear_px) / 255
    ink, shadow, plate = image[..., 0], image[..., 1], image[..., 3]
    under = 1 - (1 - shadow) * (1 - plate)
    colour = (ink + (1 - ink) * under * 0.045) * STRENGTH
    shade = background * (1 - (ink + (1 - ink) * under) * STRENGTH) + colour  # as overlay.frag blends it
    light = np.where(shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4)
    symbol = (plate if name == "live" else ink) > (0.85 if name == "live" else 0.95)
    disc = (ink > 0.9) if name == "live" else (plate > 0.65) & (ink < 0.05)
    brighter, darker = sorted((np.median(light[symbol]), np.median(light[disc])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 3.0


def test_the_status_line_says_what_an_operator_asks():
    assert status_text(FACE, VOICE) == f"full · 30 fps · A/V −1.3 ms · mien {__version__} · session 1a-2"
    silent = msgspec.structs.replace(FACE, offset_median_ms=None)
    assert "A/V – ms" in status_text(silent, None)
    assert status_text(FACE, voice(level="audio_only")).startswith("audio only")


def test_the_status_line_is_set_when_told_and_only_then():
    rig = Rig(parse_config({"face": {"status_line": True}}, "test"))
    overlay = rig.renderer.overlay
    for _ in range(3):
        rig.annotations.show_health(FACE)
        rig.annotations.worker.do()
        rig.play(1000, anchor())
    assert overlay.uploads == 3
    assert overlay.shown[STATUS].opacity > 0.5
    image = overlay.images[STATUS]
    assert image.shape[0] < 40
    assert overlay.shown[STATUS].left + image.shape[1] < 660  # the sign's place stays free


def test_it_is_off_by_default():
    rig = Rig(Config())
    rig.annotations.show_health(FACE)
    assert rig.annotations.worker is None


def test_motion_is_lost_only_when_it_stays_away():
    watch = MotionWatch()
    for at_ms, live, lost in (
        (0, True, False),
        (100, False, False),
        (400, False, False),
        (500, True, False),
        (600, False, False),
        (1120, False, True),
        (1200, True, False),
    ):
        watch.step(at_ms * MS, speaking=True, live=live)
        assert watch.lost is lost, at_ms
    watch.step(3000 * MS, speaking=False, live=False)
    assert not watch.lost


@pytest.mark.parametrize("size_px", [32, 64, 96])
def test_the_microphone_stands_on_its_foot(size_px):
    """Upright and symmetric, its head and its foot where they are drawn."""
    ink = draw_ear_sign("live", size_px)[..., 3]
    rows = np.flatnonzero(ink.max(axis=1) > 128)
    assert rows[0] == pytest.approx(0.2 * size_px, abs=1)
    assert rows[-1] == pytest.approx(0.74 * size_px, abs=1)
    np.testing.assert_array_equal(ink, ink[:, ::-1])
