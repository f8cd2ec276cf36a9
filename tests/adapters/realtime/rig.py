"""A bridge between a real voice and the stand-in server, whose every message is checked by openai's own types."""

import asyncio
import contextlib

import pydantic
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent

from mien.adapters.realtime import Bridge, OpenAiRealtime, Settings
from mien.bench.adapters.realtime_server import RATE_HZ, RealtimeServer
from mien.client import connect_async
from rigs.services import running_voice

PATIENCE_S = 15
MS = RATE_HZ * 2 // 1000  # bytes of speech


FROM_CLIENT = pydantic.TypeAdapter(RealtimeClientEvent)
FROM_SERVER = pydantic.TypeAdapter(RealtimeServerEvent)


def check_client(message):
    """Raises when this is no event of a client, or has a field that its type does not know."""
    event = FROM_CLIENT.validate_python(message)
    assert event.model_dump(exclude_unset=True, by_alias=True) == message
    unknown(event)


def check_server(message):
    FROM_SERVER.validate_python(message)


def unknown(model, where=""):
    """Raises for fields that a type does not declare, at any depth."""
    assert not model.model_extra, f"{where or model.type} has unknown fields {set(model.model_extra)}"
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, pydantic.BaseModel):
            unknown(value, f"{where}.{name}")


def speech(ms):
    return b"\x11\x22" * (ms * MS // 2)


class Talk:
    """What a test drives: the server, the voice, and what the bridge reported."""

    def __init__(self, server, voice, agent, bridge, said):
        self.server, self.voice, self.agent, self.bridge, self.said = server, voice, agent, bridge, said
        self.heard = []

    async def speak(self, ms, *, end=True, text="", pieces=10):
        """One answer with one item, sent in pieces. Returns the item."""
        await self.server.begin()
        item = await self.server.begin_item()
        for number in range(pieces):
            await self.server.speak(item, speech(ms // pieces), text if number == 0 else "")
        if end:
            await self.server.end_item(item)
            await self.server.finish()
        return item

    async def until(self, condition):
        """Wait for what must happen."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.005)

    async def playing(self, ms=100):
        """Wait until so much of the speech was heard."""
        await self.until(lambda: any(turn.played_ms >= ms for turn in self.bridge._speech._turns.values()))

    def heard_of(self, item):
        return [heard for heard in self.heard if heard.item == item]


@contextlib.asynccontextmanager
async def talking(run_dir, *, server=None, voice=None, relays=False, **bridge):
    """A conversation that is set up. relays: as `mien realtime` takes relayed texts. bridge: arguments of Bridge;
    settings: of Settings."""
    capabilities = ("relay",) if relays else ()
    settings = bridge.pop("settings", {})
    with running_voice(run_dir, **(voice or {})) as service:
        async with (
            RealtimeServer(check_in=check_client, check_out=check_server, **(server or {})) as served,
            connect_async(f"ipc://{run_dir}/voice.sock", rate_hz=RATE_HZ, capabilities=capabilities) as agent,
        ):
            said, asked = [], Settings(model="gpt-realtime", **{"url": served.url, **settings})
            talk = Talk(served, service, agent, None, said)
            talk.bridge = Bridge(
                agent,
                OpenAiRealtime(),
                asked,
                **{"on_heard": talk.heard.append, "say": said.append, "listen": False, **bridge},
            )
            task = asyncio.create_task(talk.bridge.run())
            try:
                await talk.until(lambda: served.ready or task.done())
                yield talk
                assert not task.done() or task.exception() is None
            finally:
                task.cancel()
                talk.ended = await asyncio.gather(task, return_exceptions=True)
            assert served.wrong == []


def run(coroutine):
    async def bounded():
        async with asyncio.timeout(110):
            return await coroutine

    return asyncio.run(bounded())
