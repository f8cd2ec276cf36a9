"""The HTTP service on a real voice, with a client of its own."""

import asyncio
import contextlib
import io
import json
import wave

import aiohttp

from mien.adapters.http import HttpService, serve_http
from mien.client import connect_async
from rigs.services import running_voice

RATE_HZ = 16000
PATIENCE_S = 15


def wav(ms, rate_hz=RATE_HZ, channels=1):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(b"\x11\x22" * (ms * rate_hz // 1000 * channels))
    return file.getvalue()


def beep(text, rate_hz):
    """A TTS that takes 50 ms a letter."""
    yield b"\x11\x22" * (len(text) * rate_hz // 20)


class Http:
    def __init__(self, agent, session, voice):
        self.agent, self.session, self.voice = agent, session, voice

    async def say(self, data, kind="audio/wav", turn="", **headers):
        """All server-sent events of one request, or its error as [(status, body)]."""
        return [told async for told in self.stream(data, kind, turn, **headers)]

    async def stream(self, data, kind="audio/wav", turn="", **headers):
        query = {"turn": turn} if turn else {}
        async with self.session.post(
            "/say", data=data, params=query, headers={"Content-Type": kind, **headers}
        ) as response:
            if response.content_type != "text/event-stream":
                yield response.status, await response.json()
                return
            while name := await response.content.readline():
                data = await response.content.readline()
                await response.content.readline()
                yield name.decode().removeprefix("event: ").strip(), json.loads(data.decode().removeprefix("data: "))

    async def post(self, path, body=None, **query):
        async with self.session.post(path, json=body, params=query) as response:
            return response.status, await response.json()


@contextlib.asynccontextmanager
async def serving(run_dir, *, synthesize=beep, origins=(), relay=False, **voice):
    with running_voice(run_dir, **voice) as running:
        capabilities = ("relay",) if relay else ()
        endpoint = f"ipc://{run_dir}/voice.sock"
        async with connect_async(endpoint, rate_hz=RATE_HZ, capabilities=capabilities) as agent:
            url = asyncio.get_running_loop().create_future()
            service = HttpService(agent, synthesize, origins)
            task = asyncio.create_task(serve_http(service, "127.0.0.1", 0, url.set_result))
            try:
                async with aiohttp.ClientSession(await url) as session:
                    yield Http(agent, session, running)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


def run(coroutine):
    async def bounded():
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(bounded())
