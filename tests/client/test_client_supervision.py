"""What a supervisor does through the client: relay, watch visits, switch the screen, attend; against the real voice."""

import asyncio

import pytest

from mien.client import Draining, RelayDone, Relayed, RelayTaken, Visit, connect, connect_async
from mien.client._session import Session
from mien.core import wire
from mien.errors import ClientError
from rigs.services import running_voice
from rigs.voice_double import make_welcome
from rigs.voice_server import served_voice


@pytest.fixture
def where(tmp_path):
    with running_voice(tmp_path) as voice:
        yield voice.endpoints[-1]


def next_event(client, kind):
    while not isinstance(event := client.poll(10), kind):
        assert event is not None, f"no {kind.__name__} came"
    return event


def test_a_text_goes_to_the_speaker_and_its_answer_comes_back(where):
    with connect(where, name="bot", capabilities=("relay",)) as bot, connect(where, role="agent", name="Ada") as ada:
        number = ada.relay("whisper", "She has a ticket.")
        got = next_event(bot, Relayed)
        assert (got.kind, got.text, got.sender, got.id) == ("whisper", "She has a ticket.", "Ada", number)
        assert next_event(ada, RelayTaken) == RelayTaken(id=number, speaker="bot")
        bot.relay_done(got, "unused", "no prompt")
        assert next_event(ada, RelayDone) == RelayDone(id=number, outcome="unused", why="no prompt")
        assert ada.relay("say", "Hello") != number


def test_refusals_are_raised(where):
    with connect(where) as bot, connect(where, role="agent") as ada, connect(where, role="observer") as eye:
        for order, code in (
            (lambda: ada.relay("say", "Hello"), "no_speaker"),
            (lambda: ada.relay("say", ""), "malformed"),
            (lambda: ada.relay("shout", "Hello"), "malformed"),
            (lambda: bot.relay("say", "Hello"), "not_allowed"),
            (lambda: eye.screen("off"), "not_allowed"),
            (lambda: eye.drain(True), "not_allowed"),
            (lambda: ada.screen("auto", brightness=0.0), "malformed"),
            (lambda: bot.attend(listening=True), "not_allowed"),
        ):
            with pytest.raises(ClientError) as caught:
                order()
            assert caught.value.code == code
        ada.screen("auto", brightness=0.5)
        eye.attend(listening=True, name="Eye")
        eye.attend()


def test_visits_are_told_to_subscribers_with_asyncio_too(where):
    async def talk():
        async with connect_async(where, name="bot") as bot, connect_async(where, role="observer") as eye:
            await eye.subscribe("visits")
            await bot.visit(Visit(phase="greeting", visit="v1"))
            await bot.visit(Visit(phase="over", visit="v1", reason="word", turns=1))
            told = []
            while len(told) < 2:
                event = await eye.poll()
                told += [event] if isinstance(event, Visit) else []
            return told

    first, last = asyncio.run(asyncio.wait_for(talk(), 20))
    assert (first.phase, first.visit, first.client) == ("greeting", "v1", "bot")
    assert (last.phase, last.reason, last.turns) == ("over", "word", 1)


def test_an_older_voice_is_not_told_of_visits(endpoint):
    with served_voice(endpoint) as server, connect(endpoint) as bot:
        bot.visit(Visit(phase="attract"))
        bot.ping()
        assert not any(isinstance(message, wire.Visit) for message in server.double.received)


def test_a_reopened_session_attends_again():
    session = Session(wire.Hello(protocol=1, role="observer"))
    session.attending = wire.Attend(listening=True, name="Ada")
    session.greet(0.0)
    session.outgoing.clear()
    session.receive([wire.encode(make_welcome())], 0.0)
    assert [wire.decode_client(frames[0]) for frames in session.outgoing] == [session.attending]


def test_attending_is_forgotten_where_it_was_ended(where):
    with connect(where, role="observer") as eye:
        eye.attend(listening=True)
        assert eye._client._session.attending is not None
        eye.attend()
        assert eye._client._session.attending is None


def test_a_speaker_learns_that_new_visitors_are_turned_away(where):
    with connect(where, name="bot", capabilities=("drain",)) as bot, connect(where, role="agent") as ada:
        assert next_event(bot, Draining) == Draining(on=False)
        ada.drain(True)
        assert next_event(bot, Draining) == Draining(on=True)
