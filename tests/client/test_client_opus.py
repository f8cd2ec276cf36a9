"""Speech as Opus: whole packets, each sent once and in order, decoded by the real voice."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.audio.opus import packet_frames
from mien.client import connect, connect_async
from mien.client._session import Session
from mien.client.audio import SampleJoiner, find_encoding
from mien.core import wire
from mien.errors import ClientError
from rigs.services import running_voice
from rigs.voice_double import make_welcome
from rigs.voice_rig import RecordingSink, tone

RATE_HZ = 16000
FRAMES = 320  # of a packet
LOOKAHEAD = 104
LIMITS = wire.Limits(
    max_chunk_bytes=6400,
    max_header_bytes=16_384,
    max_buffer_ms=210,
    max_turn_ms=60_000,
    max_turns=8,
    turn_idle_timeout_ms=10_000,
)


def spoken_ms(frames):
    """How much of this speech is heard: up to its last sample, in whole packets."""
    return -(-(frames + LOOKAHEAD) // FRAMES) * 20


@pytest.fixture
def session():
    session = Session(wire.Hello(protocol=1, encoding="opus"))
    session.greet(0.0)
    tell(session, make_welcome(limits=LIMITS))
    session.outgoing.clear()
    return session


def tell(session, *messages):
    for message in messages:
        session.receive([wire.encode(message)], 0.0)


def sent_audio(session):
    """(seq, packet) of all outgoing audio."""
    messages = [(wire.decode_client(frames[0]), frames) for frames in session.outgoing]
    session.outgoing.clear()
    return [(header.seq, frames[1]) for header, frames in messages if isinstance(header, wire.Audio)]


def test_one_packet_a_message_and_credit_in_ms(session):
    turn = session.open_turn()
    speech = tone(400).tobytes()
    assert session.write(turn, memoryview(speech)) == 200 * 32  # 10 ms of credit are left: no packet fits
    assert not session.has_room(turn, 640)
    packets = sent_audio(session)
    assert [seq for seq, _ in packets] == list(range(10))
    assert {packet_frames(packet, RATE_HZ) for _, packet in packets} == {FRAMES}
    tell(session, wire.Progress(turn=turn.name, played_ms=50.0, buffered_ms=150.0, credit_ms=60.0))
    assert session.write(turn, memoryview(speech[6400:])) == 3 * 640


def test_a_refused_packet_goes_again_as_it_was(session):
    turn = session.open_turn()
    session.write(turn, memoryview(tone(200).tobytes()))
    first = dict(sent_audio(session))
    tell(session, wire.Error(code="buffer_full", message="no", retryable=True, turn=turn.name, seq=6))
    tell(
        session,
        wire.Pong(nonce=turn.barrier, now_ns=0),
        wire.Progress(turn=turn.name, played_ms=120.0, buffered_ms=0.0, credit_ms=210.0),
    )
    assert dict(sent_audio(session)) == {seq: first[seq] for seq in (6, 7, 8, 9)}
    assert min(turn.packets) == 6 * FRAMES
    session.interrupt(turn)
    assert (turn.packets, list(turn.kept), turn.refused, turn.barrier, turn.confirmation) == ({}, [], b"", 0, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=1500), max_size=6))
def test_any_cut_of_the_writes_gives_whole_packets(cuts):
    joiner = SampleJoiner(FRAMES, LOOKAHEAD)
    parts = [*map(joiner.join, cuts), joiner.finish()]
    speech = b"".join(cuts)
    samples = len(speech) // 2
    assert all(len(part) % 640 == 0 for part in parts)
    assert b"".join(parts)[: samples * 2] == speech[: samples * 2]
    assert sum(map(len, parts)) == (spoken_ms(samples) * 32 if samples else 0)
    assert joiner.finish() == b""


def test_without_libopus_the_error_names_the_package(monkeypatch):
    monkeypatch.setattr("mien.audio.opus.available", lambda: False)
    for connecting in (connect, connect_async):
        with pytest.raises(ClientError, match="libopus0") as caught:
            connecting("ipc:///nowhere", encoding="opus")
        assert (caught.value.code, caught.value.retryable) == ("unsupported_encoding", False)


def test_what_opus_does_not_have():
    with pytest.raises(ClientError, match="48000") as caught:
        find_encoding("opus", 22050)
    assert caught.value.code == "unsupported_rate"
    with pytest.raises(ClientError, match="s16le, opus"):
        find_encoding("mp3", RATE_HZ)


class TestHeard:
    """Against the real voice."""

    @pytest.fixture
    def sinks(self):
        return []

    @pytest.fixture
    def service(self, tmp_path, sinks):
        def opened(config, clock):
            sinks.append(RecordingSink(clock, config.rate_hz, config.rate_hz // 20))
            return sinks[-1]

        with running_voice(tmp_path, opener=opened, voice={"max_buffer_ms": 500}) as voice:
            yield voice

    def test_a_turn_has_its_length_and_its_sound(self, service, sinks):
        speech = tone(1010)
        with connect(service.endpoints[0], encoding="opus") as agent:
            finished = agent.say(speech[at : at + 777] for at in range(0, len(speech), 777))
        assert (finished.played_ms, finished.reason) == (spoken_ms(len(speech)), "played")
        heard = sinks[0].pcm.astype(float)
        best = max(np.corrcoef(heard[at : at + 8000], speech[4000:12000])[0, 1] for at in range(4000, 7000))
        assert best > 0.99
        assert service.counters["audio_bytes_opus"] < 5000

    @pytest.mark.parametrize("rate_hz", [8000, 48000])
    def test_other_rates(self, service, rate_hz):
        with connect(service.endpoints[0], rate_hz=rate_hz, encoding="opus") as agent:
            assert agent.say(np.ones(rate_hz // 4, np.int16)).played_ms == pytest.approx(260, abs=0.5)

    def test_asyncio_and_one_turn_behind_the_other(self, service):
        async def talk():
            async with connect_async(service.endpoints[0], encoding="opus") as agent:
                turns = [agent.turn() for _ in range(2)]
                for turn in turns:
                    await turn.write(bytes(3200))
                    await turn.end()
                    assert turn.sent_ms == 120
                return [(await turn.wait()).played_ms for turn in turns]

        assert asyncio.run(talk()) == [120, 120]

    def test_interrupted_and_empty_turns(self, service):
        with connect(service.endpoints[0], encoding="opus") as agent:
            turn = agent.turn()
            turn.write(tone(900))
            assert turn.interrupt().interrupted
            turn.end()
            assert agent.say(b"").played_ms == 0
            assert agent.say(bytes(640)).reason == "played"

    def test_half_a_sample_at_the_end_is_told(self, service):
        with connect(service.endpoints[0], encoding="opus") as agent:
            turn = agent.turn()
            turn.write(bytes(641))
            with pytest.raises(ClientError, match="middle of a sample"):
                turn.end()
            assert turn.wait().played_ms == 40


def test_a_single_sample_is_speech():
    joiner = SampleJoiner(FRAMES, 0)
    assert joiner.join(b"\x01\x02") == b""
    assert joiner.finish() == b"\x01\x02" + bytes(2 * FRAMES - 2)
    assert joiner.finish() == b""


def test_pcm_has_neither_packets_nor_a_tail():
    assert find_encoding("s16le", RATE_HZ) == (0, 0, None)
