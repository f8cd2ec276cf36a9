"""mien doctor while services hold the devices."""

import pytest

from mien.cli.doctor import display_of, held_devices, sound_of
from mien.core.bus import FaceHealth, VoiceHealth
from mien.errors import SinkError
from rigs.services import running_voice


def test_a_card_that_the_voice_holds_is_not_opened_again(tmp_path):
    with running_voice(tmp_path):
        found = held_devices(tmp_path)
    assert set(found) == {"sound"}
    assert found["sound"].verdict == "good"
    assert "plays on it" in found["sound"].detail


def test_a_voice_without_a_card_is_told(tmp_path):
    def no_card(_config, _clock):
        raise SinkError("no such card")

    with running_voice(tmp_path, opener=no_card):
        found = held_devices(tmp_path)["sound"]
    assert found.verdict == "bad"
    assert "aplay -L" in found.remedy


@pytest.mark.parametrize(
    ("device", "level", "verdict", "words"),
    [
        ("open", "full", "good", "plays on it: device open"),
        ("released", "full", "good", "has released it until speech arrives: device released"),
        ("lost", "full", "bad", "device lost"),
        ("lost", "silent", "bad", "device lost"),
    ],
)
def test_the_state_of_the_sound_card_is_told(device, level, verdict, words):
    health = VoiceHealth(epoch=1, pid=7, level=level, clients=0, pss_mb=1.0, counters={}, device=device)
    assert sound_of(health).verdict == verdict
    assert words in sound_of(health).detail


def test_nothing_is_held_where_nothing_runs(tmp_path):
    assert held_devices(tmp_path) == {}


@pytest.mark.parametrize(("fps", "verdict"), [(30.0, "good"), (0.0, "poor")])
def test_a_face_that_draws_is_good(fps, verdict):
    face = FaceHealth(
        epoch=1,
        pid=7,
        level="full",
        fps=fps,
        shown=1,
        missed=0,
        offset_median_ms=None,
        offset_p95_ms=None,
        motion_lead_ms=None,
        pss_mb=1.0,
        counters={},
        renderer="V3D 4.2",
    )
    assert display_of(face).verdict == verdict
    assert "V3D 4.2" in display_of(face).detail


@pytest.mark.parametrize(("screen", "words"), [("off", "switched off"), ("blank", "black")])
def test_a_screen_that_is_dark_on_purpose_is_good_though_nothing_is_drawn(screen, words):
    face = FaceHealth(
        epoch=1,
        pid=7,
        level="full",
        fps=0.0,
        shown=1,
        missed=0,
        offset_median_ms=None,
        offset_p95_ms=None,
        motion_lead_ms=None,
        pss_mb=1.0,
        counters={},
        screen=screen,
    )
    assert display_of(face).verdict == "good"
    assert words in display_of(face).detail
