"""The demo's film, contact sheet and figures, from a recording."""

import json
import subprocess
import wave
from types import SimpleNamespace

import numpy as np
import pygame
import pytest

from mien.audio.wav import opened_path
from mien.bench.offsets import FrameTrace
from mien.cli.demo import FILM_SIZE, FPS, Performance, film, measure
from mien.core.bus import Anchor
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX

PERIOD_NS = 10**9 // FPS
START_NS = 5 * 10**9


@pytest.fixture
def pictures():
    """Two seconds of frames; the mouth opens with the sound, half a second in."""
    visible = START_NS + np.arange(2 * FPS, dtype=np.int64) * PERIOD_NS
    media = np.where(visible >= START_NS + 500_000_000, visible - START_NS - 500_000_000, -1)
    poses = np.zeros((len(visible), CHANNEL_COUNT), np.float32)
    poses[:, CHANNEL_INDEX["jawOpen"]] = np.where(media > 0, 0.5, 0.0)
    return FrameTrace(visible, media, np.ones_like(visible), poses)


def test_the_film_has_picture_and_sound_of_the_right_length(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    sound = tmp_path / "demo.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.ones(16000 * 3, "<i2").tobytes())
    opened_path(sound).write_text(f"{START_NS - 400_000_000}\n")
    film(pictures, sound, tmp_path, lambda _: None)
    probed = json.loads(
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_streams", "-of", "json", tmp_path / "demo.mp4"],
            capture_output=True,
            check=True,
        ).stdout
    )
    streams = {stream["codec_type"]: stream for stream in probed["streams"]}
    assert (streams["video"]["width"], streams["video"]["height"]) == FILM_SIZE
    assert float(streams["video"]["duration"]) == pytest.approx(2.0, abs=0.1)
    assert float(streams["audio"]["duration"]) == pytest.approx(2.6, abs=0.1)
    sheet = pygame.surfarray.array3d(pygame.image.load(str(tmp_path / "demo.png")))
    assert sheet.std() > 10


def test_the_figures_are_those_of_the_recording(pictures):
    anchors = [
        Anchor(
            epoch=1,
            media_ns=i * 20_000_000,
            at_ns=START_NS + (500 + i * 20) * 1_000_000,
            until_ns=2 * 10**9,
            phase="speaking",
        )
        for i in range(75)
    ]
    face = SimpleNamespace(shown=50, missed=2)
    session = SimpleNamespace(trace=pictures, probe=SimpleNamespace(anchors=anchors, faces=[face]))
    turns = [{"sent_ns": START_NS + 460_000_000, "finished_ns": START_NS + 2 * 10**9, "latency_ms": 40.0}]
    figures = measure(session, Performance(turns, {"mien-voice": 20.0, "mien-face": 90.0}))
    assert figures["first_sound_ms"] == 40.0
    assert figures["first_motion_ms"] == pytest.approx(60.0)
    assert figures["av_offset_median_ms"] == pytest.approx(0.0)
    assert (figures["frames_shown"], figures["frames_missed"]) == (50, 2)
    assert figures["mien_face_pss_mb"] == 90.0
