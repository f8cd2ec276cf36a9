"""Every method of both clients sends what it says, and both take the same arguments."""

import asyncio
import inspect

import pytest

from mien.client import aio, connect, connect_async
from mien.client._transmit import RETRY_S
from mien.client.aio import AsyncClient, AsyncTurn
from mien.client.phones import TimedPhones
from mien.client.sync import Client, Turn
from mien.core import wire
from mien.errors import ClientError
from rigs.voice_server import served_voice


def defaults(function):
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


def public(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_both_clients_are_opened_alike():
    assert defaults(connect) | {"packets": False} == defaults(connect_async)  # encoded elsewhere: asyncio only
    assert defaults(connect) == {
        "endpoint": None,
        "rate_hz": 16000,
        "timeout_s": 5.0,
        "name": "client",
        "role": "speaker",
        "encoding": "s16le",
        "key": None,
        "voice_key": None,
        "capabilities": (),
    }


@pytest.mark.parametrize(
    ("blocking", "waiting", "name"),
    [
        (kinds[0], kinds[1], name)
        for kinds in ((Client, AsyncClient), (Turn, AsyncTurn))
        for name in sorted(public(kinds[0]) & public(kinds[1]))
        if callable(getattr(kinds[0], name))
    ],
)
def test_methods_of_one_name_take_the_same_arguments(blocking, waiting, name):
    assert defaults(getattr(blocking, name)) == defaults(getattr(waiting, name))


def test_each_client_has_every_method_of_the_other():
    assert public(Client) - public(AsyncClient) == {"endpoint"}  # an attribute there
    assert public(AsyncClient) - public(Client) == {"open"}
    assert public(AsyncTurn) - public(Turn) == {"cancel", "was_cut_off", "write_packet"}


CALLS = [
    ("choices", ({"a": "Yes"},), {}, wire.Choices(items=(wire.Choice("a", "Yes"),))),
    ("choices", (), {"again": True, "qr": "x"}, wire.Choices(again=True, qr="x")),
    ("presence", (), {}, wire.Presence(present=True, source="sensor")),
    ("presence", (False,), {"source": "door"}, wire.Presence(present=False, source="door")),
    ("caption", ("t",), {}, wire.Caption(turn="t")),
    ("caption", ("t", "x", [("x", 0, 5)]), {"append": True},
     wire.Caption(turn="t", text="x", words=(wire.Word("x", 0, 5),), append=True)),
    ("phones", ("t", [TimedPhones("a", 0, 5)]), {}, wire.Phones(turn="t", words=(wire.PhoneWord("a", 0, 5),))),
    ("take_floor", (), {}, wire.TakeFloor(queue="hold")),
    ("take_floor", ("drop",), {}, wire.TakeFloor(queue="drop")),
    ("release_floor", (), {}, wire.ReleaseFloor()),
    ("release_floor", ("bye",), {}, wire.ReleaseFloor(note="bye")),
    ("call", ("Where?",), {"language": "en", "conversation": [("customer", "Hi")]},
     wire.Call(question="Where?", language="en", conversation=(wire.Spoken("customer", "Hi"),))),
    ("hang_up", (), {}, wire.Call(open=False)),
    ("answer_call", (True,), {"in_s": 30}, wire.AnswerCall(coming=True, in_s=30)),
    ("answer_call", (False,), {}, wire.AnswerCall(coming=False, in_s=0)),
    ("subscribe", ("state", "calls"), {}, wire.Subscribe(topics=("state", "calls"))),
    ("subscribe", (), {}, wire.Subscribe(topics=())),
    ("subscribe", ("heard",), {"encoding": "opus"}, wire.Subscribe(topics=("heard",), encoding="opus")),
    ("screen", (), {}, wire.Screen(power="auto", brightness=None)),
    ("screen", ("off",), {"brightness": 0.5}, wire.Screen(power="off", brightness=0.5)),
    ("attend", (), {}, wire.Attend(listening=False, speaking=False, name="")),
    ("attend", (), {"listening": True, "name": "Ada"}, wire.Attend(listening=True, speaking=False, name="Ada")),
    ("attend", (), {"speaking": True}, wire.Attend(listening=False, speaking=True, name="")),
    ("mute", (), {}, wire.Mute()),
    ("unmute", (), {}, wire.Unmute()),
    ("emotion", ("happy",), {}, wire.Emotion(name="happy", intensity=1.0)),
    ("gesture", ("nod",), {}, wire.Gesture(name="nod")),
    ("state", ("thinking",), {}, wire.State(state="thinking")),
    ("look_at", (), {}, wire.LookAt()),
    ("volume", (0.5,), {}, wire.Volume(gain=0.5, fade_ms=20)),
    ("pause", (), {}, wire.Pause()),
    ("resume", (), {}, wire.Resume()),
]  # fmt: skip


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """The messages of all calls, sent by the blocking client, then by the other."""
    endpoint = f"ipc://{tmp_path_factory.mktemp('voice')}/voice.sock"

    async def talk():
        async with connect_async(endpoint) as agent:
            for name, arguments, options, _ in CALLS:
                assert await getattr(agent, name)(*arguments, **options) is None

    with served_voice(endpoint, capabilities=("phones",)) as voice:
        with connect(endpoint) as agent:
            for name, arguments, options, _ in CALLS:
                assert getattr(agent, name)(*arguments, **options) is None
        blocking = voice.double.received
        asyncio.run(asyncio.wait_for(talk(), 20))
        waiting = voice.double.received
    kinds = (wire.Hello, wire.Ping)
    return [[message for message in said if not isinstance(message, kinds)] for said in (blocking, waiting)]


@pytest.mark.parametrize("number", range(len(CALLS)), ids=[call[0] for call in CALLS])
def test_a_call_sends_its_message(spoken, number):
    for said in spoken:
        assert len(said) == len(CALLS)
        assert said[number] == CALLS[number][3]


def test_a_voice_that_knows_no_phones_is_sent_none(voice):
    with connect(voice.endpoint) as agent:
        agent.phones("t", [TimedPhones("a")])
        agent.turn("t").phones([TimedPhones("a")])
        agent.ping()
        assert not voice.received(wire.Phones)


def test_a_refused_order_does_not_stand_against_the_next(voice):
    answer = voice._answer

    def refusing(identity, frames):
        if isinstance(wire.decode_client(frames[0]), wire.Mute):
            voice._send(identity, [wire.Error(code="not_allowed", message="an observer may not")])
        answer(identity, frames)

    voice._answer = refusing
    with connect(voice.endpoint) as agent:
        with pytest.raises(ClientError, match="an observer may not"):
            agent.mute()
        agent.unmute()
        agent.subscribe("state")
        with pytest.raises(ClientError, match="an observer may not"):
            agent.mute()


def test_what_a_turn_has_sent_and_what_was_heard_are_told_in_ms(endpoint):
    with served_voice(endpoint, rate_hz=8000) as voice, connect(endpoint, rate_hz=8000) as agent:
        voice.playing = False
        turn = agent.turn()
        assert (turn.sent_ms, turn.played_ms, turn.started, turn.finished, turn.over) == (0, 0, None, None, False)
        turn.write(bytes(500 * 16))
        assert (turn.sent_ms, turn.played_ms) == (500, 0)
        assert agent.credit_ms == 500
        voice.playing = True
        assert turn.wait().played_ms == turn.played_ms == 500
        assert (turn.over, agent.rate_hz, agent.endpoint) == (True, 8000, endpoint)
        assert agent.events_dropped == 0
        assert agent.welcome.protocol == 1


def test_a_client_that_is_not_open_says_so():
    async def talk():
        client = AsyncClient("ipc:///nowhere", wire.Hello(protocol=1), 1.0)
        with pytest.raises(ClientError, match="not open") as refused:
            await client.poll()
        await client.close()
        return refused.value.code

    assert asyncio.run(talk()) == "closed"


def test_a_client_whose_work_fails_says_why(voice, monkeypatch):
    async def talk():
        agent = await connect_async(voice.endpoint)

        def broken(_):
            raise ZeroDivisionError("broken")

        monkeypatch.setattr(agent._session, "tick", broken)
        with pytest.raises(ClientError, match="not open") as failed:
            [event async for event in agent.events()]
        await agent.close()
        return failed.value.__cause__

    assert isinstance(asyncio.run(asyncio.wait_for(talk(), 20)), ZeroDivisionError)


@pytest.mark.parametrize(("timeout_s", "patience_s"), [(0.2, 1.0), (1.0, 1.0), (7.0, 7.0)])
def test_a_voice_has_the_timeout_to_answer_and_a_second_at_least(timeout_s, patience_s):
    client = AsyncClient("ipc:///nowhere", wire.Hello(protocol=1), timeout_s)
    assert client._session._patience_s == patience_s


async def lost(endpoint, act):
    """What `act` does to a turn whose voice is gone."""
    with served_voice(endpoint) as voice:
        voice.playing = False
        agent = await connect_async(endpoint)
        turn = agent.turn()
        await turn.write(bytes(3200))
    while agent.connected or agent._link is not None:
        await asyncio.sleep(0.005)
    try:
        return await act(agent, turn)
    finally:
        await agent.close()


def test_a_lost_turn_cannot_be_interrupted_and_says_so(endpoint):
    with pytest.raises(ClientError, match="was lost") as failed:
        asyncio.run(lost(endpoint, lambda _, turn: turn.interrupt()))
    assert failed.value.code == "unreachable"


def test_what_was_queued_for_a_voice_that_is_gone_troubles_nobody(endpoint):
    async def act(agent, turn):
        agent._session.outgoing.append((b"left over",))
        await turn.cancel()

    asyncio.run(lost(endpoint, act))


def test_waiting_leaves_nothing_behind(voice):
    async def talk():
        async with connect_async(voice.endpoint) as agent:
            while await agent.poll(0):
                pass
            for _ in range(20):
                assert await agent.poll(0.001) is None
            return len(agent._waiters)

    assert asyncio.run(talk()) == 0


def test_the_times_of_a_client():
    """Ticks are often enough for what the session repeats; nobody knocks at a closed door without a pause."""
    assert RETRY_S / 4 <= aio.STEP_S <= RETRY_S
    assert 0.05 <= aio.RECONNECT_S <= 0.2
    assert aio.REFUSED_PAUSE_S >= 10 * aio.RECONNECT_S
    assert aio.REFUSED_PAUSE_S <= 2
    assert 0.1 <= aio.BYE_S <= 1
    assert aio.PACKETS_A_BATCH * 20 == 200


def test_the_events_of_a_closed_client_are_at_their_end(voice):
    agent = connect(voice.endpoint)
    events = agent.events()
    assert isinstance(next(events), wire.Welcome)
    agent.close()
    assert list(events) == list(agent.events()) == []
