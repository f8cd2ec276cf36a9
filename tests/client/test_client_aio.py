"""The asyncio client over real sockets: what it does beyond the synchronous client, whose tests cover the rest."""

import asyncio

import pytest

from mien.client import Disconnected, Finished, connect_async
from mien.client.audio import SampleJoiner
from mien.core import wire
from mien.errors import ClientError
from rigs.voice_server import served_voice
from rigs.wav_bytes import make_wav

MS = 32
PATIENCE_S = 20


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE_S))


async def eventually(condition):
    while not condition():
        await asyncio.sleep(0.005)


def test_await_or_async_with(voice):
    async def talk():
        agent = await connect_async(voice.endpoint)
        assert agent.connected
        assert agent.welcome.limits.max_buffer_ms == 1000
        await agent.close()
        async with connect_async(voice.endpoint) as agent, agent.turn("t") as turn:
            await turn.write(bytes(100 * MS))
        return turn

    assert run(talk()).name == "t"


def test_say_takes_chunks_from_an_async_source(voice):
    async def tts():
        for _ in range(15):
            await asyncio.sleep(0)
            yield bytes(100 * MS)

    async def talk():
        async with connect_async(voice.endpoint) as agent:
            return await agent.say(tts(), name="t")

    assert run(talk()) == Finished(turn="t", played_ms=1500.0, interrupted=False, reason="played")


def test_barge_in_while_say_waits(voice):
    async def talk():
        async with connect_async(voice.endpoint) as agent:
            speaking = asyncio.create_task(agent.say(bytes(5000 * MS)))
            await eventually(lambda: agent.credit_ms == 0)
            (finished,) = await agent.interrupt()
            assert await speaking == finished
            return finished

    assert run(talk()).interrupted


def test_an_interrupt_waits_for_no_turn_that_was_lost(endpoint):
    async def talk():
        with served_voice(endpoint) as first:
            agent = await connect_async(endpoint)
            await agent.turn("t").write(bytes(500 * MS))
            first.mute, first.playing = True, False
            stopping = asyncio.create_task(agent.interrupt())
            await asyncio.sleep(0.05)
            assert not stopping.done()
        with served_voice(endpoint):
            stopped = await stopping
            await agent.close()
        return stopped

    assert run(talk()) == ()


def test_a_cancelled_say_interrupts_its_turn(voice):
    async def talk():
        async with connect_async(voice.endpoint) as agent:
            speaking = asyncio.create_task(agent.say(bytes(5000 * MS), name="t"))
            await eventually(lambda: agent.credit_ms < 200)
            speaking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await speaking
            await eventually(lambda: "t" in voice.double.done)
            assert (await agent.say(bytes(64))).reason == "played"

    run(talk())
    assert voice.double.done["t"].interrupted


def test_writes_of_two_tasks_do_not_mix(voice):
    async def talk():
        async with connect_async(voice.endpoint) as agent:
            turn = agent.turn("t")
            await asyncio.gather(turn.write(b"\1" * 1500 * MS), turn.write(b"\2" * 1500 * MS))
            await turn.wait()

    run(talk())
    assert bytes(voice.double.audio["t"]) == b"\1" * 1500 * MS + b"\2" * 1500 * MS


def test_events_of_a_voice_that_restarts(endpoint):
    async def talk():
        with served_voice(endpoint):
            agent = await connect_async(endpoint)
            events = agent.events()
            assert isinstance(await anext(events), wire.Welcome)
        with served_voice(endpoint):
            assert isinstance(await anext(events), Disconnected)
            assert isinstance(await anext(events), wire.Welcome)
            await agent.close()
            return [event async for event in events]

    assert run(talk()) == []


def test_a_refusal_after_the_voice_came_back_is_raised_and_heals(endpoint):
    async def talk():
        with served_voice(endpoint):
            agent = await connect_async(endpoint)
        with served_voice(endpoint) as second:
            second.refuse_with = wire.Error(code="too_many_clients", message="at most 16", retryable=True)
            await eventually(lambda: not agent.connected)
            with pytest.raises(ClientError) as caught:
                await agent.say(bytes(64))
            second.refuse_with = None
            await asyncio.sleep(0)
            while (await outcome(agent)) is None:
                pass
            await agent.close()
        return caught.value.code

    async def outcome(agent):
        try:
            return await agent.say(bytes(64))
        except ClientError:
            await asyncio.sleep(0.05)

    assert run(talk()) == "too_many_clients"


def test_nobody_there(endpoint):
    async def talk():
        async with connect_async(endpoint, timeout_s=0.2):
            pass

    with pytest.raises(ClientError, match="nothing answers"):
        run(talk())


def test_a_client_leaves_no_task_behind(voice):
    async def talk():
        async with connect_async(voice.endpoint):
            pass
        return {task.get_name() for task in asyncio.all_tasks() if not task.done()}

    assert "mien-client" not in run(talk())


def test_a_client_that_is_refused_does_not_knock_again_at_once(endpoint, monkeypatch):
    monkeypatch.setattr("mien.client.aio.REFUSED_PAUSE_S", 1000.0)
    hellos = []

    async def talk():
        with served_voice(endpoint):
            agent = await connect_async(endpoint)
        with served_voice(endpoint) as second:
            answer = second._answer
            second._answer = lambda identity, frames: (hellos.append(identity), answer(identity, frames))
            second.refuse_with = wire.Error(code="too_many_clients", message="at most 16", retryable=True)
            await eventually(lambda: agent._session.state == "refused")
            await asyncio.sleep(0.5)
            await agent.close()

    run(talk())
    assert len(hellos) == 1


def test_a_client_whose_voice_is_gone_knocks_soon(endpoint, monkeypatch):
    monkeypatch.setattr("mien.client.aio.REFUSED_PAUSE_S", 1000.0)

    async def talk():
        with served_voice(endpoint):
            agent = await connect_async(endpoint)
        with served_voice(endpoint):
            await eventually(lambda: not agent.connected)
            await eventually(lambda: agent.connected)
            await agent.close()

    run(talk())


def test_a_wav_is_spoken_without_blocking_the_loop(voice):
    async def talk():
        async with connect_async(voice.endpoint) as agent:
            speaking = asyncio.create_task(agent.say_wav(make_wav(b"\1\2" * 1600), name="t"))
            await eventually(lambda: "t" in voice.double.audio)
            return await speaking

    assert run(talk()).played_ms == 100
    assert bytes(voice.double.audio["t"]) == b"\1\2" * 1600


def test_who_waits_for_the_voice_is_told_that_the_client_was_closed(endpoint):
    async def talk():
        with served_voice(endpoint):
            agent = await connect_async(endpoint)
        with served_voice(endpoint) as second:
            second.mute = True
            await eventually(lambda: not agent.connected)
            speaking = asyncio.create_task(agent.say(bytes(64)))
            await asyncio.sleep(0.05)
            await agent.close()
            with pytest.raises(ClientError, match=r"^the client was closed$") as caught:
                await speaking
        return caught.value.code, caught.value.retryable

    assert run(talk()) == ("closed", False)


def test_a_packet_waits_for_room_for_all_of_it(voice, monkeypatch):
    rooms = []

    async def talk():
        async with connect_async(voice.endpoint, encoding="opus", packets=True) as agent:
            turn = agent.turn("t")
            monkeypatch.setattr(turn._session, "write_packet", lambda _, __: len(rooms) > 2)
            monkeypatch.setattr(turn._session, "has_room", lambda _, size: rooms.append(size) or len(rooms) > 2)
            waiting = asyncio.create_task(turn.write_packet(b"packet"))
            await eventually(lambda: rooms)
            while not waiting.done():
                await agent.ping()

    run(talk())
    assert rooms == [640, 640, 640]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_last_packet_that_cannot_be_sent_is_told_unless_wait_tells_it(voice, monkeypatch, stopped):
    def refuse(state, _):
        state.closing = stopped
        raise ClientError("no", code="unreachable")

    async def talk():
        async with connect_async(voice.endpoint) as agent:
            turn = agent.turn("t")
            turn._samples = SampleJoiner(320, 104)
            assert turn._samples.join(bytes(64)) == b""
            monkeypatch.setattr(turn._session, "write", refuse)
            try:
                await turn.end()
            except ClientError as error:
                return str(error)
        return ""

    assert run(talk()) == ("" if stopped else "no")
