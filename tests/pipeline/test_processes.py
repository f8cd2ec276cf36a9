"""Both services as the processes that they are on a board, over real sockets, the WAV sink and real GL."""

import contextlib
import io
import signal
import threading
import wave

import numpy as np
import pygame
import pytest

from mien.bench.offsets import offsets_ms, read_trace
from mien.bench.session import BusProbe
from mien.client import connect
from mien.core import wire
from mien.core.pose import SPEECH_INDICES
from mien.host.clock import MonotonicClock
from mien.host.stack import Stack
from rigs.services import RawClient

PATIENCE_S = 60
FEW_FRAMES = 3  # how many are drawn depends on what else the machine does


def speechlike(seconds):
    """Vowels and hisses in an irregular row, int16 at 16 kHz, never zero: they move a mouth, no sample is missed."""
    draw, at = np.random.default_rng(3), np.arange(int(seconds * 16000)) / 16000
    lengths = draw.integers(1100, 4200, int(seconds * 16))
    kinds = np.repeat(draw.integers(0, 3, len(lengths)), lengths)[: len(at)]
    loudness = np.repeat(draw.uniform(0.1, 1.0, len(lengths)), lengths)[: len(at)]
    sound = np.where(kinds == 2, draw.normal(size=len(at)), 0.0)
    for kind, formants in enumerate(((730, 1090, 2440), (270, 2290))):  # a and i: Peterson and Barney, JASA 24 (1952)
        for hz in range(120, 3600, 120):
            level = sum(np.exp(-(((hz - formant) / 120) ** 2)) for formant in formants)
            sound += np.where(kinds == kind, level * np.sin(2 * np.pi * hz * at), 0.0)
    pcm = (np.clip(sound * loudness, -4, 4) * 4000).astype(np.int16)
    return np.where(pcm == 0, np.int16(1), pcm)


@contextlib.contextmanager
def running(tmp_path, *, face=True):
    settings = {
        "playback.sink": "wav",
        "playback.wav_path": str(tmp_path / "heard.wav"),
        "playback.rate_hz": "16000",
        # A busy machine may hold a process up for longer than a kiosk's buffer lasts; that is not the test's.
        "playback.buffer_ms": "400",
        "voice.listen": "[]",
        "face.width": "128",
        "face.height": "160",
        "face.fps": "25",
    }
    stack = Stack(tmp_path, settings=settings, face_arguments=("--trace", str(tmp_path / "trace.npz")))
    with BusProbe(tmp_path, MonotonicClock()) as probe:
        stack.start_voice()
        if face:
            stack.start_face()
            assert probe.wait_for_face(PATIENCE_S)
        try:
            yield stack, probe
        finally:
            stack.stop()


def wait_until(condition, what):
    done = threading.Event()
    for _ in range(PATIENCE_S * 50):
        if condition():
            return
        done.wait(0.02)
    pytest.fail(f"{what} did not happen")


def heard(tmp_path):
    with wave.open(str(tmp_path / "heard.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def assert_heard_whole(tmp_path, pcm):
    """The speech is in the file from its first to its last sample, in one piece."""
    sound = heard(tmp_path)
    start = int(np.argmax(sound != 0))
    assert np.array_equal(sound[start : start + len(pcm)], pcm)


def test_speech_comes_out_as_sound_and_a_moving_face(tmp_path):
    pcm = speechlike(2.0)
    with running(tmp_path) as (_, probe), connect(f"ipc://{tmp_path}/voice.sock") as agent:
        assert agent.say(pcm).played_ms == 2000.0
    assert_heard_whole(tmp_path, pcm)
    pictures = read_trace(tmp_path / "trace.npz")
    speaking = pictures.poses[pictures.media_ns > 0][:, SPEECH_INDICES]
    assert len(speaking) > 10
    assert speaking.max() > 0.1
    assert speaking.std(axis=0).max() > 0.02
    assert len(offsets_ms(pictures, probe.anchors)[1]) >= FEW_FRAMES


def test_a_face_killed_in_mid_sentence_costs_no_sample_and_rejoins_in_step(tmp_path):
    pcm = speechlike(16.0)
    with running(tmp_path) as (stack, probe), connect(f"ipc://{tmp_path}/voice.sock") as agent:
        turn = agent.turn()
        turn.write(pcm)
        turn.end()
        wait_until(lambda: any(a.media_ns > 1_000_000_000 for a in probe.anchors), "the sentence")
        stack.face.send_signal(signal.SIGKILL)
        stack.face.wait()
        known = len(probe.faces)
        stack.start_face()
        wait_until(lambda: len(probe.faces) > known + 1, "the second face")
        assert turn.wait().played_ms == 16000.0
    assert_heard_whole(tmp_path, pcm)
    assert probe.faces[-1].counters["joined_mid_turn"] == 1
    pictures = read_trace(tmp_path / "trace.npz")
    speaking = pictures.media_ns > 0
    assert speaking.sum() >= FEW_FRAMES
    assert pictures.poses[speaking][:, SPEECH_INDICES].std(axis=0).max() > 0.02


def test_a_face_that_hangs_costs_no_sample(tmp_path):
    pcm = speechlike(4.0)
    with running(tmp_path) as (stack, probe), connect(f"ipc://{tmp_path}/voice.sock") as agent:
        turn = agent.turn()
        turn.write(pcm)
        turn.end()
        wait_until(lambda: any(a.media_ns > 500_000_000 for a in probe.anchors), "the sentence")
        stack.face.send_signal(signal.SIGSTOP)
        assert turn.wait().played_ms == 4000.0
        stack.face.send_signal(signal.SIGCONT)
    assert_heard_whole(tmp_path, pcm)
    assert "audio_only" in {voice.level for voice in probe.voices}


def test_a_voice_that_restarts_is_rejoined(tmp_path):
    with running(tmp_path) as (stack, probe):
        stack.voice.send_signal(signal.SIGKILL)
        stack.voice.wait()
        known, epoch = len(probe.faces), probe.anchors[-1].epoch
        stack.start_voice()
        wait_until(lambda: len(probe.faces) > known, "the face's return")
        assert probe.anchors[-1].epoch > epoch
        with connect(f"ipc://{tmp_path}/voice.sock") as agent:
            assert agent.say(speechlike(1.5)).reason == "played"
    pictures = read_trace(tmp_path / "trace.npz")
    assert pictures.poses[pictures.media_ns > 0][:, SPEECH_INDICES].std(axis=0).max() > 0.02


def test_a_voice_without_a_face_speaks(tmp_path):
    pcm = speechlike(1.0)
    with running(tmp_path, face=False), connect(f"ipc://{tmp_path}/voice.sock") as agent:
        assert agent.say(pcm).played_ms == 1000.0
    assert_heard_whole(tmp_path, pcm)


def test_both_stop_with_exit_code_zero(tmp_path):
    with running(tmp_path) as (stack, _):
        pass
    assert (stack.voice.returncode, stack.face.returncode) == (0, 0)


def test_an_observer_sees_the_face(tmp_path):
    with running(tmp_path), RawClient(f"ipc://{tmp_path}/voice.sock") as observer:
        observer.send(wire.Hello(protocol=1, client="eye", role="observer"))
        observer.receive(wire.Welcome)
        observer.send(wire.GetThumbnail(width=64))
        seen = observer.receive(wire.Thumbnail)
    picture = pygame.surfarray.array3d(pygame.image.load(io.BytesIO(seen.data), "face.jpg"))
    assert picture.shape == (seen.width, seen.height, 3)
    assert picture.std() > 15
