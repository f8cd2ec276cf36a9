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
from mien.face.overlay.annotations import Annotations, status_text
from mien.face.overlay.signs import draw_sign, sign_for
from mien.face.speech_motion import MotionWatch
from mien.face.state import CueStore
from mien.render.headless import HeadlessRenderer

MS = 1_000_000
STATUS, SIGN = 1, 2
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

    def play(self, ms, what, health=VOICE, *, lost=False):
        for _ in range(ms // 20):
            self.now_ms += 20
            self.annotations.step(self.now_ms * MS, what, 0, voice=health, motion_lost=lost)
        return self.renderer.overlay.shown.get(SIGN)


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
