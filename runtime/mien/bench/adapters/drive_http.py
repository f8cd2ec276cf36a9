"""Speaks the script by HTTP: a WAV that grows, server-sent events back."""

import asyncio
import json
import struct
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from mien.adapters.http import HttpService, serve_http
from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict
from mien.client import AsyncClient, connect_async

_UNKNOWN_BYTES = 0xFFFF_FFFF
_CAPTION_WORDS = 200


class Driver:
    """The service on a free port, and aiohttp's client."""

    name = "http"
    rate_hz = 24000
    can_pause = True

    def __init__(self) -> None:
        self._agent: AsyncClient | None = None
        self._service: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._finishes: Counter[str] = Counter()
        self._told: defaultdict[str, asyncio.Future[dict[str, Any]]] = defaultdict(
            lambda: asyncio.get_running_loop().create_future()
        )

    async def open(self, endpoint: str) -> None:
        """Start the service, and a session with it."""
        self._agent = await connect_async(endpoint, rate_hz=self.rate_hz, name="bench http")
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._service = asyncio.create_task(serve_http(HttpService(self._agent), "127.0.0.1", 0, url.set_result))
        self._session = aiohttp.ClientSession(await url)

    async def speak(self, segment: Segment) -> Verdict:
        """One POST /say, with its captions before it."""
        turn = _name(segment.number)
        for start in range(0, len(segment.words), _CAPTION_WORDS):
            words = [(word.text, word.start_ms, word.end_ms) for word in segment.words[start : start + _CAPTION_WORDS]]
            await self._post("/caption", {"words": words, "append": start > 0}, turn=turn)
        body: asyncio.Queue[bytes] = asyncio.Queue()
        body.put_nowait(_header(self.rate_hz))

        async def push(chunk: Pcm) -> None:
            body.put_nowait(chunk.astype("<i2").tobytes())

        async def end() -> None:
            body.put_nowait(b"")

        actor = Actor(
            segment,
            self.rate_hz,
            push=push,
            end=end,
            interrupt=lambda: self._post("/interrupt"),
            pause=lambda: self._post("/pause"),
            resume=lambda: self._post("/resume"),
        )
        request = asyncio.create_task(self._say(turn, body))
        try:
            await actor.perform(asyncio.shield(self._told[turn]))
        finally:
            body.put_nowait(b"")
            await asyncio.gather(request, return_exceptions=True)
        finished = self._told.pop(turn).result()
        return Verdict(
            pushed_ns=actor.pushed_ns,
            interrupted_ns=actor.interrupted_ns if finished["interrupted"] else None,
            position_ms=finished["played_ms"],
            interrupted=finished["interrupted"],
            words=tuple(word.text for word in segment.words[: finished["words_heard"]]),
        )

    def finishes(self, number: int) -> int:
        """How many `finished` events came for this segment."""
        return self._finishes[_name(number)]

    async def close(self) -> None:
        """Close the session, the service and the client."""
        if self._session is not None:
            await self._session.close()
        if self._service is not None:
            self._service.cancel()
            await asyncio.gather(self._service, return_exceptions=True)
        if self._agent is not None:
            await self._agent.close()

    async def _say(self, turn: str, body: asyncio.Queue[bytes]) -> None:
        assert self._session is not None
        headers = {"Content-Type": "audio/wav"}
        async with self._session.post(
            "/say", params={"turn": turn}, data=_until_empty(body), headers=headers
        ) as response:
            response.raise_for_status()
            async for line in response.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "finished":
                    self._finishes[turn] += 1
                    self._told[turn].set_result(json.loads(value))
                elif name == "data" and kind == "error":
                    self._told[turn].set_exception(RuntimeError(value))

    async def _post(self, path: str, body: dict[str, Any] | None = None, **query: str) -> None:
        assert self._session is not None
        async with self._session.post(path, json=body, params=query) as response:
            response.raise_for_status()


async def _until_empty(body: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    while chunk := await body.get():
        yield chunk


def _header(rate_hz: int) -> bytes:
    """Of a mono WAV with 16 bits whose length is not yet known."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", _UNKNOWN_BYTES, b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", _UNKNOWN_BYTES)


def _name(number: int) -> str:
    return f"segment-{number}"
