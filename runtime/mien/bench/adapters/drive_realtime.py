"""Speaks the script as OpenAI's Realtime service does: items of sound down, truncations back."""

import asyncio
from collections import Counter, defaultdict

from mien.adapters.realtime import Bridge, Heard, OpenAiRealtime, Settings
from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict
from mien.bench.adapters.realtime_server import RATE_HZ, RealtimeServer
from mien.client import AsyncClient, connect_async


class Driver:
    """A server on loopback, with the bridge as its client. The service is told a position only when it interrupts."""

    name = "realtime"
    rate_hz = RATE_HZ
    can_pause = False

    def __init__(self) -> None:
        self._server = RealtimeServer()
        self._agent: AsyncClient | None = None
        self._bridge: asyncio.Task[None] | None = None
        self._finishes: Counter[str] = Counter()
        self._heard: defaultdict[str, asyncio.Future[Heard]] = defaultdict(
            lambda: asyncio.get_running_loop().create_future()
        )

    async def open(self, endpoint: str) -> None:
        """Start the server, and the bridge between it and the voice."""
        await self._server.__aenter__()
        self._agent = await connect_async(endpoint, rate_hz=self.rate_hz, name="bench realtime")
        settings = Settings(model="stand-in", url=self._server.url)
        bridge = Bridge(self._agent, OpenAiRealtime(), settings, on_heard=self._told, listen=False)
        self._bridge = asyncio.create_task(bridge.run(), name="bridge")
        await self._server.until(lambda: self._server.ready)

    async def speak(self, segment: Segment) -> Verdict:
        """One answer with one item. The server's activity detection interrupts it."""
        item = _name(segment.number)
        await self._server.begin()
        await self._server.begin_item(item)
        actor = Actor(
            segment,
            self.rate_hz,
            push=lambda chunk: self._push(item, chunk),
            end=lambda: self._end(item),
            interrupt=self._server.user_started,
        )
        await actor.perform(asyncio.shield(self._heard[item]))
        heard = self._heard.pop(item).result()
        position_ms = heard.played_ms
        if heard.cut:
            await self._server.until(lambda: bool(self._truncations(item)))
            position_ms = self._truncations(item)[0]
        if self._server.active:
            await self._server.finish()
        await self._server.user_stopped()
        interrupted_ns = actor.interrupted_ns if heard.cut else None
        return Verdict(actor.pushed_ns, interrupted_ns, position_ms, heard.cut)

    def finishes(self, number: int) -> int:
        """How often the bridge reported this item, or the service was told where it ended, whichever is more."""
        return max(self._finishes[_name(number)], len(self._truncations(_name(number))))

    async def close(self) -> None:
        """Stop the bridge, then the server."""
        if self._bridge is not None:
            self._bridge.cancel()
            await asyncio.gather(self._bridge, return_exceptions=True)
        if self._agent is not None:
            await self._agent.close()
        await self._server.__aexit__(None, None, None)

    async def _push(self, item: str, chunk: Pcm) -> None:
        await self._server.speak(item, chunk.astype("<i2").tobytes())

    async def _end(self, item: str) -> None:
        await self._server.end_item(item)
        await self._server.finish()

    def _told(self, heard: Heard) -> None:
        self._finishes[heard.item] += 1
        if not self._heard[heard.item].done():
            self._heard[heard.item].set_result(heard)

    def _truncations(self, item: str) -> list[int]:
        messages = self._server.of("conversation.item.truncate")
        return [message["audio_end_ms"] for message in messages if message["item_id"] == item]


def _name(number: int) -> str:
    return f"segment_{number}"
