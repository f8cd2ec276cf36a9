"""Bad input: each kind gets a clear error, is counted, and disturbs nothing else."""

import msgspec
import pytest

from mien.config import VoiceConfig
from mien.core import bus, wire
from mien.voice.turn_queue import REMEMBERED_TURNS
from rigs.voice_rig import VoiceRig, tone


def raw(rig, header, *payload, client=b"a"):
    rig.handler.handle(client, [header, *payload])


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    return rig


def undisturbed(rig):
    """A turn after the mishap is heard whole."""
    rig.speak("after", ms=100)
    rig.step(400)
    return rig.got(wire.Finished)[-1].turn == "after" and rig.got(wire.Finished)[-1].played_ms == 100.0


def test_welcome_tells_the_limits(rig):
    welcome = rig.got(wire.Welcome)[0]
    assert welcome.protocol == 1
    assert welcome.limits.max_buffer_ms == VoiceConfig().max_buffer_ms


def test_a_newer_protocol_is_refused_with_those_that_are_spoken():
    rig = VoiceRig()
    rig.say(wire.Hello(protocol=2))
    error = rig.got(wire.Error)[0]
    assert (error.code, error.protocols, error.retryable) == ("protocol_version", (1,), False)
    rig.audio()
    assert rig.errors() == ["protocol_version", "no_hello"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02",
        msgspec.msgpack.encode({"type": "audio"}),
        msgspec.msgpack.encode({"turn": "t"}),
        wire.encode(wire.Audio(turn="t", seq=0))[:-3],
        msgspec.msgpack.encode({"type": "audio", "turn": "t", "seq": -1}),
        msgspec.msgpack.encode({"type": "audio", "turn": "", "seq": 0}),
        msgspec.msgpack.encode({"type": 7}),
    ],
)
def test_malformed_and_truncated_headers(rig, header):
    raw(rig, header, b"\0\0")
    assert rig.errors() == ["malformed"]
    assert rig.counters["refused_malformed"] == 1
    assert undisturbed(rig)


def test_no_frame_at_all(rig):
    rig.handler.handle(b"a", [])
    assert rig.errors() == ["malformed"]


def test_unknown_message_and_unknown_field(rig):
    raw(rig, msgspec.msgpack.encode({"type": "dance"}))
    assert rig.errors() == ["unknown_message"]
    raw(rig, msgspec.msgpack.encode({"type": "ping", "nonce": 3, "colour": "red"}))
    assert rig.got(wire.Pong)[0].nonce == 3


def test_odd_bytes(rig):
    raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), b"\0\0\0")
    assert rig.errors() == ["odd_bytes"]
    assert undisturbed(rig)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"rate_hz": 44000}, "unsupported_rate"),
        ({"rate_hz": 0}, "unsupported_rate"),
        ({"encoding": "mp3"}, "unsupported_encoding"),
    ],
)
def test_undeclarable_audio(fields, code):
    rig = VoiceRig()
    rig.hello(**fields)
    assert rig.errors() == [code]
    assert not rig.got(wire.Welcome)


def test_audio_without_hello():
    rig = VoiceRig()
    rig.audio()
    error = rig.got(wire.Error)[0]
    assert (error.code, error.turn, error.seq) == ("no_hello", "t", 0)


def test_missing_and_unexpected_payloads(rig):
    raw(rig, wire.encode(wire.Audio(turn="t", seq=0)))
    raw(rig, wire.encode(wire.End(turn="t")), b"\0\0")
    raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), b"\0\0", b"\0\0")
    assert rig.errors() == ["missing_payload", "unexpected_payload", "missing_payload"]
    assert undisturbed(rig)


def test_sequence_numbers(rig):
    rig.audio(seq=0)
    rig.audio(seq=0)
    rig.audio(seq=2)
    rig.audio(seq=1)
    rig.audio("new", seq=5)
    assert rig.errors() == ["repeated", "out_of_order", "out_of_order"]
    rig.say(wire.End(turn="t"))
    rig.step(300)
    assert rig.got(wire.Finished)[0].played_ms == 40.0


def test_an_absurd_turn_length():
    rig = VoiceRig(voice=VoiceConfig(max_turn_ms=1000))
    rig.hello()
    rig.speak("long", ms=1200, end=False)
    assert set(rig.errors()) == {"turn_too_long", "out_of_order"}
    rig.say(wire.End(turn="long"))
    rig.step(1300)
    assert rig.got(wire.Finished)[0].played_ms == 1000.0


class TestEndBehindARefusedFirstChunk:
    """No finished comes for a turn that was refused at its first chunk, whatever the reason and whatever follows."""

    def refused(self, rig, code, turn="t"):
        rig.say(wire.End(turn=turn))
        rig.step(300)
        assert rig.errors() == [code, "unknown_turn"]
        assert "first chunk was refused" in rig.got(wire.Error)[-1].message
        assert rig.got(wire.Error)[-1].turn == turn
        assert rig.got(wire.Finished) == []
        assert not rig.queue.turns

    def test_odd_bytes(self, rig):
        raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), b"\0")
        self.refused(rig, "odd_bytes")

    def test_no_payload(self, rig):
        raw(rig, wire.encode(wire.Audio(turn="t", seq=0)))
        self.refused(rig, "missing_payload")

    def test_too_large(self, rig):
        raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), bytes(wire.MAX_CHUNK_BYTES + 2))
        self.refused(rig, "chunk_too_large")

    def test_a_wrong_number(self, rig):
        rig.audio("t", seq=1)
        self.refused(rig, "out_of_order")

    def test_the_floor_is_taken(self, rig):
        rig.hello(client=b"b")
        rig.speak("theirs", ms=100, client=b"b")
        rig.audio("t")
        rig.step(300)  # the floor is free again when `end` comes
        self.refused(rig, "floor_taken")

    def test_no_room(self):
        rig = VoiceRig(voice=VoiceConfig(max_buffer_ms=200))
        rig.hello()
        rig.audio("t", ms=300)
        self.refused(rig, "buffer_full")

    def test_over_the_rate_told_or_not(self):
        rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=10))
        rig.hello()
        for _ in range(19):
            rig.say(wire.Ping())
        for again in range(20):
            rig.audio(f"t{again}")
        rig.step(2000)
        told = rig.errors().count("rate_limited")
        assert 5 <= told <= 10
        for turn in ("t0", "t19"):
            rig.say(wire.End(turn=turn))
        rig.step(300)
        assert rig.errors()[told:] == ["unknown_turn", "unknown_turn"]
        assert rig.got(wire.Finished) == []

    def test_until_the_chunk_is_taken(self, rig):
        raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), b"\0")
        rig.audio("t", ms=100)
        rig.say(wire.End(turn="t"))
        rig.step(300)
        assert [m.played_ms for m in rig.got(wire.Finished)] == [100.0]
        rig.say(wire.End(turn="t"))
        assert rig.errors() == ["odd_bytes"]
        assert not rig.queue._unbegun[b"a"]

    def test_a_turn_without_any_audio_may_be_ended_still(self, rig):
        raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), b"\0")
        rig.say(wire.End(turn="silent"))
        rig.step(100)
        assert [(m.turn, m.played_ms, m.reason) for m in rig.got(wire.Finished)] == [("silent", 0.0, "played")]

    def test_a_later_refusal_leaves_the_turn_as_it_was(self, rig):
        rig.audio("t", ms=100)
        raw(rig, wire.encode(wire.Audio(turn="t", seq=1)), b"\0")
        rig.say(wire.End(turn="t"))
        rig.step(300)
        assert [m.played_ms for m in rig.got(wire.Finished)] == [100.0]
        raw(rig, wire.encode(wire.Audio(turn="t", seq=2)), b"\0")
        assert rig.queue._unbegun == {}  # for neither chunk: the turn had begun, and then was over

    def test_is_another_clients_own_affair(self, rig):
        raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), b"\0")
        rig.hello(client=b"b")
        rig.say(wire.End(turn="t"), client=b"b")
        rig.step(100)
        assert [m.turn for m in rig.got(wire.Finished, b"b")] == ["t"]

    def test_the_names_are_bounded_and_the_newest_are_kept(self, rig):
        for number in range(5000):
            rig.audio(f"t{number}", seq=1)
            if number % 20 == 0:
                rig.step(5)
        rig.say(wire.End(turn="t4999"))
        assert rig.errors()[-1] == "unknown_turn"
        assert sum(map(len, rig.queue._unbegun.values())) == REMEMBERED_TURNS
        rig.voice.left(b"a")
        assert not rig.queue._unbegun


def test_a_chunk_beyond_the_limit(rig):
    raw(rig, wire.encode(wire.Audio(turn="t", seq=0)), bytes(wire.MAX_CHUNK_BYTES + 2))
    assert rig.errors() == ["chunk_too_large"]


def test_back_pressure_refuses_and_takes_the_same_chunk_later():
    rig = VoiceRig(voice=VoiceConfig(max_buffer_ms=200))
    rig.hello()
    rig.speak("t", ms=200, end=False)
    rig.audio("t", seq=10)
    error = rig.got(wire.Error)[0]
    assert (error.code, error.retryable, error.seq) == ("buffer_full", True, 10)
    rig.step(100)
    assert rig.got(wire.Progress)[-1].credit_ms < 200
    rig.audio("t", seq=10)
    rig.say(wire.End(turn="t"))
    rig.step(300)
    assert len(rig.errors()) == 1
    assert rig.got(wire.Finished)[0].played_ms == 220.0


def test_a_vanished_client_is_spoken_out_and_gives_the_floor_back(rig):
    rig.speak("t", ms=200, end=False)
    rig.handler.leave(b"a")
    rig.step(400)
    finished = rig.got(wire.Finished)[0]
    assert (finished.reason, finished.played_ms) == ("client_gone", 200.0)
    rig.hello(client=b"b")
    rig.audio("t", client=b"b")
    assert rig.errors(b"b") == []


def test_a_second_client_is_told_that_the_floor_is_taken(rig):
    rig.hello(client=b"b")
    rig.speak("t", ms=100)
    rig.audio("mine", client=b"b")
    error = rig.got(wire.Error, b"b")[0]
    assert (error.code, error.retryable) == ("floor_taken", True)
    rig.step(300)
    assert rig.got(wire.Finished)[0].played_ms == 100.0
    rig.speak("mine", ms=100, client=b"b")
    rig.step(300)
    assert rig.got(wire.Finished, b"b")[0].played_ms == 100.0


def test_a_stalled_client_is_timed_out(rig):
    rig.audio()
    rig.step(VoiceConfig().turn_idle_timeout_ms + 500)
    assert rig.got(wire.Finished)[0].reason == "idle_timeout"


def test_too_many_clients_and_turns():
    rig = VoiceRig(voice=VoiceConfig(max_clients=1, max_turns=2))
    rig.hello()
    rig.hello(client=b"b")
    assert rig.errors(b"b") == ["too_many_clients"]
    for name in ("one", "two", "three"):
        rig.audio(name)
    assert rig.errors() == ["too_many_turns"]


def test_a_name_is_used_once_and_interrupting_the_unknown_is_an_error(rig):
    rig.speak("t", ms=60)
    rig.step(300)
    rig.audio("t")
    rig.say(wire.Interrupt(turn="nobody"))
    rig.say(wire.Interrupt(turn="t"))
    assert rig.errors() == ["turn_closed", "unknown_turn"]
    assert rig.got(wire.Interrupted)[-1].turns == ()


def test_expression_goes_to_the_bus_whole(rig):
    rig.say(wire.State(state="listening"))
    rig.say(wire.Emotion(name="happy", intensity=0.5))
    rig.say(wire.LookAt(x=0.5, y=-0.5))
    rig.say(wire.Gesture(name="nod"))
    last = [m for m in rig.published if isinstance(m, bus.Expression)][-1]
    assert (last.state, last.emotion, last.intensity, last.look_x) == ("listening", "happy", 0.5, 0.5)
    assert isinstance(rig.published[-1], bus.GestureCue)


def test_speech_is_published_at_most_a_second_ahead(rig):
    rig.speak(ms=4000)
    rig.step(500)
    newest = max(m.offset for m, _ in rig.speech if isinstance(m, bus.Speech))
    assert 1.0 <= newest / 16000 - rig.playback.media_ns / 1e9 + 0.02 <= 1.05
    rig.step(4000)
    total = b"".join(payload[0] for m, payload in rig.speech if isinstance(m, bus.Speech))
    assert total == tone(4000).tobytes()
    end = [m for m, _ in rig.speech if isinstance(m, bus.TurnEnd)]
    assert [(m.frames, m.end_ns) for m in end] == [(64000, 4_000_000_000)]


def test_a_late_joiner_is_replayed_what_surrounds_the_playhead(rig):
    rig.speak(ms=4000)
    rig.step(2000)
    offsets = [bus.decode_from_voice(frames[0]).offset for frames in rig.publisher.replay()]
    playhead = rig.playback.media_ns * 16000 // 10**9
    assert offsets[0] % 320 == 0
    assert playhead - 9000 < offsets[0] < playhead < offsets[-1]


def test_interrupts_are_counted():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=200)
    rig.say(wire.Interrupt())
    rig.say(wire.Interrupt())
    assert rig.counters["interrupts"] == 2


def test_audio_is_counted_in_bytes(rig):
    for seq, ms in enumerate((20, 100)):
        rig.audio(seq=seq, ms=ms)
    rig.audio(seq=0, ms=20)  # refused, and not counted
    assert rig.counters["audio_bytes_s16le"] == 120 * 16 * 2
