"""Clients that listen to the customer: the real voice, and an ear that says what it is told."""

import asyncio

import pytest

from mien.client import (
    BargeIn,
    ClientError,
    Disconnected,
    Ear,
    NearEnd,
    UserStarted,
    UserStopped,
    connect,
    connect_async,
)
from mien.client._session import HEARD_KEPT, Session
from mien.core import wire
from rigs.fake_ear import FakeEar
from rigs.services import running_voice
from rigs.voice_double import make_welcome


@pytest.fixture
def service(tmp_path):
    with running_voice(tmp_path, barge_in={"mode": "pause", "window_ms": 10_000}) as voice:
        yield voice


@pytest.fixture
def ear(tmp_path, service):
    with FakeEar(tmp_path) as fake:
        fake.until(lambda: service._engine.ear.present)
        yield fake


def say_utterance(ear):
    ear.start()
    for number in range(5):
        ear.block(bytes([number]) * 640)
    ear.stop()


def test_a_loop_hears_the_state_an_utterance_and_its_sound_in_order(service, ear):
    with connect(service.endpoints[0]) as client:
        heard = client.listen()
        assert next(heard) == Ear(state="ok", mode="speech", listeners=1, counters={"gaps": 0})
        say_utterance(ear)
        items = [next(heard) for _ in range(7)]
        assert [type(item) for item in items] == [UserStarted, *[NearEnd] * 5, UserStopped]
        assert items[0] == UserStarted(utterance=1, at_ns=ear.started_ns, confidence=0.75)
        assert [item.data[0] for item in items[1:6]] == [0, 1, 2, 3, 4]
        assert items[1] == NearEnd(seq=1, at_ns=20_000_000, speech=True, dropped=0, data=bytes(640))
        assert ear.until(lambda: ear.orders.encodings) == ("s16le",)
        heard.close()
        ear.until(lambda: ear.orders.encodings == ())
        assert {type(event) for event in (client.poll(5), client.poll(5), client.poll(5), client.poll(5))} == {
            wire.Welcome, Ear, UserStarted, UserStopped,
        }  # fmt: skip


def test_a_task_hears_all_sound_as_opus(service, ear):
    async def hear():
        async with connect_async(service.endpoints[0], role="agent") as client:
            kinds = []
            async for item in client.listen("always", encoding="opus"):
                kinds.append(type(item))
                if isinstance(item, Ear):
                    await asyncio.to_thread(ear.until, lambda: ear.orders.always)
                    assert ear.orders.encodings == ("opus",)
                    ear.block(b"packet", speech=False, encoding="opus")
                else:
                    assert (item.data, item.speech) == (b"packet", False)
                    break
            return kinds

    assert asyncio.run(hear()) == [Ear, NearEnd]


@pytest.mark.usefixtures("ear")
def test_an_observer_is_refused_and_may_ask_again(service):
    with connect(service.endpoints[0], role="observer") as client:
        for _ in range(2):
            with pytest.raises(ClientError, match="observers_may_listen") as refused:
                next(client.listen())
            assert refused.value.code == "not_allowed"
        with pytest.raises(ClientError) as refused:
            client.mute()
        assert refused.value.code == "not_allowed"


def test_one_loop_at_a_time(service):
    with connect(service.endpoints[0]) as client:
        first = client.listen()
        assert next(first).state == "absent"
        with pytest.raises(ClientError) as refused:
            next(client.listen())
        assert refused.value.code == "listening"
        first.close()
        assert next(client.listen()).state == "absent"


def test_mute_and_unmute(service, ear):
    with connect(service.endpoints[0], name="desk") as client, connect(service.endpoints[0]) as other:
        heard = other.listen()
        assert next(heard).state == "ok"
        client.mute()
        told = next(heard)
        assert (told.state, told.why.split(";")[0]) == ("muted", "muted by desk")
        ear.until(lambda: ear.orders.muted)
        client.unmute()
        assert next(heard).state == "ok"
        client.mute()
        assert next(heard).state == "muted"
        client.close()
        assert next(heard).state == "ok"


def test_a_loop_ends_when_the_client_is_closed(service):
    client = connect(service.endpoints[0])
    heard = client.listen()
    next(heard)
    client.close()
    assert list(heard) == []


def test_a_barge_in_is_told_and_confirmed_and_says_what_was_heard(service, ear):
    with connect(service.endpoints[0]) as client:
        turn = client.turn()
        turn.write(b"\x10\x20" * 16000 * 6)
        turn.end()
        ear.until(lambda: turn.played_ms > 600)
        ear.start()
        actions = []
        while len(actions) < 2:
            if isinstance(event := client.poll(5), BargeIn):
                actions.append(event.action)
        assert actions == ["ducked", "paused"]
        heard = turn.interrupt()
        assert heard.reason == "interrupted"
        assert 0 < heard.barge_in_ms < heard.played_ms < 6000


def test_a_barge_in_by_the_voice_itself_leaves_the_turns_block_without_an_error(tmp_path):
    with (
        running_voice(tmp_path, barge_in={"mode": "interrupt"}, voice={"max_buffer_ms": 1000}) as voice,
        FakeEar(tmp_path) as ear,
        connect(voice.endpoints[0]) as client,
    ):
        ear.until(lambda: voice._engine.ear.present)
        with client.turn() as turn:
            for number in range(10_000):
                turn.write(b"\x10\x20" * 1600)
                if number == 12:
                    ear.start(ago_ms=0)
        heard = turn.wait()
        assert heard.reason == "interrupted"
        assert 0 < heard.barge_in_ms <= heard.played_ms


def near_end(seq):
    return [wire.encode(wire.NearEnd(seq=seq, at_ns=seq, speech=True)), bytes(640)]


def opened():
    session = Session(wire.Hello(protocol=1))
    session.greet(0.0)
    session.receive([wire.encode(make_welcome())], 0.0)
    session.outgoing.clear()
    return session


def test_a_reopened_session_listens_and_mutes_again():
    session = opened()
    session.listen(wire.Listen(mode="always"))
    session.muted = True
    session.lose("gone")
    session.greet(1.0)
    session.outgoing.clear()
    session.receive([wire.encode(make_welcome())], 1.0)
    assert [wire.decode_client(frames[0]) for frames in session.outgoing] == [wire.Mute(), wire.Listen(mode="always")]
    assert list(session.heard) == [Disconnected(why="gone")]


def test_what_nobody_reads_is_bounded_and_sound_displaces_no_event():
    session = opened()
    session.listen(wire.Listen())
    session.receive([wire.encode(wire.UserStarted(utterance=1, at_ns=1, confidence=1.0))], 0.0)
    for seq in range(HEARD_KEPT + 50):
        session.receive(near_end(seq), 0.0)
    assert len(session.heard) == HEARD_KEPT
    assert session.heard_dropped == 51
    assert wire.UserStarted(utterance=1, at_ns=1, confidence=1.0) in session.events
    assert session.events_dropped == 0


def test_sound_that_nobody_asked_for_or_that_has_no_payload_is_ignored():
    session = opened()
    session.receive(near_end(1), 0.0)
    assert not session.heard
    session.listen(wire.Listen())
    session.receive(near_end(2)[:1], 0.0)
    assert not session.heard
    assert session.unreadable == 1
    session.receive(near_end(3), 0.0)
    session.listen(wire.Listen(mode="off"))
    assert not session.heard
