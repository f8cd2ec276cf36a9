"""Messages with seconds of speech in each: nothing else waits for them, and nothing about their turns is different."""

from unittest.mock import Mock

import numpy as np
import pytest

from mien.audio.resample import Resampler
from mien.config import VoiceConfig
from mien.core import bus, wire
from mien.core.wire import MAX_CHUNK_BYTES
from mien.errors import SinkError
from rigs.voice_rig import VoiceRig, tone

pytestmark = pytest.mark.usefixtures("any_device")

BUFFER_MS = 25
SLICE_MS = 20
MESSAGES_A_STEP = 10
STEP_WORK_MS = BUFFER_MS + 20 * MESSAGES_A_STEP + 2 * SLICE_MS
"""The most speech that one step resamples: the device's buffer, the face's blocks, and what each leaves of a slice."""


@pytest.fixture
def work_ms(monkeypatch):
    """The speech that was resampled since it was last cleared, in ms, a piece an item."""
    pieces = []
    push = Resampler.push

    def counted(self, pcm):
        pieces.append(len(pcm) * 1000 / self.from_hz)
        return push(self, pcm)

    monkeypatch.setattr(Resampler, "push", counted)
    return pieces


def open_rig(client_hz):
    rig = VoiceRig(rate_hz=48000, buffer_ms=BUFFER_MS)
    rig.hello(rate_hz=client_hz)
    rig.step(50)
    return rig


@pytest.mark.parametrize("client_hz", [8000, 16000, 24000])
def test_no_step_resamples_more_than_the_device_and_the_face_take_in_it(work_ms, client_hz):
    rig = open_rig(client_hz)
    whole_ms = MAX_CHUNK_BYTES // 2 * 1000 // client_hz
    rig.audio(pcm=tone(whole_ms, client_hz))
    rig.say(wire.End(turn="t"))
    assert work_ms == []
    while not rig.got(wire.Finished):
        work_ms.clear()
        rig.step(5)
        assert sum(work_ms) <= STEP_WORK_MS
    assert rig.got(wire.Finished)[0].played_ms == whole_ms
    assert rig.got(wire.Started)[0].latency_ms <= BUFFER_MS


@pytest.mark.parametrize("client_hz", [16000, 22050, 24000, 48000])
def test_one_message_sounds_and_moves_as_many_do(client_hz):
    pcm = tone(1900, client_hz)
    told = []
    for size in (len(pcm), client_hz // 50):
        rig = open_rig(client_hz)
        for seq, at in enumerate(range(0, len(pcm), size)):
            rig.audio("t", seq, pcm[at : at + size])
        rig.say(wire.End(turn="t"))
        anchors = []
        for _ in range(450):
            rig.step(5)
            anchors.append(rig.playback.anchor())
        sent = [message for _, message in rig.sent if not isinstance(message, wire.Welcome)]
        told.append((rig.sink.pcm.tobytes(), rig.speech, sent, anchors))
    assert told[0] == told[1]


def test_figures_of_credit_and_buffer_count_what_is_not_resampled_yet():
    rig = open_rig(16000)
    rig.audio(ms=5000)
    limit_ms = VoiceConfig().max_buffer_ms
    assert rig.queue.credit_ms(b"a") == limit_ms - 5000
    rig.sent.clear()
    rig.step(1000)
    for progress in rig.got(wire.Progress):
        assert progress.played_ms + progress.buffered_ms == pytest.approx(5000, abs=0.01)
        assert progress.credit_ms == pytest.approx(limit_ms - progress.buffered_ms, abs=0.01)
    assert rig.playback.anchor().until_ns == 4_998_000_000  # the filter's lookahead is missing: the turn may go on
    rig.say(wire.End(turn="t"))
    rig.step(5)
    assert rig.playback.anchor().until_ns == 5_000_000_000


def test_barge_in_into_a_long_message_never_resamples_its_rest(work_ms):
    rig = open_rig(16000)
    rig.audio(ms=5000)
    rig.step(300)
    work_ms.clear()
    rig.say(wire.Interrupt())
    rig.step(200)
    assert sum(work_ms) <= SLICE_MS  # of the fade-out
    finished = rig.got(wire.Finished)[0]
    assert (finished.reason, finished.interrupted) == ("interrupted", True)
    assert 250 < finished.played_ms < 340
    assert rig.queue.credit_ms(b"a") == VoiceConfig().max_buffer_ms
    rig.audio("next", ms=200)
    rig.say(wire.End(turn="next"))
    rig.step(400)
    assert (rig.got(wire.Finished)[1].turn, rig.got(wire.Finished)[1].played_ms) == ("next", 200.0)
    assert rig.got(wire.Started)[1].latency_ms <= BUFFER_MS


def test_the_next_turn_follows_a_long_message_without_a_gap():
    rig = open_rig(16000)
    rig.audio("one", pcm=tone(1000))
    rig.say(wire.End(turn="one"))
    rig.audio("two", pcm=tone(400))
    rig.say(wire.End(turn="two"))
    rig.step(5)
    assert [turn.playout.start_frame for turn in rig.queue.turns] == [0, 48000]
    rig.step(1600)
    assert len(np.trim_zeros(rig.sink.pcm)) == pytest.approx(48 * 1400, abs=300)  # and the decay to silence
    assert [m.played_ms for m in rig.got(wire.Finished)] == [1000.0, 400.0]


def test_a_burst_reaches_the_face_in_short_steps_and_at_once():
    rig = open_rig(16000)
    rig.audio(ms=5000)
    counts = []
    for _ in range(8):
        rig.speech.clear()
        rig.step(5)
        counts.append(sum(isinstance(message, bus.Speech) for message, _ in rig.speech))
    assert counts[0] > 0
    assert max(counts) <= MESSAGES_A_STEP
    assert 50 <= sum(counts) <= 54  # a second ahead of the playhead


def test_a_turn_that_the_card_took_with_it_was_not_played():
    rig = open_rig(16000)
    rig.audio(ms=5)
    rig.say(wire.End(turn="t"))
    rig.sink.write = Mock(side_effect=SinkError("gone"))
    rig.step(5)
    assert rig.voice.sinks.state == "lost"
    rig.step(100)
    assert [(m.played_ms, m.reason) for m in rig.got(wire.Finished)] == [(0.0, "sink_lost")]
