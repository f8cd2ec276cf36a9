"""Poses and heard speech for subscribers: who gets what, what a slow one loses, and that nobody pays for it unasked."""

import numpy as np
import pytest

from mien.audio.opus import OpusDecoder
from mien.core import bus, wire
from mien.core.pose_frames import MAX_BATCH_BYTES
from rigs.card_sink import CardSink
from rigs.voice_rig import VoiceRig, tone

EYE, EAR = b"eye", b"ear"
BLOCK_NS = 20_000_000


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    for client in (EYE, EAR):
        rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=client)
    rig.step(50)
    return rig


def subscribe(rig, *topics, client=EYE, encoding="s16le"):
    rig.say(wire.Subscribe(topics=topics, encoding=encoding), client=client)


def orders(rig):
    return [m.wanted for m in rig.published if isinstance(m, bus.PoseOrders)]


def batch(seq=0, *, key=True, frames=b"frames"):
    return bus.PoseBatch(epoch=1, seq=seq, at_ns=5 + seq, key=key, frames=frames)


def given(rig, kind, client=EYE):
    return [(m, payload) for owner, m, payload in rig.sounds if owner == client and isinstance(m, kind)]


class TestPoses:
    def test_the_face_is_told_when_somebody_watches_and_when_nobody_does(self, rig):
        assert orders(rig) == []
        subscribe(rig, "poses")
        subscribe(rig, "poses", client=EAR)
        assert orders(rig) == [True, True]  # again: the second one needs a key batch too
        subscribe(rig)
        assert orders(rig) == [True, True]
        rig.voice.left(EAR)
        assert orders(rig) == [True, True, False]

    def test_a_face_that_joins_is_told(self, rig):
        rig.voice.joined()
        subscribe(rig, "poses")
        rig.voice.joined()
        assert orders(rig) == [False, True, True]

    def test_they_are_passed_on_as_they_are(self, rig):
        subscribe(rig, "poses")
        rig.voice.report(bus.encode(batch(7, key=False)))
        assert given(rig, wire.Poses) == [(wire.Poses(seq=7, at_ns=12, key=False), b"frames")]
        assert given(rig, wire.Poses, EAR) == []

    def test_who_does_not_read_loses_some_and_is_told_how_many(self, rig):
        subscribe(rig, "poses")
        rig.full.add(EYE)
        for seq in range(3):
            rig.voice.report(bus.encode(batch(seq)))
        rig.full.clear()
        rig.voice.report(bus.encode(batch(3)))
        assert [m.dropped for m, _ in given(rig, wire.Poses)] == [3]
        assert rig.counters["live_dropped"] == 3

    @pytest.mark.parametrize("frames", [b"", bytes(MAX_BATCH_BYTES + 1)])
    def test_what_no_batch_can_hold_is_not_passed_on(self, rig, frames):
        subscribe(rig, "poses")
        rig.voice.report(bus.encode(batch(frames=frames)))
        assert given(rig, wire.Poses) == []
        assert rig.counters["poses_refused"] == 1

    def test_a_hello_ends_it(self, rig):
        subscribe(rig, "poses", "heard")
        rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=EYE)
        assert orders(rig)[-1] is False
        assert not rig.voice.far_end.on

    def test_a_speaker_may_not(self, rig):
        subscribe(rig, "poses", client=b"a")
        assert rig.errors(b"a") == ["not_allowed"]


class TestHeard:
    def test_nothing_is_tapped_until_somebody_subscribes_nor_after(self, rig):
        assert rig.playback.device.tap is None
        subscribe(rig, "heard")
        assert rig.playback.device.tap is not None
        subscribe(rig, "captions")
        assert rig.playback.device.tap is None

    def test_it_is_the_speech_and_not_the_silence_around_it(self, rig):
        subscribe(rig, "heard")
        rig.step(500)
        rig.speak(pcm=tone(400))
        rig.step(1000)
        rig.speak("u", pcm=tone(200))
        rig.step(1000)
        told = given(rig, wire.Heard)
        begun = [number for number, (m, _) in enumerate(told) if m.first]
        ended = [number for number, (m, _) in enumerate(told) if m.last]
        assert (len(begun), len(ended)) == (2, 2)
        assert begun == [0, ended[0] + 1]
        assert [m.seq for m, _ in told] == list(range(1, len(told) + 1))
        assert all(len(pcm) == 640 for _, pcm in told)
        assert 20 <= ended[0] <= 27  # 400 ms, 100 ms of silence, two blocks that begin or end within
        whole = np.frombuffer(b"".join(pcm for _, pcm in told), "<i2")
        assert np.count_nonzero(whole) == pytest.approx(np.count_nonzero(rig.sink.pcm), abs=3)

    def test_each_block_says_when_it_is_heard(self):
        rig = VoiceRig(device=lambda *device: CardSink(*device, step_ms=1, period_ms=1))
        rig.hello()
        rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=EYE)
        subscribe(rig, "heard")
        rig.step(500)
        rig.speak(pcm=tone(400))
        rig.step(700)
        told = [m.at_ns for m, _ in given(rig, wire.Heard)]
        assert np.diff(told) == pytest.approx(BLOCK_NS, abs=1e6)
        first = int(np.flatnonzero(rig.sink.pcm)[0])
        assert told[0] == pytest.approx(rig.sink.heard_at_ns(first), abs=BLOCK_NS + 1e6)

    def test_opus_is_decoded_to_what_was_said_and_each_subscriber_has_its_encoding(self, rig):
        subscribe(rig, "heard", encoding="opus")
        subscribe(rig, "heard", client=EAR)
        rig.step(200)
        rig.speak(pcm=tone(600))
        rig.step(1000)
        opus, pcm = given(rig, wire.Heard), given(rig, wire.Heard, EAR)
        assert len(opus) == len(pcm)
        decoder = OpusDecoder(16000)
        decoded = np.concatenate([decoder.decode(packet) for _, packet in opus]).astype(float)
        said = np.frombuffer(b"".join(block for _, block in pcm), "<i2").astype(float)
        lag = np.correlate(decoded, said[:-400], "valid").argmax()
        assert lag / 16 == pytest.approx(6.5, abs=4)
        assert np.corrcoef(decoded[lag : lag + 9000], said[:9000])[0, 1] > 0.9

    def test_who_joins_in_mid_speech_begins_with_a_new_decoder(self, rig):
        subscribe(rig, "heard", encoding="opus")
        rig.speak(pcm=tone(600))
        rig.step(300)
        subscribe(rig, "heard", client=EAR, encoding="opus")
        rig.step(300)
        assert [m.first for m, _ in given(rig, wire.Heard, EAR)][:3] == [True, False, False]
        assert sum(m.first for m, _ in given(rig, wire.Heard)) == 1

    def test_a_device_that_runs_dry_does_not_end_the_stretch(self, rig):
        subscribe(rig, "heard", encoding="opus")
        rig.speak(ms=900)
        rig.step(300)
        rig.clock.advance_ms(120)  # longer than the device's buffer
        rig.step(1200)
        told = [m for m, _ in given(rig, wire.Heard)]
        assert rig.counters["sink_underruns"] >= 1
        assert [m.first for m in told] == [True, *[False] * (len(told) - 1)]
        assert max(np.diff([m.at_ns for m in told])) > 50e6
        assert [m.last for m in told] == [*[False] * (len(told) - 1), True]

    def test_another_topic_beside_it_does_not_cut_it(self, rig):
        subscribe(rig, "heard", encoding="opus")
        rig.speak(pcm=tone(600))
        rig.step(300)
        subscribe(rig, "heard", "poses", encoding="opus")
        rig.step(600)
        assert sum(m.first for m, _ in given(rig, wire.Heard)) == 1

    def test_an_unknown_encoding_is_refused_and_changes_nothing(self, rig):
        subscribe(rig, "poses")
        subscribe(rig, "heard", encoding="mp3")
        assert rig.errors(EYE) == ["unsupported_encoding"]
        rig.voice.report(bus.encode(batch()))
        assert given(rig, wire.Poses)

    def test_with_an_ear_both_get_it_and_the_ear_goes_on_alone(self, rig):
        rig.ear_health()
        subscribe(rig, "heard")
        rig.speak(pcm=tone(300))
        rig.step(600)
        streams = {m.stream for m, *_ in rig.far()}
        assert len(streams) == 1
        assert given(rig, wire.Heard)
        rig.voice.left(EYE)
        told, heard = len(rig.far()), len(rig.sounds)
        rig.speak("u", pcm=tone(300))
        rig.step(600)
        assert len(rig.far()) > told
        assert len(rig.sounds) == heard

    def test_without_an_ear_none_is_sent_to_its_bus(self, rig):
        subscribe(rig, "heard")
        rig.speak(pcm=tone(300))
        rig.step(600)
        assert rig.far() == []

    def test_a_slow_one_loses_sound(self, rig):
        subscribe(rig, "heard")
        rig.full.add(EYE)
        rig.speak(pcm=tone(300))
        rig.step(600)
        rig.full.clear()
        rig.speak("u", pcm=tone(300))
        rig.step(600)
        first, _ = given(rig, wire.Heard)[0]
        assert first.dropped == first.seq - 1 > 10


def test_numbers_of_an_impostor_reach_nobody_but_those_who_watch():
    """Whatever a report on the bus holds, the voice goes on."""
    rig = VoiceRig()
    rig.say(wire.Hello(protocol=1, role="observer"), client=EYE)
    subscribe(rig, "poses")
    for seq, at_ns in ((2**64 - 1, -1), (-1, 2**63), (-(2**63), 0)):
        rig.voice.report(bus.encode(bus.PoseBatch(epoch=0, seq=seq, at_ns=at_ns, key=True, frames=b"x")))
    assert [wire.decode_voice(wire.encode(m)).seq for m, _ in given(rig, wire.Poses)] == [2**64 - 1, -1, -(2**63)]
