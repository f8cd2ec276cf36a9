"""mien-voice as a process, an ear on its bus that does what the test says, and what a listener hears of both."""

import json
import signal
import wave

import numpy as np
import pytest

from mien.client import BargeIn, Ear, NearEnd, UserStarted, UserStopped, connect
from mien.host.stack import Stack
from rigs.fake_ear import FakeEar

PATIENCE_S = 60


@pytest.fixture
def kiosk(tmp_path):
    """A voice with barge-in; its sound goes to heard.wav."""
    settings = {
        "playback.sink": "wav",
        "playback.wav_path": str(tmp_path / "heard.wav"),
        "playback.rate_hz": "16000",
        "playback.buffer_ms": "400",  # a busy machine may hold a process up for longer than a kiosk's lasts
        "voice.listen": "[]",
        "barge_in.mode": "pause",
        "barge_in.window_ms": "10000",
        "journal.enabled": "true",
        "journal.folder": str(tmp_path / "log"),
    }
    stack = Stack(tmp_path, settings=settings)
    stack.start_voice()
    try:
        yield stack
    finally:
        stack.stop()


def connected(run_dir, **arguments):
    return connect(f"ipc://{run_dir}/voice.sock", timeout_s=PATIENCE_S, **arguments)


def heard(tmp_path):
    with wave.open(str(tmp_path / "heard.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def speech(seconds):
    """Loud noise without a zero, so that no sample is missed."""
    pcm = np.random.default_rng(5).integers(-9000, 9000, int(16000 * seconds)).astype(np.int16)
    return np.where(pcm == 0, np.int16(1), pcm)


def until(events, kind, **fields):
    """The next event of a kind with these fields."""
    for event in events:
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
            return event
    raise AssertionError(f"no {kind.__name__} with {fields}")


def test_a_customer_is_heard_barges_in_and_is_declined_without_a_lost_sample(tmp_path, kiosk):
    pcm = speech(5.0)
    with FakeEar(tmp_path) as ear, connected(tmp_path, name="bot") as bot, connected(tmp_path, name="asr") as asr:
        listening = asr.listen()
        if next(listening).state == "absent":
            until(listening, Ear, state="ok")
        turn = bot.turn("t")
        turn.write(pcm)
        turn.end()
        ear.until(lambda: turn.played_ms > 1000)
        ear.start(ago_ms=100)
        ear.block(b"\x01\x02" * 320)
        assert [type(next(listening)) for _ in range(2)] == [UserStarted, BargeIn]
        paused = until(bot.events(), BargeIn, action="paused")
        assert 0 < paused.heard_ms < 5000
        ear.stop()
        assert until(listening, NearEnd).data == b"\x01\x02" * 320
        assert until(listening, UserStopped).utterance == 1
        bot.resume()
        assert until(bot.events(), BargeIn).action == "resumed"
        finished = turn.wait()
        assert (finished.played_ms, finished.reason, finished.barge_in_ms) == (5000.0, "played", None)
        ear.until(lambda: sum(bool(payload) for _, payload in ear.far) > 200)
    kiosk.stop()
    sound = heard(tmp_path)
    start = int(np.argmax(sound != 0))
    first = int(np.argmax(sound[start : start + len(pcm)] != pcm))  # where it is ducked
    end = int(np.flatnonzero(sound)[-1]) + 1
    assert first > 16000 * 0.9
    tail = 16000 * 2
    decay = 81  # of the last sample, 5 ms; its own end may round to 0
    assert any(np.array_equal(sound[end - back - tail : end - back], pcm[-tail:]) for back in range(decay))
    lines = [json.loads(line) for path in (tmp_path / "log").rglob("*.jsonl") for line in path.read_text().splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds.count("user_started") == kinds.count("user_stopped") == 1
    assert {"listen", "barge_in"} <= set(kinds)
    assert "near_end" not in kinds


@pytest.mark.usefixtures("kiosk")
def test_what_the_speaker_plays_reaches_the_ear_in_time_and_whole(tmp_path):
    pcm = speech(2.0)
    with FakeEar(tmp_path) as ear, connected(tmp_path) as bot:
        ear.until(lambda: ear.far)
        assert bot.say(pcm).played_ms == 2000.0
        ear.until(lambda: not ear.far[-1][1])
        stream = ear.far[-1][0].stream
        blocks = [np.frombuffer(payload or bytes(2 * m.frames), "<i2") for m, payload in ear.far if m.stream == stream]
        at_ns = [message.at_ns - message.offset * 62_500 for message, _ in ear.far if message.stream == stream]
    far = np.concatenate(blocks)
    start = int(np.flatnonzero(far)[0])
    assert np.array_equal(far[start : start + len(pcm)], pcm)
    assert max(at_ns[20:]) - min(at_ns[20:]) < 20e6


def test_an_ear_that_dies_and_returns_costs_no_sample_and_nobody_waits_for_it(tmp_path, kiosk):
    pcm = speech(8.0)
    with connected(tmp_path, name="bot") as bot, connected(tmp_path, name="asr") as asr:
        turn = bot.turn()
        turn.write(pcm)
        turn.end()
        listening = asr.listen("always")
        assert next(listening).state == "absent"
        with FakeEar(tmp_path) as ear:
            until(listening, Ear, state="ok")
            ear.until(lambda: ear.orders.always)
        until(listening, Ear, state="absent")
        with FakeEar(tmp_path) as ear:
            until(listening, Ear, state="ok")
            ear.until(lambda: ear.orders.always)
        assert turn.wait().played_ms == 8000.0
    kiosk.stop()
    sound = heard(tmp_path)
    start = int(np.argmax(sound != 0))
    assert np.array_equal(sound[start : start + len(pcm)], pcm)


def test_a_voice_that_restarts_listens_to_the_same_ear(tmp_path, kiosk):
    with FakeEar(tmp_path) as ear, connected(tmp_path) as asr:
        listening = asr.listen()
        if next(listening).state == "absent":
            until(listening, Ear, state="ok")
        asr.mute()
        ear.until(lambda: ear.orders.muted)
        ear.until(lambda: ear.far)
        first = {message.stream for message, _ in ear.far}
        kiosk.voice.send_signal(signal.SIGKILL)
        kiosk.voice.wait()
        kiosk.start_voice()
        ear.orders = None
        ear.until(lambda: ear.orders and ear.orders.muted and ear.orders.encodings)
        until(listening, Ear, state="muted")
        ear.until(lambda: ear.far[-1][0].stream > max(first))
