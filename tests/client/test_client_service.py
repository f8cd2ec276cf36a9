"""The client against the real mien-voice with the null sink."""

import asyncio
import subprocess
import threading

import numpy as np
import pytest

from mien.client import connect, connect_async
from mien.core import wire
from mien.errors import ClientError
from rigs.services import running_voice

MS = 32
TEN_LINES = """
import subprocess

from mien.client import connect

with connect() as agent:
    tts = subprocess.Popen(["espeak-ng", "--stdout", "Hello. I am your new colleague."], stdout=subprocess.PIPE)
    heard = agent.say_wav(tts.stdout)
    print(heard.played_ms, "ms were heard")
"""


@pytest.fixture
def service(tmp_path):
    with running_voice(tmp_path) as voice:
        yield voice


@pytest.fixture
def agent(service):
    with connect(service.endpoints[0]) as client:
        yield client


def test_what_was_heard_is_what_was_sent(agent):
    assert agent.say(bytes(300 * MS)).played_ms == pytest.approx(300)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
def test_every_rate(service, rate_hz):
    with connect(service.endpoints[-1], rate_hz=rate_hz) as client:
        assert client.say(np.zeros(rate_hz // 5, np.int16)).played_ms == pytest.approx(200, abs=0.5)


def test_turns_are_heard_one_after_the_other(agent):
    turns = [agent.turn() for _ in range(3)]
    for turn in turns:
        turn.write(bytes(100 * MS))
        turn.end()
    assert [round(turn.wait().played_ms) for turn in turns] == [100, 100, 100]


def test_barge_in_from_another_thread(agent):
    turn = agent.turn()
    turn.write(bytes(10_000 * MS))
    timer = threading.Timer(0.2, agent.interrupt)
    timer.start()
    finished = turn.wait()
    timer.join()
    assert finished.interrupted
    assert 0 < finished.played_ms < 5_000
    assert agent.say(bytes(50 * MS)).reason == "played"


def test_an_interrupt_takes_the_turns_behind_it(agent):
    first, second = agent.turn(), agent.turn()
    first.write(bytes(5000 * MS))
    second.write(bytes(5000 * MS))
    assert first.interrupt().interrupted
    assert second.wait().interrupted


def test_a_long_turn_waits_for_room_and_none_of_it_is_lost(tmp_path):
    with running_voice(tmp_path) as voice, connect(voice.endpoints[-1]) as client:
        limit_ms = client.welcome.limits.max_buffer_ms
        turn = client.turn()
        turn.write(bytes(limit_ms * MS))
        assert client.credit_ms < 1000
        before = client.credit_ms
        turn.write(bytes(int(before + 300) * MS))
        assert turn.sent_ms > limit_ms + before
        turn.interrupt()


def test_an_unsupported_rate_is_refused(service):
    with pytest.raises(ClientError, match="12345") as caught:
        connect(service.endpoints[-1], rate_hz=12345)
    assert caught.value.code == "unsupported_rate"


def test_two_clients_and_one_floor(agent, service):
    turn = agent.turn()
    turn.write(bytes(2000 * MS))
    agent.ping()
    with connect(service.endpoints[-1]) as other:
        with pytest.raises(ClientError) as caught:
            other.say(bytes(64))
        assert (caught.value.code, caught.value.retryable) == ("floor_taken", True)
    assert turn.interrupt().interrupted


def test_a_voice_that_stops_says_how_much_was_heard(tmp_path):
    with running_voice(tmp_path):
        client = connect(f"ipc://{tmp_path}/voice.sock")
        turn = client.turn()
        turn.write(bytes(5000 * MS))
        while turn.played_ms < 50:
            client.poll(0.1)
    with client:
        finished = turn.wait()
        assert (finished.reason, finished.interrupted) == ("shutdown", True)
        assert 50 <= finished.played_ms < 5000
        with running_voice(tmp_path):
            assert client.say(bytes(50 * MS)).reason == "played"


def test_a_tts_engine_through_a_pipe(agent):
    with subprocess.Popen(["espeak-ng", "--stdout", "Hello."], stdout=subprocess.PIPE) as tts:
        assert agent.say_wav(tts.stdout).played_ms > 300


def test_conversation_messages_are_taken(agent):
    agent.state("listening")
    agent.emotion("happy", 0.7)
    agent.gesture("nod")
    agent.look_at(0.1, 0.2)
    agent.volume(0.5)
    agent.caption("t", "hello")
    agent.pause()
    agent.resume()
    agent.ping()
    refused = [event for event in iter(lambda: agent.poll(0), None) if hasattr(event, "code")]
    assert refused == []


def floors(agent):
    """The Floor events up to the one that gives it back."""
    for event in agent.events():
        if isinstance(event, wire.Floor):
            yield event
            if not event.holder:
                return


def test_an_agent_takes_the_floor_and_gives_it_back(agent, service):
    turn = agent.turn()
    turn.write(bytes(5000 * MS))
    while turn.played_ms == 0:
        agent.poll(0.1)
    with connect(service.endpoints[-1], name="Ada", role="agent") as ada:
        ada.take_floor()
        assert turn.wait().reason == "taken_over"
        assert ada.say(bytes(50 * MS)).reason == "played"
        ada.release_floor()
    told = [(floor.holder, floor.why) for floor in floors(agent)]
    assert told == [("Ada", "taken"), ("", "released")]


@pytest.mark.parametrize(("queue", "reason"), [("hold", "played"), ("drop", "taken_over")])
def test_what_waits_behind_is_held_or_dropped(agent, service, queue, reason):
    first, second = agent.turn(), agent.turn()
    for turn, ms in ((first, 5000), (second, 100)):
        turn.write(bytes(ms * MS))
        turn.end()
    while first.played_ms == 0:
        agent.poll(0.1)
    with connect(service.endpoints[-1], role="agent") as ada:
        ada.take_floor(queue)
        ada.release_floor()
        assert first.wait().reason == "taken_over"
        assert second.wait().reason == reason


def test_orders_that_are_refused_are_raised(agent, service):
    with connect(service.endpoints[-1], role="agent") as ada, connect(service.endpoints[-1], role="agent") as ben:
        ada.take_floor()
        for order, code in (
            (ben.take_floor, "floor_taken"),
            (ben.release_floor, "floor_not_held"),
            (agent.take_floor, "not_allowed"),
            (lambda: agent.subscribe("state"), "not_allowed"),
            (lambda: ben.subscribe("nonsense"), "malformed"),
        ):
            with pytest.raises(ClientError) as caught:
                order()
            assert caught.value.code == code
        ada.release_floor()
        assert [floor.why for floor in floors(ben)] == ["taken", "released"]
        ben.take_floor()


def test_an_observer_is_told_what_it_subscribed_to(agent, service):
    with connect(service.endpoints[-1], role="observer") as eye:
        eye.subscribe("captions", "state")
        with agent.turn("t") as turn:
            turn.caption("hello")
            turn.write(bytes(100 * MS))
        turn.wait()
        seen = []
        while not (seen and isinstance(seen[-1], wire.Outcome)):
            seen.append(eye.poll(5))
        assert {type(event) for event in seen} == {wire.Welcome, wire.Status, wire.Said, wire.Outcome}
        assert (seen[-1].turn, seen[-1].reason) == ("t", "played")
        eye.subscribe()
        while eye.poll(0):
            pass
        agent.say(bytes(100 * MS))
        eye.ping()
        assert eye.poll(0) is None


def test_takeover_and_observing_with_asyncio(service):
    async def talk():
        async with connect_async(service.endpoints[-1], name="Ada", role="agent") as ada:
            await ada.subscribe("state")
            await ada.take_floor(queue="drop")
            await ada.say(bytes(50 * MS))
            await ada.release_floor()
            changes = []
            while len(changes) < 2:
                event = await ada.poll()
                changes += [event.why] if isinstance(event, wire.Floor) else []
            return changes

    assert asyncio.run(asyncio.wait_for(talk(), 20)) == ["taken", "released"]


def test_the_ten_lines_of_the_readme(service, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    assert service.endpoints
    exec(TEN_LINES, {})
    assert float(capsys.readouterr().out.split()[0]) > 500
