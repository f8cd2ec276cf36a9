"""Text or WAV by HTTP: what was heard comes back, once, whatever happens."""

import asyncio
import json

import pytest

from adapters.http.rig import RATE_HZ, run, serving, wav
from mien.adapters.http import UNREAD, HttpService, serve_http
from mien.client import RelayDone, connect_async
from mien.errors import ConfigError


def names(told):
    return [name for name, _ in told]


def test_a_wav_is_spoken_and_its_end_is_told(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            told = await http.say(wav(300), turn="greeting")
            assert names(told).count("started") == 1
            assert names(told).count("finished") == 1
            name, finished = told[-1]
            assert (name, finished["turn"], finished["reason"]) == ("finished", "greeting", "played")
            assert finished["played_ms"] == pytest.approx(300, abs=1)

    run(talk())


@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 2), (22050, 1), (8000, 1)])
def test_a_wav_of_any_format_is_converted(tmp_path, rate_hz, channels):
    async def talk():
        async with serving(tmp_path) as http:
            told = await http.say(wav(300, rate_hz, channels))
            assert told[-1][1]["played_ms"] == pytest.approx(300, abs=5)

    run(talk())


def test_text_is_spoken_with_its_caption(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            for body, kind in ((b"hello", "text/plain"), (json.dumps({"text": "hello"}).encode(), "application/json")):
                told = await http.say(body, kind)
                assert told[-1][1]["played_ms"] == pytest.approx(250, abs=1)

    run(talk())


def test_the_words_that_were_heard_are_told(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            words = [["good", 0, 100], ["morning", 100, 290]]
            assert await http.post("/caption", {"text": "good morning", "words": words}, turn="t") == (200, {})
            told = await http.say(wav(300), turn="t")
            assert (told[-1][1]["words_heard"], told[-1][1]["last_word"]) == (2, "morning")

    run(talk())


def test_an_interruption_ends_every_request_with_what_was_heard(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            first, second = (asyncio.create_task(http.say(wav(10_000), turn=name)) for name in ("a", "b"))
            await asyncio.sleep(0.5)
            status, stopped = await http.post("/interrupt")
            assert (status, len(stopped)) == (200, 2)
            assert await http.post("/interrupt") == (200, [])
            for told in (await first, await second):
                assert names(told).count("finished") == 1
                assert (told[-1][1]["reason"], told[-1][1]["interrupted"]) == ("interrupted", True)
                assert told[-1][1]["played_ms"] < 5000

    run(talk())


def test_an_interruption_while_the_body_still_comes(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:

            async def slowly():
                yield wav(10_000)[:16_000]
                await asyncio.sleep(30)

            told = []
            async for name, data in http.stream(slowly()):
                told.append((name, data))
                if name == "started":
                    await http.post("/interrupt")
            assert names(told).count("finished") == 1
            assert told[-1][1]["interrupted"]

    run(talk())


def test_a_request_that_is_closed_stops_its_speech(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            async for name, _ in http.stream(wav(20_000)):
                if name == "started":
                    break
            told = await http.say(wav(100))
            assert told[-1][1]["reason"] == "played"

    run(talk())


def test_a_pause_loses_nothing(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            saying = asyncio.create_task(http.say(wav(400)))
            await asyncio.sleep(0.1)
            assert (await http.post("/pause"))[0] == 200
            await asyncio.sleep(0.2)
            assert (await http.post("/resume"))[0] == 200
            assert (await saying)[-1][1]["played_ms"] == pytest.approx(400, abs=1)

    run(talk())


def test_one_answer_at_the_end_for_those_who_want_no_events(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            ((status, finished),) = await http.say(wav(100), Accept="application/json")
            assert (status, finished["reason"]) == (200, "played")

    run(talk())


def test_an_empty_wav_finishes_at_once(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            told = await http.say(wav(0))
            assert (told[-1][0], told[-1][1]["played_ms"]) == ("finished", 0)

    run(talk())


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"no wav at all", "audio/wav", 400, "not a WAV"),
        (b"RIFF", "audio/wav", 400, "cut off"),
        (b"", "audio/wav", 400, "cut off"),
        (b"  \n", "text/plain", 400, "empty"),
        (b"x" * 16_001, "text/plain", 413, "16000"),
        (b"[1]", "application/json", 400, "object"),
        (b"{", "application/json", 400, "JSON"),
        (b'{"text": 3}', "application/json", 400, "string"),
        (b"...", "audio/mpeg", 415, "audio/wav"),
        (b"\xff\xfe", "text/plain", 400, "cannot be read"),
        (b"hi", "text/plain; charset=klingon", 400, "cannot be read"),
        (b"a text without a type", "application/octet-stream", 400, "not a WAV"),
        (b"hi", "application/x-www-form-urlencoded", 415, "text/plain"),
    ],
)
def test_what_cannot_be_spoken_is_refused_with_the_reason(tmp_path, body, kind, status, words):
    async def talk():
        async with serving(tmp_path) as http:
            ((answered, error),) = await http.say(body, kind)
            assert answered == status
            assert words in error["error"]
            assert (await http.say(wav(50)))[-1][1]["reason"] == "played"

    run(talk())


def test_a_name_that_is_taken_is_refused(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            saying = asyncio.create_task(http.say(wav(1000), turn="t"))
            await asyncio.sleep(0.2)
            ((status, error),) = await http.say(wav(100), turn="t")
            assert (status, error["code"]) == (409, "turn_exists")
            assert (await saying)[-1][1]["reason"] == "played"

    run(talk())


def test_text_without_a_tts_says_so(tmp_path):
    async def talk():
        async with serving(tmp_path, synthesize=None) as http:
            ((status, error),) = await http.say(b"hello", "text/plain")
            assert (status, "without a TTS" in error["error"]) == (501, True)

    run(talk())


def test_a_tts_that_fails_is_told_and_hangs_nothing(tmp_path):
    def fail(text, rate_hz):
        yield b"\x11\x22" * rate_hz
        raise RuntimeError(f"no voice for {text}")

    async def talk():
        async with serving(tmp_path, synthesize=fail) as http:
            told = await http.say(b"hello", "text/plain")
            assert (told[-1][0], told[-1][1]["error"]) == ("error", "RuntimeError: no voice for hello")
            assert (await http.say(wav(50)))[-1][1]["reason"] == "played"

    run(talk())


def test_a_voice_that_is_lost_in_mid_speech_is_told_once(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            told = []
            async for name, _ in http.stream(wav(20_000)):
                told.append(name)
                if name == "started":
                    http.voice.stop()
            assert len([name for name in told if name in ("finished", "error")]) == 1
            async with asyncio.timeout(10):
                while http.agent.connected:
                    await asyncio.sleep(0.01)
            async with http.session.get("/health") as response:
                assert response.status == 503

    run(talk())


def test_watchers_see_every_event(tmp_path):
    async def talk():
        async with serving(tmp_path) as http, http.session.get("/events") as events:
            await http.say(wav(100), turn="t")
            seen = b""
            while b"event: finished" not in seen:
                seen += await events.content.readline()

    run(talk())


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}])
def test_web_pages_and_foreign_hosts_are_refused(tmp_path, headers):
    async def talk():
        async with serving(tmp_path) as http:
            ((status, _),) = await http.say(b"hello", "text/plain", **headers)
            assert status == 403

    run(talk())


def test_a_page_that_is_allowed_may_speak(tmp_path):
    async def talk():
        headers = {"Content-Type": "audio/wav", "Origin": "http://kiosk.local"}
        async with (
            serving(tmp_path, origins=["http://kiosk.local"]) as http,
            http.session.post("/say", data=wav(50), headers=headers) as response,
        ):
            assert response.headers["Access-Control-Allow-Origin"] == "http://kiosk.local"
            await response.read()

    run(talk())


def test_a_page_that_is_allowed_may_ask_first(tmp_path):
    async def talk():
        async with serving(tmp_path, origins=["http://kiosk.local"]) as http:
            for origin, status in (("http://kiosk.local", 204), ("http://evil.example", 403)):
                headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
                async with http.session.options("/say", headers=headers) as response:
                    assert response.status == status
                    assert response.headers.get("Access-Control-Allow-Origin") == (origin if status == 204 else None)

    run(talk())


@pytest.mark.parametrize(
    "words", ["no list", [1], [["a", 0]], [["a", "x", 1]], [["a", 0, float("inf")]], [["a", -1, 5]]]
)
def test_words_that_are_none_are_refused(tmp_path, words):
    async def talk():
        async with serving(tmp_path) as http:
            status, error = await http.post("/caption", {"text": "a", "words": words}, turn="t")
            assert (status, "error" in error) == (400, True)

    run(talk())


@pytest.mark.parametrize("turn", ["x" * 65, "a\nb"])
def test_a_name_that_no_turn_can_have_is_refused(tmp_path, turn):
    async def talk():
        async with serving(tmp_path) as http:
            ((status, error),) = await http.say(wav(50), turn=turn)
            assert (status, error["code"]) == (400, "malformed")

    run(talk())


def test_only_loopback_is_served():
    async def talk():
        with pytest.raises(ConfigError, match="loopback"):
            await serve_http(HttpService(None), "0.0.0.0", 0, print)

    run(talk())


def test_the_rate_of_the_client_is_that_of_the_speech(tmp_path):
    async def talk():
        asked = []

        def synthesize(text, rate_hz):
            asked.append((text, rate_hz))
            return [b"\x11\x22" * 160]

        async with serving(tmp_path, synthesize=synthesize) as http:
            await http.say(b"hello", "text/plain")
            assert asked == [("hello", RATE_HZ)]

    run(talk())


def test_a_port_in_use_says_so(tmp_path):
    async def talk():
        async with serving(tmp_path) as http:
            port = http.session._base_url.port
            with pytest.raises(ConfigError, match="in use"):
                await serve_http(HttpService(http.agent), "127.0.0.1", port, print)

    run(talk())


def test_text_guides_the_lips_and_its_caption_says_nothing_new(tmp_path, guided):
    async def talk():
        async with serving(tmp_path) as http:
            speaking = asyncio.create_task(http.say(b"hello there", "text/plain", turn="t"))
            async with asyncio.timeout(10):
                while len(guided) < 2:
                    await asyncio.sleep(0.01)
            await http.post("/caption", {"text": "hello there"}, turn="t")
            await speaking

    run(talk())
    assert [word.phones for word in guided] == ["hello", "there"]


def test_captions_before_and_during_a_wav_guide_the_lips(tmp_path, guided):
    async def talk():
        async with serving(tmp_path) as http:
            assert await http.post("/caption", {"text": "good", "words": [["good", 0, 200]]}, turn="t") == (200, {})
            speaking = asyncio.create_task(http.say(wav(800), turn="t"))
            async with asyncio.timeout(10):
                while not guided:
                    await asyncio.sleep(0.01)
            more = {"text": " day", "words": [["day", 300, 500]], "append": True}
            assert await http.post("/caption", more, turn="t") == (200, {})
            await speaking

    run(talk())
    assert [tuple(word) for word in guided] == [("good", 0, 200), ("day", 300, 500)]


async def relay_outcome(ada, number):
    """What became of a text that was relayed."""
    async with asyncio.timeout(10):
        while not (isinstance(event := await ada.poll(10), RelayDone) and event.id == number):
            assert event is not None
    return event.outcome, event.why


def test_what_staff_relay_is_an_event_that_a_program_answers(tmp_path):
    async def talk():
        async with (
            serving(tmp_path, relay=True) as http,
            connect_async(http.agent.endpoint, role="agent", name="Ada") as ada,
        ):
            number = await ada.relay("note", "Refunded.")
            assert await relay_outcome(ada, number) == ("unused", UNREAD)
            async with http.session.get("/events") as events:
                number = await ada.relay("whisper", "She has a ticket.")
                async with asyncio.timeout(10):
                    while (await events.content.readline()) != b"event: relayed\n":
                        pass
                told = json.loads((await events.content.readline()).removeprefix(b"data: "))
                assert told == {"kind": "whisper", "text": "She has a ticket.", "from": "Ada", "id": number}
                wrong = {"id": number, "outcome": "perhaps"}
                status, error = await http.post("/relay_done", wrong)
                assert (status, "said, cut, kept or unused" in error["error"]) == (400, True)
                assert await http.post("/relay_done", {"id": number, "outcome": "kept"}) == (200, {})
                assert await relay_outcome(ada, number) == ("kept", "")

    run(talk())
