"""Whole runs with the real services: short, with and without a display."""

import time
from pathlib import Path

import pytest

from mien.bench.board import frames, run
from mien.bench.board import talk as talking
from mien.bench.board.display import probe_display
from mien.bench.board.frames import frame_times
from mien.bench.board.private import found_in, secrets_of
from mien.bench.board.report import as_json
from mien.bench.board.run import Request, open_devices, refuse_if_running, run_board
from mien.bench.board.talk import NotStarted
from mien.errors import ConfigError, MienError
from rigs.services import running_voice

SMALL = {
    "face.width": "90",
    "face.height": "160",
    "face.fps": "25",
    "face.renderer": "gles",
    "playback.sink": "null",
}
PAIRS = tuple(f"{key}={value}" for key, value in SMALL.items())


@pytest.fixture(autouse=True)
def _offscreen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    monkeypatch.setattr(frames, "SIZES", ((45, 80), (90, 160)))
    monkeypatch.setattr(frames.frame_times, "__defaults__", (frames.SIZES,))


@pytest.fixture
def _soon_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less waiting and shorter sentences than a measurement needs."""
    monkeypatch.setattr(talking, "SETTLE_S", 0.5)
    monkeypatch.setattr(talking, "LENGTHS_S", (0.8, 1.0, 1.2, 1.2))


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("_soon_settled")
def test_a_short_run_has_every_figure_that_this_machine_can_give(tmp_path: Path) -> None:
    steps: list[str] = []
    report = run_board(Request(minutes=0.1, name="short", note="a test", pairs=PAIRS), steps.append, tmp_path)
    as_json(report)
    for what in ("devices", "frame times: 45x80", "idle", "turns", "interruptions", "talking", "first sound beside"):
        assert any(step.startswith(what) for step in steps), what
    latency = report.latency
    for spread in (latency.first_sound_burst_ms, latency.first_sound_stream_ms, report.loaded.first_sound_burst_ms):
        assert spread.samples >= 3
        assert spread.p50 is not None
        assert 0 < spread.p50 < 10_000
    assert latency.barge_in_sound_ms.samples >= 1
    assert latency.barge_in_sound_ms.p95 is not None
    assert -50 < latency.barge_in_sound_ms.p95 < 5_000
    assert latency.underruns.value is None
    assert report.facts.sink == "null"
    assert set(report.facts.settings) >= {"face.width = 90", "face.height = 160", "playback.sink = null"}
    assert report.facts.sound_card.reason == "playback.sink is null"
    assert report.on_screen.size.value == "90x160, no vsync"
    assert [frame.drawn_ms.samples >= 5 for frame in report.frames] == [True, True]
    for service in report.services:
        for use in (service.idle, service.talking):
            assert use.pss_mb.value is not None
            assert 5 < use.pss_mb.value < 400
            assert use.cpu_percent.value is not None
            assert 0 <= use.cpu_percent.value < 200
    assert report.heat.highest_c.value is None  # tmp_path is a machine without sensors
    assert found_in(report, secrets_of()) == []


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("_soon_settled")
def test_without_a_display_the_voice_is_measured_and_the_rest_has_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    report = run_board(Request(minutes=0.05, name="blind", pairs=PAIRS), lambda _: None, tmp_path)
    assert report.latency.first_sound_burst_ms.samples >= 3
    assert report.latency.barge_in_sound_ms.samples >= 1
    voice, face = report.services
    assert voice.talking.pss_mb.value is not None
    for absent in (report.facts.gl_renderer, face.idle.pss_mb, report.on_screen.size, report.frames[0].device):
        assert absent.value is None
        assert "no-such-driver" in absent.reason
    for spread in (report.latency.first_motion_burst_ms, report.offset.absolute_ms, report.frames[0].drawn_ms):
        assert (spread.p50, spread.samples) == (None, 0)
        assert "no-such-driver" in spread.reason
    as_json(report)


def test_a_size_is_drawn_for_its_time_and_no_longer() -> None:
    began_s = time.monotonic()
    (only,) = frame_times(0.0, lambda _: None, ((45, 80),))
    assert only.drawn_ms.samples < 3000
    assert time.monotonic() - began_s < 60
    assert only.device.value is not None


def test_the_display_is_opened_as_the_face_would(monkeypatch: pytest.MonkeyPatch) -> None:
    display = probe_display(SMALL)
    assert (display.width, display.height) == (90, 160)
    assert display.device
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(MienError, match="no no-such-driver display"):
        probe_display(SMALL)


def test_a_sound_card_that_cannot_be_opened_is_a_reason_and_not_the_end() -> None:
    devices = open_devices({**SMALL, "playback.sink": "alsa", "playback.device": "no-such-card"})
    assert "no-such-card" in devices.no_card or "pyalsaaudio" in devices.no_card
    assert devices.display is not None


def test_a_running_voice_is_not_measured_over(tmp_path: Path) -> None:
    refuse_if_running(tmp_path)
    with running_voice(tmp_path), pytest.raises(ConfigError, match=r"mien is running .*`systemctl stop mien\.target`"):
        refuse_if_running(tmp_path)


def test_a_face_that_does_not_start_leaves_the_voice_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def talk(*_: object, face: bool, **__: object) -> str:
        asked.append(face)
        if face:
            raise NotStarted("the face did not start within 60 s")
        return "talk"

    monkeypatch.setattr(run, "talk", talk)
    devices = open_devices(SMALL)
    assert run._talk({}, 1, lambda _: None, devices, 60) == ("talk", "the face did not start within 60 s")  # type: ignore[comparison-overlap]
    assert asked == [True, False]


def test_a_voice_that_fails_in_the_middle_is_not_blamed_on_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(*_: object, **__: object) -> str:
        raise MienError("mien-voice did not finish a turn within 30 s")

    monkeypatch.setattr(run, "talk", talk)
    with pytest.raises(MienError, match="did not finish a turn"):
        run._talk({}, 1, lambda _: None, open_devices(SMALL), 60)
