"""What staff relay to a service: said by it, or known to it, and what became of each text told to who relayed it."""

import asyncio

import pytest

from adapters.realtime.rig import run, talking
from mien.client import ClientError, RelayDone, connect_async

PATIENCE_S = 15


async def outcome(ada, number):
    """What became of this text, as its sender is told."""
    async with asyncio.timeout(PATIENCE_S):
        while not (isinstance(event := await ada.poll(PATIENCE_S), RelayDone) and event.id == number):
            assert event is not None
    return event.outcome, event.why


def ada_of(talk):
    return connect_async(talk.agent.endpoint, role="agent", name="Ada")


@pytest.mark.parametrize(("kind", "begins"), [("whisper", "From the staff, for you alone"), ("note", "A note")])
def test_a_whisper_or_a_note_becomes_a_message_of_the_system(tmp_path, kind, begins):
    async def talk():
        async with talking(tmp_path, relays=True) as talk, ada_of(talk) as ada:
            number = await ada.relay(kind, "She has a ticket.")
            assert await outcome(ada, number) == ("kept", "")
            (message,) = talk.server.of("conversation.item.create")
            assert message["item"]["role"] == "system"
            told = message["item"]["content"][0]["text"]
            assert told.startswith(begins)
            assert told.endswith("She has a ticket.")
            assert not talk.server.of("response.create")

    run(talk())


def test_a_text_interrupts_the_answer_and_is_said_in_its_place(tmp_path):
    async def talk():
        async with talking(tmp_path, relays=True) as talk, ada_of(talk) as ada:
            cut = await talk.speak(8000, end=False)
            await talk.playing(100)
            number = await ada.relay("say", "Your table is ready.")
            await talk.until(lambda: talk.server.of("response.create"))
            await talk.until(lambda: talk.heard_of(cut))
            assert talk.heard_of(cut)[0].cut
            (asked,) = talk.server.of("response.create")
            assert asked["response"]["instructions"].endswith("Your table is ready.")
            await talk.speak(200, text="Your table is ready.")
            assert await outcome(ada, number) == ("said", "")

    run(talk())


def test_a_text_that_the_customer_interrupts_is_told_as_cut(tmp_path):
    async def talk():
        async with talking(tmp_path, relays=True) as talk, ada_of(talk) as ada:
            number = await ada.relay("say", "A long text.")
            await talk.until(lambda: talk.server.of("response.create"))
            await talk.speak(8000, end=False)
            await talk.playing(100)
            await talk.server.user_started()
            assert await outcome(ada, number) == ("cut", "")

    run(talk())


def test_a_text_that_the_service_cannot_say_is_told_with_its_reason(tmp_path):
    async def talk():
        async with talking(tmp_path, relays=True) as talk, ada_of(talk) as ada:
            number = await ada.relay("say", "A text.")
            await talk.until(lambda: talk.server.of("response.create"))
            await talk.server.begin()
            await talk.server.fail("rate_limit_exceeded", "Too many requests")
            assert await outcome(ada, number) == ("unused", "Too many requests")
            await asyncio.sleep(1)
            assert len(talk.server.of("response.create")) == 1, "an answer to nothing was asked for"

    run(talk())


def test_while_an_agent_holds_the_floor_a_text_waits(tmp_path):
    async def talk():
        async with talking(tmp_path, relays=True) as talk, ada_of(talk) as ada:
            await ada.take_floor()
            await talk.until(lambda: talk.bridge._relays.held)
            number = await ada.relay("say", "Welcome back.")
            whispered = await ada.relay("whisper", "She has a ticket.")
            assert await outcome(ada, whispered) == ("kept", "")  # it came behind the text to be said
            assert not talk.server.of("response.create")
            await ada.release_floor()
            await talk.until(lambda: talk.server.of("response.create"))
            await talk.speak(100)
            assert await outcome(ada, number) == ("said", "")

    run(talk())


def test_without_the_capability_nobody_can_relay(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk, ada_of(talk) as ada:
            with pytest.raises(ClientError, match="no speaker takes relayed texts"):
                await ada.relay("say", "Hello")

    run(talk())
