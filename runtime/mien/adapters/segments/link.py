"""A client of the voice that is kept open, which knows within a second that the voice is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mien.adapters.guide import LANGUAGE, Guide
from mien.adapters.waker import Waker
from mien.client import AsyncClient, ClientError, Disconnected, Event, Welcome, connect_async
from mien.client.endpoint import default_endpoint, unreachable
from mien.errors import MienError

log = logging.getLogger("mien.adapters")

RETRY_S: Final = 0.5  # between attempts to reach a voice that was never there
WATCH_S: Final = 0.1  # between two pings while something is spoken
PONG_S: Final = 0.65  # a voice that does not answer for so long is lost
LOOK_S: Final = 0.05
TIMEOUT_S: Final = 2.0  # of the client's own requests
Listener = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the voice is, and as whom to connect: the arguments of connect_async().

    capabilities: "relay" makes Relayed events come, which a listener must then answer. language: of the speech, for
    guided lips; None leaves them to the sound.
    """

    endpoint: str | None = None
    rate_hz: int = 24000
    name: str = "client"
    key: str | Path | None = None
    voice_key: str | Path | None = None
    capabilities: tuple[str, ...] = ()
    language: str | None = LANGUAGE


class VoiceLink:
    """Connects, reconnects, and passes events on.

    A hung voice is noticed while somebody watches (`watched`): it must answer a ping several times a second.
    """

    def __init__(self, address: Address, waker: Waker) -> None:
        self.address = address
        self.guide = Guide(address.language)
        self.failure: Exception | None = None
        """Why the voice could not be reached, or refused."""
        self._waker = waker
        self._up = False
        self._client: AsyncClient | None = None
        self._listeners: list[Listener] = []
        self._watchers = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def up(self) -> bool:
        """Whether the voice answers."""
        return self._up and self._client is not None and self._client.connected

    @property
    def client(self) -> AsyncClient:
        """The open client. Only while `up`, or after it was."""
        assert self._client is not None
        return self._client

    @property
    def trouble(self) -> str:
        """Why the voice does not answer."""
        return str(self.failure or unreachable(self.address.endpoint or default_endpoint(), TIMEOUT_S))

    @property
    def started(self) -> bool:
        """Whether start() was called, and close() was not."""
        return bool(self._tasks)

    def start(self) -> None:
        """Begin to connect, in the background."""
        if not self.started:
            self.spawn(self._run())
            self.spawn(self._watch())

    async def reached(self, timeout_s: float | None) -> bool:
        """Wait until the voice answers. Raises the refusal of a voice or a configuration that cannot succeed later."""
        await self._waker.until(lambda: self.up or self._hopeless(), timeout_s)
        if self._hopeless() and self.failure is not None:
            raise self.failure
        return self.up

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Pass every event to `listener`. Returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While this block lasts a voice that hangs is noticed."""
        self._watchers += 1
        self._waker.wake()
        try:
            yield
        finally:
            self._watchers -= 1

    def tell(self, order: Callable[[AsyncClient], Coroutine[Any, Any, Any]]) -> None:
        """Send something in the background if the voice is there; what it refuses is logged."""
        if self.up:
            self.spawn(self._tell(order))

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine until close()."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close the client. Nothing is lost of what it sent."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        await self.guide.close()
        self._set(False)
        if self._client is not None:
            await self._client.close()

    async def _run(self) -> None:
        if (client := await self._open()) is None:
            return
        self._client = client
        self._set(True)
        async for event in client.events():
            self._take(event)

    async def _open(self) -> AsyncClient | None:
        """The client, once it could be opened; None when it never can."""
        address = self.address
        while True:
            try:
                return await connect_async(
                    address.endpoint,
                    rate_hz=address.rate_hz,
                    timeout_s=TIMEOUT_S,
                    name=address.name,
                    key=address.key,
                    voice_key=address.voice_key,
                    capabilities=address.capabilities,
                )
            except MienError as error:
                self.failure = error
                self._waker.wake()
                if self._hopeless():
                    log.error("mien cannot be used: %s", error)
                    return None
            await asyncio.sleep(RETRY_S)

    async def _tell(self, order: Callable[[AsyncClient], Coroutine[Any, Any, Any]]) -> None:
        await quietly(order(self.client))

    def _hopeless(self) -> bool:
        """Whether trying again cannot help: a wrong configuration, or a refusal that will be repeated."""
        if self.failure is None:
            return False
        return not (isinstance(self.failure, ClientError) and self.failure.retryable)

    def _take(self, event: Event) -> None:
        if isinstance(event, Disconnected):
            log.warning("mien is lost: %s", event.why)
            self._set(False)
        elif isinstance(event, Welcome):
            log.info("the voice of mien %s answers", event.version)
            self._set(True)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:  # a fault of the framework's handlers must not end the stream of events
                log.exception("a listener failed at %s", type(event).__name__)
        self._waker.wake()

    async def _watch(self) -> None:
        """Ping a voice that speaks; one that was lost without a disconnect is up again once it answers."""
        while True:
            await self._waker.until(lambda: self._client is not None and (self._watchers or not self.up))
            await asyncio.sleep(WATCH_S)
            if self._client is None or not self._client.connected:
                continue
            answers = await self._answers()
            if not answers and self._up:
                log.warning("mien is lost: the voice has not answered for %g s", PONG_S)
            if self._client.connected:
                self._set(answers)

    async def _answers(self) -> bool:
        """Whether the voice answers a ping in time. Time in which this event loop itself stood still does not count."""
        ping = asyncio.get_running_loop().create_task(self.client.ping())
        waited_s = 0.0
        try:
            while waited_s < PONG_S:
                since_s = time.monotonic()
                await asyncio.wait([ping], timeout=LOOK_S)
                if ping.done():
                    return ping.exception() is None
                waited_s += min(time.monotonic() - since_s, 1.5 * LOOK_S)
            return False
        finally:
            ping.cancel()

    def _set(self, up: bool) -> None:
        if up != self._up:
            self._up = up
            self._waker.wake()


async def quietly(order: Coroutine[Any, Any, Any]) -> None:
    """Await something whose failure changes nothing: the voice is lost, or refuses."""
    try:
        await order
    except ClientError as error:
        log.debug("mien: %s", error)
