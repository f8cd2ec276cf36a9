"""Turns that come as Opus packets."""

import numpy as np
import pytest

from mien.audio.opus import OpusEncoder
from mien.core import wire
from rigs.voice_rig import VoiceRig, tone

pytestmark = pytest.mark.usefixtures("any_device")


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(encoding="opus")
    rig.step(50)
    return rig


def send(rig, packets, turn="t"):
    for seq, packet in enumerate(packets):
        rig.say(wire.Audio(turn=turn, seq=seq), packet)
    rig.say(wire.End(turn=turn))


def test_an_opus_turn_is_heard_as_what_was_encoded(rig):
    speech, encoder = tone(1000), OpusEncoder(16000)
    packets = encoder.encode_all(speech)
    send(rig, packets)
    rig.step(1300)
    assert rig.got(wire.Finished)[0].played_ms == 20.0 * len(packets)
    heard = rig.sink.pcm.astype(float)
    best = max(np.corrcoef(heard[at : at + 8000], speech[4000:12000])[0, 1] for at in range(4000, 7000, 1))
    assert best > 0.99
    assert rig.counters["audio_bytes_opus"] < 4000
    assert "opus" in rig.got(wire.Welcome)[0].encodings


def test_a_bad_packet_is_refused_and_its_place_may_be_taken_by_a_good_one(rig):
    packets = OpusEncoder(16000).encode_all(tone(100))
    rig.say(wire.Audio(turn="t", seq=0), packets[0])
    rig.say(wire.Audio(turn="t", seq=1), b"\xff\xff")
    rig.say(wire.Audio(turn="t", seq=1), b"")
    rig.say(wire.Audio(turn="t", seq=1), bytes(5000))
    assert rig.errors() == ["bad_packet", "bad_packet", "chunk_too_large"]
    error = rig.got(wire.Error)[0]
    assert (error.turn, error.seq) == ("t", 1)
    rig.say(wire.Audio(turn="t", seq=1), packets[1])
    rig.say(wire.End(turn="t"))
    rig.step(200)
    assert rig.got(wire.Finished)[0].played_ms == 40.0


def test_credit_counts_what_a_packet_holds_not_its_bytes(rig):
    packet = OpusEncoder(16000).encode(tone(20))
    rig.say(wire.Pause())
    for seq in range(3010):
        rig.say(wire.Audio(turn="t", seq=seq), packet)
    assert rig.errors()[0] == "buffer_full"
    assert rig.got(wire.Error)[0].seq == 3000


def test_opus_has_fewer_rates():
    rig = VoiceRig()
    rig.hello(encoding="opus", rate_hz=22050)
    assert rig.errors() == ["unsupported_rate"]
