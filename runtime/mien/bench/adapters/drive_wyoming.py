"""Speaks the script through Wyoming's snd service, with Wyoming's own client."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from contextlib import AsyncExitStack

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.snd import Played

from mien.adapters.wyoming import Options, Service
from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict

HOST = "127.0.0.1"


class Driver:
    """Wyoming. It has neither interruption nor pause, tells no position, and knows no words."""

    name = "wyoming"
    can_pause = False

    def __init__(self, rate_hz: int = 24000) -> None:
        self.rate_hz = rate_hz
        self._client: AsyncTcpClient | None = None
        self._stack = AsyncExitStack()
        self._stopped: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._finishes: Counter[int] = Counter()
        self._last = -1

    async def open(self, endpoint: str) -> None:
        """Start the service and connect to it."""
        options = Options(
            endpoint=endpoint, rate_hz=self.rate_hz, snd_port=_free_port(), mic_port=0, satellite_port=0, tts_port=0
        )
        await self._stack.enter_async_context(Service(options))
        self._client = await self._stack.enter_async_context(AsyncTcpClient(HOST, options.snd_port))
        reader = asyncio.create_task(self._read(self._client), name="bench-played")
        self._stack.callback(reader.cancel)

    async def speak(self, segment: Segment) -> Verdict:
        """Speak one segment as one stream. An interruption of the script is left out."""
        client = self._client
        assert client is not None
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def push(chunk: Pcm) -> None:
            await client.write_event(AudioChunk(self.rate_hz, 2, 1, chunk.tobytes()).event())

        async def end() -> None:
            self._stopped.append((segment.number, told))
            await client.write_event(AudioStop().event())

        async def not_possible() -> None:
            """Wyoming has no such message."""

        uncut = Segment(segment.number, segment.pcm, segment.words, segment.chunk_ms, segment.paced)
        actor = Actor(uncut, self.rate_hz, push=push, end=end, interrupt=not_possible)
        await client.write_event(AudioStart(self.rate_hz, 2, 1).event())
        await actor.perform(asyncio.shield(told))
        return Verdict(actor.pushed_ns, None, None, False)

    def finishes(self, number: int) -> int:
        """How many `played` came for this segment."""
        return self._finishes[number]

    async def close(self) -> None:
        """Disconnect, and stop the service."""
        await self._stack.aclose()

    async def _read(self, client: AsyncTcpClient) -> None:
        while (event := await client.read_event()) is not None:
            if not Played.is_type(event.type):
                continue
            if self._stopped:
                self._last, told = self._stopped.popleft()
                told.set_result(None)
            self._finishes[self._last] += 1  # one without a stop counts as a second one of the last


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
