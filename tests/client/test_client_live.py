"""Clients that watch, and clients that send speech which is encoded elsewhere: with the real voice."""

import asyncio

import numpy as np
import pytest
import zmq

from mien.audio.opus import OpusDecoder, OpusEncoder
from mien.client import ClientError, HeardSpeech, Poses, connect, connect_async
from mien.client._session import LIVE_KEPT, Session
from mien.core import bus, wire
from mien.core.stats import Counters
from mien.transport.bus import FaceBus
from rigs.services import running_voice
from rigs.voice_double import make_welcome
from rigs.voice_rig import RecordingSink, tone

LIMITS = wire.Limits(
    max_chunk_bytes=6400,
    max_header_bytes=16_384,
    max_buffer_ms=210,
    max_turn_ms=60_000,
    max_turns=8,
    turn_idle_timeout_ms=10_000,
)


@pytest.fixture
def service(tmp_path):
    with running_voice(tmp_path) as voice:
        yield voice


@pytest.fixture
def face(tmp_path, service):  # noqa: ARG001 (it must run)
    context = zmq.Context()
    face = FaceBus(context, tmp_path, Counters())
    yield face
    face.close()
    context.term()


def connected(face):
    """Whether the face's end of the bus hears the voice, so that its reports are not dropped."""
    return face.receive(10_000) is not None


def packets(ms):
    return OpusEncoder(16000).encode_all(tone(ms))


def packet_session():
    session = Session(wire.Hello(protocol=1, encoding="opus"), packets=True)
    session.greet(0.0)
    session.receive([wire.encode(make_welcome(limits=LIMITS))], 0.0)
    session.outgoing.clear()
    return session


def sent_audio(session):
    messages = [(wire.decode_client(frames[0]), frames) for frames in session.outgoing]
    session.outgoing.clear()
    return [(header.seq, frames[1]) for header, frames in messages if isinstance(header, wire.Audio)]


class TestWatching:
    def test_a_loop_gets_poses_and_what_is_heard(self, service, face):
        with (
            connect(service.endpoints[0], role="observer") as eye,
            connect(service.endpoints[0]) as speaker,
        ):
            eye.subscribe("poses", "heard", encoding="opus")
            speaker.say(tone(300))
            live = eye.live()
            heard = [next(live) for _ in range(10)]
            assert {type(item) for item in heard} == {HeardSpeech}
            assert [item.first for item in heard] == [True, *[False] * 9]
            decoder = OpusDecoder(16000)
            pcm = np.concatenate([decoder.decode(item.data) for item in heard])
            assert np.abs(pcm).max() == pytest.approx(8000, rel=0.3)
            assert connected(face)
            face.report(bus.encode(bus.PoseBatch(epoch=1, seq=3, at_ns=9, key=True, frames=b"frames")))
            assert next(item for item in live if isinstance(item, Poses)) == Poses(
                seq=3, at_ns=9, key=True, dropped=0, data=b"frames"
            )
            live.close()

    def test_the_loop_ends_with_the_client(self, service):
        async def watch():
            async with connect_async(service.endpoints[0], role="observer") as eye:
                await eye.subscribe("poses")
                task = asyncio.create_task(anext(eye.live(), None))
                await asyncio.sleep(0.05)
            return await asyncio.wait_for(task, 5)

        assert asyncio.run(watch()) is None

    def test_what_is_not_read_is_dropped_and_no_event_with_it(self):
        session = packet_session()
        events = len(session.events)
        for seq in range(LIVE_KEPT + 20):
            session.receive([wire.encode(wire.Poses(seq=seq, at_ns=1, key=False)), b"frames"], 0.0)
        assert [item.seq for item in session.live] == list(range(20, LIVE_KEPT + 20))
        assert len(session.events) == events

    @pytest.mark.parametrize("payloads", [(), (b"a", b"b")])
    def test_without_its_payload_a_message_cannot_be_read(self, payloads):
        session = packet_session()
        session.receive([wire.encode(wire.Heard(seq=1, at_ns=1)), *payloads], 0.0)
        assert not session.live
        assert session.unreadable == 1


class TestPackets:
    def test_they_are_heard_as_they_came(self, tmp_path):
        sinks = []

        def opener(config, clock):
            sinks.append(RecordingSink(clock, config.rate_hz, config.rate_hz // 20))
            return sinks[-1]

        async def speak(endpoint):
            async with connect_async(endpoint, encoding="opus", packets=True) as client:
                async with client.turn() as turn:
                    for packet in packets(400):
                        await turn.write_packet(packet)
                return await turn.wait()

        with running_voice(tmp_path, opener=opener) as service:
            finished = asyncio.run(speak(service.endpoints[0]))
        assert (finished.played_ms, finished.reason) == (420.0, "played")
        assert np.abs(np.concatenate([sink.pcm for sink in sinks])).max() == pytest.approx(8000, rel=0.3)

    def test_each_waits_for_credit(self):
        session = packet_session()
        turn = session.open_turn()
        sent = [session.write_packet(turn, bytes([number])) for number in range(12)]
        assert sent == [True] * 10 + [False] * 2
        assert [packet for _, packet in sent_audio(session)] == [bytes([number]) for number in range(10)]
        session.receive([wire.encode(wire.Progress(turn=turn.name, played_ms=40, buffered_ms=160, credit_ms=50))], 0.0)
        assert session.write_packet(turn, b"\x0a")
        assert sent_audio(session) == [(10, b"\x0a")]

    def test_a_refused_one_is_sent_again_as_it_was(self):
        session = packet_session()
        turn = session.open_turn()
        for number in range(5):
            session.write_packet(turn, bytes([number]))
        sent_audio(session)
        session.receive(
            [wire.encode(wire.Error(code="buffer_full", message="", retryable=True, turn=turn.name, seq=3))], 0.0
        )
        assert not session.write_packet(turn, b"new")
        ping = wire.decode_client(session.outgoing[-1][0])
        sent_audio(session)
        session.receive([wire.encode(wire.Pong(nonce=ping.nonce, now_ns=1))], 0.0)
        session.receive([wire.encode(wire.Progress(turn=turn.name, played_ms=60, buffered_ms=0, credit_ms=210))], 0.0)
        assert sent_audio(session) == [(3, b"\x03"), (4, b"\x04")]
        assert session.write_packet(turn, b"new")
        assert sent_audio(session) == [(5, b"new")]

    def test_pcm_is_refused_and_so_is_another_encoding(self):
        session = packet_session()
        with pytest.raises(ClientError, match=r"write_packet\(\)"):
            session.write(session.open_turn(), memoryview(bytes(640)))
        with pytest.raises(ClientError, match="packets are Opus"):
            Session(wire.Hello(protocol=1), packets=True)
        with pytest.raises(ClientError, match="Opus has"):
            Session(wire.Hello(protocol=1, encoding="opus", rate_hz=44100), packets=True)

    def test_a_client_of_pcm_sends_no_packets(self):
        session = Session(wire.Hello(protocol=1))
        session.greet(0.0)
        session.receive([wire.encode(make_welcome(limits=LIMITS))], 0.0)
        with pytest.raises(ClientError, match="packets=True"):
            session.write_packet(session.open_turn(), b"x")
