"""openai's own client library against the stand-in server: what the bridge is tested with speaks the real protocol."""

import asyncio
import base64

import openai
import pytest

from adapters.realtime.rig import check_client, check_server, run, speech
from mien.bench.adapters.realtime_server import RealtimeServer


def test_openais_client_holds_a_conversation_with_the_server():
    async def talk():
        async with RealtimeServer(check_in=check_client, check_out=check_server, key="sk-test") as server:
            client = openai.AsyncOpenAI(api_key="sk-test", websocket_base_url=server.url.removesuffix("/realtime"))
            async with client.realtime.connect(model="gpt-realtime") as connection:
                assert (await connection.recv()).type == "session.created"
                await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
                updated = await connection.recv()
                assert (updated.type, updated.session.instructions) == ("session.updated", "Be brief.")
                await connection.input_audio_buffer.append(audio=base64.b64encode(speech(20)).decode())

                await server.begin()
                item = await server.begin_item()
                await server.speak(item, speech(500), "Hello")
                await server.end_item(item)
                await server.finish()
                kinds, sound = [], b""
                while "response.done" not in kinds:
                    event = await connection.recv()
                    kinds.append(event.type)
                    if event.type == "response.output_audio.delta":
                        sound += base64.b64decode(event.delta)
                assert sound == speech(500)
                assert kinds == [
                    "response.created",
                    "response.output_item.added",
                    "response.output_audio_transcript.delta",
                    "response.output_audio.delta",
                    "response.output_audio.done",
                    "response.output_item.done",
                    "response.done",
                ]

                await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=300)
                truncated = await connection.recv()
                assert (truncated.type, truncated.audio_end_ms) == ("conversation.item.truncated", 300)
                await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=501)
                refused = await connection.recv()
                assert (refused.type, refused.error.code) == ("error", "invalid_value")
                await connection.response.cancel()
                assert (await connection.recv()).error.code == "response_cancel_not_active"
            assert server.heard == speech(20)
            assert server.wrong == []

    run(talk())


def test_openais_client_reports_a_wrong_key():
    async def talk():
        async with RealtimeServer(key="sk-right") as server:
            client = openai.AsyncOpenAI(api_key="sk-wrong", websocket_base_url=server.url.removesuffix("/realtime"))
            with pytest.raises(Exception, match="401"):
                async with client.realtime.connect(model="gpt-realtime"):
                    pass

    run(talk())


def test_openais_client_connects_again_after_a_drop():
    async def talk():
        async with RealtimeServer(key="k") as server:
            client = openai.AsyncOpenAI(api_key="k", websocket_base_url=server.url.removesuffix("/realtime"))
            options = {"on_reconnecting": lambda _: None, "initial_delay": 0.01}
            async with client.realtime.connect(model="m", **options) as connection:
                events = aiter(connection)
                assert (await anext(events)).type == "session.created"
                await server.drop()
                async with asyncio.timeout(10):
                    assert (await anext(events)).type == "session.created"
            assert server.connections == 2

    run(talk())
