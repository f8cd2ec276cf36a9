"""A visit over a real voice, by touch alone: from the first touch to the goodbye."""

import asyncio
import logging

import msgspec
import pytest

from converse.visit.touch_kiosk import with_kiosk
from mien.client import Call, ClientError, RelayDone, Visit, connect_async
from mien.config import Config
from mien.converse.history import STAFF_NOTE, STAFF_SAID, Exchange
from mien.converse.start import check_buttons
from mien.converse.visit.visiting import _spoken
from mien.errors import ConfigError
from rigs.services import running_voice

HOURS = "What are your opening hours?"


def test_a_visit_without_a_word(tmp_path):
    async def test(kiosk):
        kiosk.panel.touch()
        await kiosk.shows(HOURS)
        await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
        kiosk.panel.touch(HOURS)
        await kiosk.until(lambda: "Ten to six." in kiosk.said(), "the answer")
        assert kiosk.panel.captions
        await kiosk.until(lambda: not kiosk.agent.busy, "silence")
        await kiosk.shows("Goodbye")
        kiosk.panel.touch("Goodbye")
        await kiosk.until(lambda: kiosk.records, "the end")
        await kiosk.until(lambda: not kiosk.panel.look(), "an empty screen")
        (record,) = kiosk.records
        assert (record.ended, record.questions, record.answered) == ("touch", 1, 1)

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={HOURS: "Ten to six."}, buttons=[HOURS, "goodbye"]))


@pytest.mark.parametrize("known", [True, False], ids=["answered", "refused"])
def test_of_what_was_said_no_word_is_in_a_file_or_a_log(tmp_path, caplog, known):
    """With the log of visits on, which keeps no text by itself, and every logger at its most talkative."""
    run_dir, folder = tmp_path / "run", tmp_path / "visits"
    run_dir.mkdir(mode=0o700)
    caplog.set_level(logging.DEBUG)
    asked, answer = "Where is secretquestion?", "Beside secretanswer."

    async def test(kiosk):
        kiosk.panel.touch()
        await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
        kiosk.panel.touch(asked)
        await kiosk.until(lambda: len(kiosk.said()) > 1 and not kiosk.agent.busy, "an answer")
        assert any("secretanswer" in text for text in kiosk.said()) == known
        await kiosk.shows("Goodbye")
        kiosk.panel.touch("Goodbye")
        await kiosk.until(lambda: kiosk.records, "the end")

    visit = {"enabled": True, "buttons": [asked, "goodbye"], "log": str(folder)}
    config = msgspec.convert({"visit": visit, "converse": {"filler_ms": 10_000, "deadline_ms": 30_000}}, Config)
    with running_voice(run_dir):
        asyncio.run(with_kiosk(run_dir, test, answers={asked: answer if known else ""}, config=config))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.parent == folder for path in files)
    assert [path for path in files if b"secret" in path.read_bytes()] == []
    assert "secret" not in caplog.text


def test_a_sensor_of_another_client_greets(tmp_path):
    async def test(kiosk):
        async with connect_async(f"ipc://{tmp_path}/voice.sock") as sensor:
            await sensor.presence(True, source="pir")
            await kiosk.until(lambda: any("automated assistant" in text for text in kiosk.said()), "the greeting")

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={}, greet_after_ms=200))


def test_while_an_agent_holds_the_floor_nothing_is_shown_and_it_comes_back(tmp_path):
    async def test(kiosk):
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            await ada.take_floor()
            kiosk.panel.touch()
            await asyncio.sleep(0.5)
            assert kiosk.panel.look() == {}
            await ada.release_floor()
            await kiosk.shows(HOURS)

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={}, buttons=[HOURS]))


def test_a_person_is_called_answers_speaks_and_hands_back_with_a_note(tmp_path):
    async def test(kiosk):
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            kiosk.panel.touch()
            await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
            kiosk.panel.touch(HOURS)
            await kiosk.until(lambda: "Ten to six." in kiosk.said(), "the answer")
            await kiosk.until(lambda: not kiosk.agent.busy, "silence")
            kiosk.panel.touch("Talk to a person")
            call = await next_event(ada, Call)
            assert (call.open, call.question, call.language) == (True, HOURS, "en")
            assert [(one.who, one.text) for one in call.conversation] == [("customer", HOURS), ("kiosk", "Ten to six.")]
            await ada.answer_call(True, in_s=30)
            await kiosk.until(lambda: "Somebody is coming, in about 30 seconds." in kiosk.said(), "the truth")
            await ada.take_floor()
            await kiosk.until(lambda: kiosk.agent._visiting.host.with_person, "the person")
            async with ada.turn() as turn:
                await turn.write(bytes(2 * 16000 // 2))
            assert (await turn.wait()).reason == "played"
            await ada.release_floor(note="will come at ten")
            await kiosk.until(lambda: any("assistant again" in text for text in kiosk.said()), "the assistant")
            assert (await next_event(ada, Call)).open is False
            history = kiosk.agent._conversation.history.snapshot()
            assert history[-1].heard == "will come at ten"

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={HOURS: "Ten to six."}, buttons=[HOURS, "person"]))


def test_captions_that_are_switched_off_are_not_sent(tmp_path):
    async def test(kiosk):
        kiosk.panel.touch()
        await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
        await kiosk.until(lambda: not kiosk.agent.busy, "silence")
        kiosk.panel.touch("Hide captions")
        await kiosk.shows("Show captions")
        await kiosk.until(lambda: "Captions are off." in kiosk.said(), "the words")
        before = len(kiosk.panel.captions)
        kiosk.panel.touch(HOURS)
        await kiosk.until(lambda: "Ten to six." in kiosk.said(), "the answer")
        kiosk.panel.look()
        assert "Ten to six." not in kiosk.panel.captions[before:]
        await kiosk.until(lambda: not kiosk.agent.busy, "silence")
        kiosk.panel.touch("Show captions")
        await kiosk.until(lambda: kiosk.panel.look() and "You can read what I say now." in kiosk.panel.captions, "text")

    config = {"visit": {"enabled": True, "buttons": [HOURS, "captions"]}, "captions": {"enabled": True}}
    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={HOURS: "Ten to six."}, config=msgspec.convert(config, Config)))


@pytest.mark.parametrize("drawn", [True, False])
def test_a_code_is_shown_and_spoken_of_only_where_the_face_draws_it(tmp_path, caplog, drawn):
    async def test(kiosk):
        kiosk.panel.draws_qr = drawn
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            kiosk.panel.touch()
            await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
            kiosk.panel.touch("Talk to a person")
            await next_event(ada, Call)
            await ada.answer_call(False)
            await kiosk.until(lambda: kiosk.panel.look() and kiosk.panel.offer.qr == "https://a.example", "the code")
            await kiosk.until(lambda: any("nobody can come" in text for text in kiosk.said()), "the truth")
            if drawn:
                await kiosk.until(lambda: any("scan the code" in text for text in kiosk.said()), "the code, said")
            else:
                await kiosk.until(lambda: "shows no QR code" in caplog.text, "the warning")
                await kiosk.until(lambda: not kiosk.agent.busy, "silence")
                assert not any("scan the code" in text for text in kiosk.said())

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={}, buttons=["person"], qr="https://a.example"))


@pytest.mark.parametrize("button", ["captions", "language"])
def test_a_button_that_could_change_nothing_is_refused_with_the_remedy(button):
    tree = {"visit": {"buttons": [button]}}
    with pytest.raises(ConfigError, match=f"visit.buttons: '{button}' needs"):
        check_buttons(msgspec.convert(tree, Config))
    check_buttons(msgspec.convert({**tree, "captions": {"enabled": True}, "converse": {"language": "auto"}}, Config))


async def next_event(client, kind):
    async for event in client.events():
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__}")


def test_who_is_called_learns_what_staff_has_done_and_the_visitor_has_said_none_of_it():
    history = (
        Exchange("Where is the till?", "Over there."),
        Exchange(STAFF_NOTE, "Refunded.", staff=True),
        Exchange(STAFF_SAID, "Please wait.", staff=True),
    )
    said = [spoken for exchange in history for spoken in _spoken(exchange)]
    assert [text for who, text in said if who == "customer"] == ["Where is the till?"]
    assert said[-2:] == [("kiosk", f"{STAFF_NOTE} Refunded."), ("kiosk", "Please wait.")]


def test_a_supervisor_follows_the_visit_and_lets_the_kiosk_say_something(tmp_path):
    async def test(kiosk):
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            await ada.subscribe("visits")
            assert (await next_event(ada, Visit)).phase == "attract"
            kiosk.panel.touch()
            greeting, talk = await next_event(ada, Visit), await next_event(ada, Visit)
            assert (greeting.phase, talk.phase) == ("greeting", "conversation")
            assert greeting.visit == talk.visit != ""
            number = await ada.relay("say", "Your table is ready. Mr. Smith waits.")
            assert await next_event(ada, RelayDone) == RelayDone(id=number, outcome="said")
            assert "Your table is ready. Mr. Smith waits." in kiosk.said()
            kiosk.panel.touch("Goodbye")
            over = await next_event(ada, Visit)
            while over.phase != "over":
                over = await next_event(ada, Visit)
            assert (over.visit, over.reason, over.turns) == (talk.visit, "touch", 0)

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={}, buttons=["goodbye"]))


def test_what_is_relayed_while_a_person_speaks_is_said_when_the_floor_is_free(tmp_path):
    async def test(kiosk):
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            kiosk.panel.touch()
            await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
            await kiosk.until(lambda: not kiosk.agent.busy, "silence")
            await ada.take_floor()
            await kiosk.until(lambda: kiosk.agent._visiting.host.with_person, "the person")
            number = await ada.relay("say", "Here is your ticket.")
            await asyncio.sleep(0.5)
            assert "Here is your ticket." not in kiosk.said()
            await ada.release_floor()
            assert (await next_event(ada, RelayDone)).id == number
            said = kiosk.said()
            assert said.index("Here is your ticket.") > next(
                n for n, text in enumerate(said) if "assistant again" in text
            )

    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={}, buttons=["goodbye"]))


@pytest.mark.parametrize("think", ["knowledge", "url"])
def test_a_whisper_reaches_a_thinker_with_a_prompt_and_is_declined_by_a_file(tmp_path, think):
    async def test(kiosk):
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            kiosk.panel.touch()
            await kiosk.until(lambda: kiosk.agent._visiting.host.visit.state == "conversation", "the greeting's end")
            number = await ada.relay("whisper", "The tour is cancelled.")
            done = await next_event(ada, RelayDone)
            assert (done.id, done.outcome) == (number, "kept" if think == "url" else "unused")
            assert ("file" in done.why) == (think == "knowledge")
            kiosk.panel.touch(HOURS)
            await kiosk.until(lambda: "Ten to six." in kiosk.said(), "the answer")
            assert kiosk.agent._thinking.whispers == (("The tour is cancelled.",) if think == "url" else ())
            await kiosk.until(lambda: not kiosk.agent.busy, "silence")
            assert not any("cancelled" in repr(note) for note in kiosk.notes), "neither said nor logged"
            await kiosk.shows("Goodbye")
            kiosk.panel.touch("Goodbye")
            await kiosk.until(lambda: kiosk.records, "the end")
            assert kiosk.agent._conversation.history.whispers == []

    whole = {
        "visit": {"enabled": True, "buttons": [HOURS, "goodbye"]},
        "converse": {"think": think, "think_url": "http://localhost:1/v1", "filler_ms": 10_000, "deadline_ms": 30_000},
    }
    with running_voice(tmp_path):
        asyncio.run(with_kiosk(tmp_path, test, answers={HOURS: "Ten to six."}, config=msgspec.convert(whole, Config)))


def test_a_kiosk_that_is_gone_takes_no_texts_and_its_visit_is_over(tmp_path):
    async def watch():
        async with connect_async(f"ipc://{tmp_path}/voice.sock", role="agent", name="Ada") as ada:
            await ada.subscribe("visits")

            async def nothing(_):
                assert (await next_event(ada, Visit)).phase == "attract"

            await with_kiosk(tmp_path, nothing, answers={})
            over = await next_event(ada, Visit)
            assert (over.phase, over.reason, over.client) == ("over", "client_gone", "client")
            with pytest.raises(ClientError) as refused:
                await ada.relay("say", "Hello?")
            assert refused.value.code == "no_speaker"

    with running_voice(tmp_path):
        asyncio.run(asyncio.wait_for(watch(), 60))
