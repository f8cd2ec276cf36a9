"""OpenAI Live and Gemini Live: each message against the service's own types, and what the bridge makes of them."""

import asyncio
import base64
import json

import pydantic
import pytest
from google.genai import types as gemini
from openai.types.live import ClientEvent, ServerEvent
from websockets.asyncio.server import serve

from adapters.realtime.rig import run, speech, unknown
from mien.adapters.realtime import Bridge, GeminiLive, OpenAiLive, Settings, Tools
from mien.adapters.realtime.service import (
    AnswerBegun,
    AnswerDone,
    Complaint,
    Flush,
    ItemDone,
    Leaving,
    Ready,
    Reply,
    Sound,
    ToolCall,
    Transcript,
)
from mien.client import connect_async
from mien.errors import ConfigError
from rigs.services import running_voice

LIVE_CLIENT, LIVE_SERVER = pydantic.TypeAdapter(ClientEvent), pydantic.TypeAdapter(ServerEvent)


def desk(day: str) -> str:
    """Opening hours."""
    return day


SETTINGS = Settings(
    model="m", key="k", instructions="Be brief.", voice="marin", tools=Tools([desk]).schemas(), backend="gpt-5.5"
)
CALL = ToolCall("c1", "desk", '{"day": "Monday"}')


def base(pcm):
    return base64.b64encode(pcm).decode()


class Live:
    """A live dialect with a clock; every message is checked against openai's types."""

    def __init__(self):
        self.dialect, self.now_s = OpenAiLive(), 0.0

    def sent(self, *messages):
        for text in messages:
            unknown(LIVE_CLIENT.validate_json(text))
        return [json.loads(text) for text in messages]

    def read(self, kind, **fields):
        message = {"type": kind, "event_id": "e", **fields}
        LIVE_SERVER.validate_python(message)
        return self.dialect.read(json.dumps(message), self.now_s)

    def sound(self, pcm, after_s=0.0):
        self.now_s += after_s
        return self.read("session.output_audio.delta", delta=base(pcm))


def test_live_is_greeted_and_told_what_its_types_accept():
    live = Live()
    (greeting,) = live.sent(*live.dialect.greeting(SETTINGS))
    assert greeting["session"]["delegation"]["responses"]["model"] == "gpt-5.5"
    live.sent(live.dialect.sound(b"\0\0"), *live.dialect.tool_result(CALL, '"x"'), *live.dialect.ask())
    assert live.dialect.truncate("speech-0", 100) == live.dialect.cancel() == []
    assert live.dialect.headers(SETTINGS) == {"Authorization": "Bearer k"}


def test_live_tools_need_a_backend():
    with pytest.raises(ConfigError, match="--backend"):
        OpenAiLive().greeting(Settings(model="m", tools=Tools([desk]).schemas()))


def test_a_pause_in_lives_sound_ends_an_item():
    live = Live()
    assert live.sound(bytes(960)) == []
    assert live.sound(speech(20)) == [Sound("speech-0", speech(20))]
    assert live.sound(bytes(960), 0.5) == [Sound("speech-0", bytes(960))]
    assert live.sound(bytes(960), 0.5) == [ItemDone("speech-0")]
    assert live.sound(bytes(960), 5) == []
    assert live.sound(speech(20)) == [Sound("speech-1", speech(20))]


def test_a_stream_of_live_that_stands_still_ends_an_item_too():
    live = Live()
    live.sound(speech(20))
    assert live.dialect.tick(0.7) == []
    assert live.dialect.tick(0.9) == [ItemDone("speech-0")]
    assert live.dialect.tick(9) == []


def test_what_live_says_is_understood():
    live = Live()
    session = {"id": "s", "expires_at": 1, "model": "gpt-live-1", "status": "active"}
    assert live.read("session.started", session=session) == [Ready()]
    said = live.read("session.output_transcript.delta", delta="Hi", start_ms=0, end_ms=10)
    assert said == [Transcript("speech-0", "Hi")]
    delegation = {"id": "d", "type": "delegation", "target": "client"}
    (reply,) = live.read("session.delegation.created", delegation=delegation, offset_ms=1)
    assert isinstance(reply, Reply)
    assert live.sent(*reply.messages)[0]["delegation_id"] == "d"
    item = {"type": "function_call", "call_id": "c1", "name": "desk", "arguments": '{"day": "Monday"}'}
    for event, expected in (
        ({"type": "response.created"}, [AnswerBegun()]),
        ({"type": "response.output_item.done", "item": item}, [CALL]),
        ({"type": "response.output_item.done", "item": {"type": "message"}}, []),
        ({"type": "response.completed"}, [AnswerDone()]),
        ({"type": "response.failed", "response": {"error": {"message": "no"}}}, [AnswerDone(failed="no")]),
    ):
        assert live.read("response.event", event=event) == expected
    error = {"code": "unknown_parameter", "message": "no such voice", "type": "invalid_request_error"}
    assert live.read("error", error=error) == [Complaint("no such voice", "unknown_parameter")]
    closed = live.read("session.closed", reason="expired", session=session, usage={"seconds": 3})
    assert closed == [Leaving("it closed the session (expired)")]
    assert live.read("session.usage.updated", usage={"seconds": 1}) == []


class Gemini:
    """A Gemini dialect whose messages are checked against google-genai's types."""

    def __init__(self):
        self.dialect = GeminiLive()

    def sent(self, *messages):
        return [gemini.LiveClientMessage.model_validate_json(text) for text in messages]

    def read(self, **message):
        gemini.LiveServerMessage.model_validate(message)
        return self.dialect.read(json.dumps(message).encode(), 0.0)

    def content(self, **content):
        return self.read(serverContent=content)

    def sound(self, pcm):
        part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": base(pcm)}}
        return self.content(modelTurn={"parts": [part]})


def test_gemini_is_greeted_and_told_what_its_types_accept():
    google = Gemini()
    (greeting,) = google.sent(*google.dialect.greeting(SETTINGS))
    assert greeting.setup.model == "models/m"
    assert greeting.setup.generation_config.speech_config.voice_config.prebuilt_voice_config.voice_name == "marin"
    assert greeting.setup.tools[0].function_declarations[0].name == "desk"
    (sound,) = google.sent(google.dialect.sound(speech(20)))
    assert sound.realtime_input.audio.data == speech(20)
    (result,) = google.sent(*google.dialect.tool_result(CALL, '{"from": 9}'))
    assert result.tool_response.function_responses[0].response == {"result": {"from": 9}}
    assert google.dialect.truncate("turn-1", 100) == google.dialect.cancel() == google.dialect.ask() == []
    assert google.dialect.headers(SETTINGS) == {"x-goog-api-key": "k"}


def test_what_gemini_says_is_understood():
    google = Gemini()
    google.dialect.greeting(SETTINGS)
    assert google.read(setupComplete={}) == [Ready()]
    assert google.sound(speech(20)) == [AnswerBegun(), Sound("turn-1", speech(20))]
    assert google.content(outputTranscription={"text": "Hi"}) == [Transcript("turn-1", "Hi")]
    assert google.content(generationComplete=True) == [ItemDone("turn-1")]
    assert google.content(turnComplete=True) == [ItemDone("turn-1"), AnswerDone()]
    assert google.sound(speech(20)) == [AnswerBegun(), Sound("turn-2", speech(20))]
    assert google.content(interrupted=True) == [Flush()]
    call = {"id": "c1", "name": "desk", "args": {"day": "Monday"}}
    assert google.read(toolCall={"functionCalls": [call]}) == [CALL]
    assert google.read(goAway={"timeLeft": "10s"}) == [Leaving("it is going away")]
    assert google.read(usageMetadata={"totalTokenCount": 3}) == []


def test_gemini_resumes_its_session_on_the_next_connection():
    google = Gemini()
    assert json.loads(google.dialect.greeting(SETTINGS)[0])["setup"]["sessionResumption"] == {}
    google.read(sessionResumptionUpdate={"newHandle": "h1", "resumable": True})
    google.read(sessionResumptionUpdate={"resumable": False})
    assert json.loads(google.dialect.greeting(SETTINGS)[0])["setup"]["sessionResumption"] == {"handle": "h1"}


@pytest.mark.parametrize("dialect", [OpenAiLive, GeminiLive])
def test_a_message_that_is_no_object_is_refused(dialect):
    with pytest.raises(ValueError):
        dialect().read("[]", 0.0)


LIVE_SESSION = {"id": "s", "expires_at": 1, "model": "gpt-live-1", "status": "active"}


def live_speech(pcm):
    return [{"type": "session.output_audio.delta", "delta": base(pcm)}]


def gemini_speech(pcm):
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": base(pcm)}}
    return [{"serverContent": {"modelTurn": {"parts": [part]}}}, {"serverContent": {"turnComplete": True}}]


@pytest.mark.parametrize(
    ("dialect", "ready", "spoken"),
    [
        (OpenAiLive, {"type": "session.started", "session": LIVE_SESSION}, live_speech),
        (GeminiLive, {"setupComplete": {}}, gemini_speech),
    ],
)
def test_the_bridge_speaks_what_they_say_and_drops_what_it_interrupted(tmp_path, dialect, ready, spoken):
    async def serve_one(socket):
        await socket.recv()
        await socket.send(json.dumps(ready).encode())
        for message in spoken(speech(200)):
            await socket.send(json.dumps(message))
        await asyncio.sleep(1.2)
        for message in spoken(speech(10_000)):
            await socket.send(json.dumps(message))
        await socket.wait_closed()

    async def talk():
        heard = []
        async with (
            serve(serve_one, "127.0.0.1", 0) as server,
            connect_async(f"ipc://{tmp_path}/voice.sock", rate_hz=24000) as agent,
        ):
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            bridge = Bridge(agent, dialect(), Settings(model="m", url=url), on_heard=heard.append, listen=False)
            task = asyncio.create_task(bridge.run())
            while len(heard) < 1:
                await asyncio.sleep(0.01)
            while not bridge._speech.speaking:
                await asyncio.sleep(0.01)
            await agent.interrupt()
            while len(heard) < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert (heard[0].played_ms, heard[0].cut) == (pytest.approx(200, abs=1), False)
        assert heard[1].cut

    with running_voice(tmp_path):
        run(talk())
