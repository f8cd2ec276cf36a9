"""Runs the live streams of one client: asks the voice for what is watched, and publishes what comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from mien.client import AsyncClient, Welcome
from mien.core import wire
from mien.errors import ClientError
from mien.link.live import LiveStreams, Publication

log = logging.getLogger("mien.link")

STEP_S: Final = 0.05
RETRY_S: Final = 1.0

Publish = Callable[[str, bytes, int, bool], object]
"""Called with topic, payload, QoS and whether it is retained. Must not block."""


class LiveTask:
    """run() until it is cancelled. always: topics to which the client subscribes whether or not somebody watches.

    The owner calls wake() after LiveStreams.watch(), and passes every event of the client to take().
    """

    def __init__(
        self, client: AsyncClient, streams: LiveStreams, publish: Publish, always: tuple[wire.Topic, ...] = ()
    ) -> None:
        self._client = client
        self._streams = streams
        self._publish = publish
        self._always = always
        self._woken = asyncio.Event()
        self._asked = -1
        self._listening: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    def take(self, event: object) -> None:
        """An event of the client."""
        self._send(self._streams.on_event(event, time.monotonic_ns()))
        if isinstance(event, Welcome):
            self._asked = -1
            self.wake()

    async def run(self) -> None:
        """Serve the streams. While nobody watches it only waits."""
        passing = asyncio.create_task(self._pass_on(), name="mien-live")
        try:
            while True:
                self._woken.clear()
                self._send(self._streams.step(time.monotonic(), time.monotonic_ns()))
                await self._follow()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STEP_S if self._streams.watched else None):
                        await self._woken.wait()
        finally:
            await _stop(passing)
            await _stop(self._listening)

    async def _follow(self) -> None:
        """Ask the voice for what is wanted now."""
        orders = self._streams.orders
        if orders.number == self._asked or not self._client.connected:
            return
        self._asked = orders.number
        try:
            await self._client.subscribe(*self._always, *(orders.topics - set(self._always)), encoding="opus")
        except ClientError as error:
            log.warning("the voice streams nothing: %s", error)
            self._asked = -1
            await asyncio.sleep(RETRY_S)
        if orders.listens and (self._listening is None or self._listening.done()):
            self._listening = asyncio.create_task(self._listen(), name="mien-live-ear")
        elif not orders.listens:
            await _stop(self._listening)
            self._listening = None

    async def _pass_on(self) -> None:
        async for item in self._client.live():
            self._send(self._streams.on_event(item, time.monotonic_ns()))

    async def _listen(self) -> None:
        try:
            async with contextlib.aclosing(self._client.listen("always", encoding="opus")) as heard:
                async for item in heard:
                    self._send(self._streams.on_event(item, time.monotonic_ns()))
        except ClientError as error:
            log.warning("the ear is not streamed: %s", error)

    def _send(self, publications: Iterable[Publication]) -> None:
        for topic, payload in publications:
            self._publish(topic, payload, 0, False)


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
