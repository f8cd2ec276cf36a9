"""The tasks behind the live streams: ask the voice for what is watched, publish what comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from mien.client import AsyncClient
from mien.core import wire
from mien.errors import ClientError
from mien.link.live import LiveStreams, Publication

log = logging.getLogger("mien.link")

RETRY_S: Final = 1.0
_NEWER: Final[frozenset[wire.Topic]] = frozenset(("poses", "heard"))  # each a capability of its name


class LiveTask:
    """run() until it is cancelled. client(): the one whose session is open, None without.

    publish(topic, payload) sends at QoS 0 and does not block. always(): topics to which the client subscribes anyway.
    The owner calls step() about ten times a second, and passes every event of the client to take().
    """

    def __init__(
        self,
        streams: LiveStreams,
        *,
        client: Callable[[], AsyncClient | None],
        publish: Callable[[str, bytes], object],
        always: Callable[[], Iterable[wire.Topic]] = tuple,
    ) -> None:
        self._streams = streams
        self._client = client
        self._publish = publish
        self._always = always
        self._woken = asyncio.Event()
        self._asked = 0
        self._followed: AsyncClient | None = None
        self._passing: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    def take(self, event: object) -> None:
        """An event of the client."""
        self._send(self._streams.on_event(event, time.monotonic_ns()))
        self.wake()

    def step(self, now_ns: int) -> None:
        """Do what is due by time."""
        if self._streams.watched:
            self._send(self._streams.step(now_ns / 1e9, now_ns))
            self.wake()

    def wake(self) -> None:
        """Ask the voice for something else, if the orders have changed."""
        if self._streams.orders.number != self._asked:
            self._woken.set()

    async def run(self) -> None:
        """Follow the orders. While nobody watches it only waits."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                await self._follow()
        finally:
            await _stop(self._passing)
            await _stop(self._listening)

    async def _follow(self) -> None:
        client, orders = self._client(), self._streams.orders
        if client is None:
            return  # its welcome will wake this task
        if client is not self._followed:
            await _stop(self._passing)
            await _stop(self._listening)
            self._followed, self._listening = client, None
            self._passing = asyncio.create_task(self._pass_on(client), name="mien-live")
        try:
            await self._subscribe(client, orders.topics)
            self._asked = orders.number
        except ClientError as error:
            log.warning("the voice streams nothing: %s", error)
            await asyncio.sleep(RETRY_S)
        await self._follow_ear(client, listens=orders.listens)

    async def _subscribe(self, client: AsyncClient, topics: frozenset[wire.Topic]) -> None:
        """Ask for what this voice can stream. Raises ClientError."""
        welcome, always = client.welcome, tuple(self._always())
        if welcome is None:
            raise ClientError("the session has ended")
        unknown = {topic for topic in topics & _NEWER if topic not in welcome.capabilities}
        if "opus" not in welcome.encodings:
            unknown |= topics & {"heard"}
        if unknown:
            log.warning("this voice cannot stream %s: it is older, or lacks libopus0", ", ".join(sorted(unknown)))
        wanted = topics - unknown
        encoding = "opus" if "heard" in wanted else "s16le"
        await client.subscribe(*always, *(wanted - set(always)), encoding=encoding)

    async def _follow_ear(self, client: AsyncClient, *, listens: bool) -> None:
        if not listens:
            await _stop(self._listening)
            self._listening = None
        elif self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(client), name="mien-live-ear")

    async def _pass_on(self, client: AsyncClient) -> None:
        async for item in client.live():
            self._send(self._streams.on_event(item, time.monotonic_ns()))

    async def _listen(self, client: AsyncClient) -> None:
        try:
            async with contextlib.aclosing(client.listen("always", encoding="opus")) as heard:
                async for item in heard:
                    self._send(self._streams.on_event(item, time.monotonic_ns()))
        except ClientError as error:
            log.warning("the ear is not streamed: %s", error)

    def _send(self, publications: Iterable[Publication]) -> None:
        for topic, payload in publications:
            self._publish(topic, payload)


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
