"""The kiosk against a stand-in of LiveKit's Room with the same contract: no LiveKit server is to be had here.

What the stand-in is, and is not, is written in mien.bench.adapters.room_standin. The voice and the client are real.
tests/adapters/livekit/test_data_stream.py has LiveKit's own DataStreamAudioOutput as the agent.
"""

import asyncio
import contextlib
import json

import numpy as np
import pytest
from livekit import rtc

from mien.adapters.livekit_room import Kiosk, RoomError, version
from mien.adapters.segments.link import Address
from mien.bench.adapters.room_standin import CODE, KIND, TOKEN, Server
from mien.client import RelayDone, connect_async
from rigs.fake_ear import FakeEar
from rigs.services import running_voice

PATIENCE_S = 20
MS = 48  # bytes at 24 kHz


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 3 * PATIENCE_S))


async def eventually(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def endpoint(tmp_path):
    with running_voice(tmp_path, voice={"progress_ms": 50}):
        yield f"ipc://{tmp_path}/voice.sock"


class Agent:
    """An agent in the room, as DataStreamAudioOutput is seen from outside."""

    def __init__(self, server, identity="agent"):
        self.room = server.room(identity, KIND.PARTICIPANT_KIND_AGENT)
        self.started, self.finished = 0, []

    async def join(self):
        await self.room.connect("", TOKEN)
        self.room.local_participant.register_rpc_method("lk.playback_started", self._started)
        self.room.local_participant.register_rpc_method("lk.playback_finished", self._finished)
        return self

    async def open(self, rate_hz=24000, channels=1, **attributes):
        told = {"sample_rate": str(rate_hz), "num_channels": str(channels)} | attributes
        return await self.room.local_participant.stream_bytes(
            name="a", topic="lk.audio_stream", destination_identities=["kiosk"], attributes=told
        )

    async def say(self, ms, rate_hz=24000, channels=1):
        writer = await self.open(rate_hz, channels)
        tone = (8000 * np.sin(np.arange(rate_hz * ms // 1000) * 0.1)).astype(np.int16)
        pcm = np.repeat(tone, channels).tobytes()
        for start in range(0, len(pcm), 4801):  # chunks that split samples
            await writer.write(pcm[start : start + 4801])
        await writer.aclose()

    async def clear(self):
        return await self.room.local_participant.perform_rpc(
            destination_identity="kiosk", method="lk.clear_buffer", payload=""
        )

    def _started(self, call):
        self.started += 1
        return "ok"

    def _finished(self, call):
        self.finished.append(json.loads(call.payload))
        return "ok"


@contextlib.asynccontextmanager
async def kiosk_and_agent(endpoint, *, microphone=False, relay=False, **kind):
    server = Server()
    agent = await Agent(server).join()
    kiosk = Kiosk(
        "wss://nowhere",
        TOKEN,
        Address(endpoint, 24000, "room", capabilities=("relay",) if relay else ()),
        microphone=microphone,
        make_room=lambda: server.room("kiosk"),
        **kind,
    )
    serving = asyncio.create_task(kiosk.run())
    try:
        await eventually(lambda: kiosk.link.up and (kiosk.agent or serving.done()))
        yield server, agent, kiosk, serving
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def test_a_stream_is_heard_and_reported_once(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            await agent.say(500)
            await eventually(lambda: agent.finished)
            await agent.say(200)
            await eventually(lambda: len(agent.finished) == 2)
            await asyncio.sleep(0.2)
            assert [(each["playback_position"], each["interrupted"]) for each in agent.finished] == [
                (0.5, False),
                (0.2, False),
            ]
            assert agent.started == 2

    run(talk())


@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 2), (16000, 1), (44100, 2)])
def test_any_rate_and_channels(endpoint, rate_hz, channels):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            await agent.say(300, rate_hz, channels)
            await eventually(lambda: agent.finished)
            assert agent.finished[0]["playback_position"] == pytest.approx(0.3, abs=0.001)

    run(talk())


def test_a_clear_is_answered_and_the_position_is_what_was_heard(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            await agent.say(5000)
            await eventually(lambda: agent.started)
            await asyncio.sleep(0.3)
            assert await agent.clear() == "ok"
            assert await agent.clear() == "ok"
            await eventually(lambda: agent.finished)
            assert agent.finished[0]["interrupted"]
            assert 0.2 < agent.finished[0]["playback_position"] < 3
            await agent.say(100)
            await eventually(lambda: len(agent.finished) == 2)
            assert not agent.finished[1]["interrupted"]

    run(talk())


def test_a_clear_before_the_end_of_the_stream(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            writer = await agent.open()
            await writer.write(bytes(1000 * MS))
            await eventually(lambda: agent.started)
            await agent.clear()
            await writer.write(bytes(1000 * MS))
            await writer.aclose()
            await eventually(lambda: agent.finished)
            await agent.say(100)
            await eventually(lambda: len(agent.finished) == 2)
            assert agent.finished[1]["playback_position"] == 0.1

    run(talk())


def test_a_clear_that_overtakes_its_stream_silences_it_and_no_later_one(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            await agent.clear()
            await agent.say(1000)
            await eventually(lambda: agent.finished)
            assert (agent.finished[0]["playback_position"], agent.finished[0]["interrupted"]) == (0, True)
            await agent.clear()  # meant for the segment whose finish was just reported
            await agent.say(100)
            await eventually(lambda: len(agent.finished) == 2)
            assert not agent.finished[1]["interrupted"]

    run(talk())


def test_only_the_agent_may_clear_and_send(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, agent, _, _):
            other = await Agent(server, "other").join()
            await agent.say(400)
            await eventually(lambda: agent.started)
            assert await other.clear() == "reject"
            await other.say(100)
            await eventually(lambda: agent.finished)
            assert not agent.finished[0]["interrupted"]
            await asyncio.sleep(0.3)
            assert not other.finished

    run(talk())


def test_a_stream_that_tells_no_rate_finishes_unheard(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            for rate in ("", "loud", "0"):
                writer = await agent.open(sample_rate=rate)
                await writer.write(bytes(4800))
                await writer.aclose()
            await eventually(lambda: len(agent.finished) == 3)
            assert {each["playback_position"] for each in agent.finished} == {0}

    run(talk())


def test_an_empty_stream_finishes(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            await (await agent.open()).aclose()
            await eventually(lambda: agent.finished)
            assert agent.finished[0]["playback_position"] == 0

    run(talk())


def test_a_lost_trailer_ends_with_the_next_stream(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, agent, _, _):
            server.drop_trailers = True
            await agent.say(300)
            server.drop_trailers = False
            await agent.say(200)
            await eventually(lambda: len(agent.finished) == 2)
            assert [each["playback_position"] for each in agent.finished] == [0.3, 0.2]

    run(talk())


def test_the_network_is_lost_in_mid_segment_and_nothing_is_told_twice(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, agent, kiosk, _):
            await agent.say(1500)
            await eventually(lambda: agent.started)
            server.reachable = False
            server.cut("kiosk")
            await asyncio.sleep(2.0)
            assert not agent.finished, "it was heard to its end meanwhile, but nobody could be told"
            server.reachable = True
            await eventually(lambda: agent.finished)
            assert kiosk.agent == "agent"
            await agent.say(100)
            await eventually(lambda: len(agent.finished) == 2)
            await asyncio.sleep(0.3)
            assert [(each["playback_position"], each["interrupted"]) for each in agent.finished] == [
                (1.5, False),
                (0.1, False),
            ]
            assert agent.started == 2

    run(talk())


def test_the_network_is_lost_before_the_end_of_a_stream(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, agent, _, _):
            writer = await agent.open()
            await writer.write(bytes(500 * MS))
            await eventually(lambda: agent.started)
            server.cut("kiosk")
            await eventually(lambda: agent.finished)
            assert agent.finished == [{"playback_position": 0.5, "interrupted": False, "synchronized_transcript": None}]

    run(talk())


def test_an_answer_that_may_have_been_counted_is_not_repeated(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (_, agent, _, _):
            calls = []

            def lost(call):
                calls.append(call)
                raise rtc.RpcError(CODE.RESPONSE_TIMEOUT, "the answer was lost")

            agent.room.local_participant.register_rpc_method("lk.playback_finished", lost)
            await agent.say(100)
            await eventually(lambda: calls)
            await asyncio.sleep(0.5)
            assert len(calls) == 1

    run(talk())


def test_an_agent_that_leaves_and_returns(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, agent, kiosk, _):
            await agent.say(5000)
            await eventually(lambda: agent.started)
            server.cut("agent")
            await eventually(lambda: not kiosk.agent)
            again = await Agent(server, "second").join()
            await eventually(lambda: kiosk.agent == "second")
            await again.say(100)
            await eventually(lambda: again.finished)
            assert again.finished[0]["playback_position"] == 0.1
            assert not agent.finished

    run(talk())


def test_the_room_is_closed(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, _, _, serving):
            server.cut("kiosk", rtc.DisconnectReason.ROOM_DELETED)
            return await serving

    assert run(talk()) == "the room was deleted"


def test_a_wrong_token_is_one_clear_error(endpoint):
    async def talk():
        kiosk = Kiosk("wss://x", "wrong", Address(endpoint), make_room=lambda: Server().room("kiosk"))
        await kiosk.run()

    with pytest.raises(RoomError, match=r"wss://x cannot be joined: 401 Unauthorized; check --url, and that --token"):
        run(talk())


def test_without_a_microphone_it_speaks_on_behalf_of_the_agent(endpoint):
    async def talk():
        async with kiosk_and_agent(endpoint) as (server, _, _, _):
            await eventually(lambda: server.attributes["kiosk"].get("lk.publish_on_behalf") == "agent")
            assert not server.published

    run(talk())


def test_the_microphone_becomes_a_track(endpoint, tmp_path, monkeypatch):
    frames = []

    class Source:
        def __init__(self, rate_hz, channels, queue_size_ms):
            assert (rate_hz, channels) == (16000, 1)

        async def capture_frame(self, frame):
            frames.append(bytes(frame.data))

        async def aclose(self):
            frames.append("closed")

    monkeypatch.setattr(rtc, "AudioSource", Source)
    monkeypatch.setattr(rtc.LocalAudioTrack, "create_audio_track", lambda name, source: (name, source))

    async def talk():
        async with kiosk_and_agent(endpoint, microphone=True) as (server, _, _, _):
            await eventually(lambda: server.published)
            assert "lk.publish_on_behalf" not in server.attributes["kiosk"], "agents must take it for the customer"

            def capture():
                ear = FakeEar(tmp_path)
                try:
                    ear.health()
                    ear.until(lambda: ear.orders.encodings)
                    ear.start()
                    for _ in range(5):
                        ear.block(b"\x01\x00" * 320)
                finally:
                    ear.close()

            await asyncio.to_thread(capture)
            await eventually(lambda: len(frames) >= 5)
            assert frames[0] == b"\x01\x00" * 320
        assert frames[-1] == "closed"

    run(talk())


@pytest.mark.parametrize(
    ("found", "supported"),
    [("1.2.1", 1), ("1.10.0", 1), ("1.1.21", 1), ("1.1.20", 0), ("1.1", 0), ("2.0.0", 0), ("x", 0)],
)
def test_another_version_is_named_with_those_that_are_supported(monkeypatch, found, supported):
    monkeypatch.setattr(version.metadata, "version", lambda _: found)
    if supported:
        version.require_supported()
        return
    with pytest.raises(ImportError, match=r"supports 1\.1\.21 and later, below 2: pip install 'mien\[livekit-room\]'"):
        version.require_supported()


async def relay(ada, kind, text):
    """Relay a text; returns what became of it."""
    number = await ada.relay(kind, text)
    async with asyncio.timeout(PATIENCE_S):
        while not (isinstance(event := await ada.poll(PATIENCE_S), RelayDone) and event.id == number):
            assert event is not None
    return event.outcome, event.why


def test_what_staff_relay_is_handed_to_the_agent_whose_answer_is_the_outcome(endpoint):
    async def talk():
        got = []

        def take(call):
            got.append(json.loads(call.payload))
            return "kept"

        async with (
            kiosk_and_agent(endpoint, relay=True) as (_, agent, _, _),
            connect_async(endpoint, role="agent", name="Ada") as ada,
        ):
            outcome, why = await relay(ada, "note", "Refunded.")
            assert (outcome, "mien.relayed" in why) == ("unused", True)
            agent.room.local_participant.register_rpc_method("mien.relayed", take)
            assert await relay(ada, "whisper", "She has a ticket.") == ("kept", "")
            agent.room.local_participant.register_rpc_method("mien.relayed", lambda _: "perhaps")
            outcome, why = await relay(ada, "say", "Hello")
            assert (outcome, "'perhaps'" in why) == ("unused", True)
            await agent.room.disconnect()
            assert await relay(ada, "say", "Hello") == ("unused", "no agent is in the room")
        return got

    assert run(talk()) == [{"kind": "whisper", "text": "She has a ticket.", "from": "Ada"}]
