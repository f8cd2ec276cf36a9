"""The session with the voice: opened, kept, opened again."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from mien.client import AsyncClient, Error, Event, Welcome, connect_async
from mien.core import wire
from mien.errors import ClientError
from mien.link.reporter import NAME

log = logging.getLogger("mien.link")

AGAIN_S: Final = 1.0
ENDED_S: Final = 30.0
_TIMEOUT_S: Final = 5.0
_ENDED: Final = ("replaced", "access_revoked")
_TOPICS: Final[tuple[wire.Topic, ...]] = ("state", "captions", "health", "calls")


def topics(welcome: Welcome | None) -> tuple[wire.Topic, ...]:
    """What the reports need of this voice."""
    visits = welcome is not None and "visit" in welcome.capabilities
    return (*_TOPICS, "visits") if visits else _TOPICS


class VoiceLink:
    """hear(event) gets every message of the voice. lost(why) is called when none answers at all. draining(): whether
    new visitors are turned away, which a voice is told when it is reached, for it forgets."""

    def __init__(
        self,
        endpoint: str,
        *,
        hear: Callable[[Event], None],
        lost: Callable[[str], None],
        draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self._endpoint = endpoint
        self._draining = draining
        self._hear = hear
        self._lost = lost
        self._client: AsyncClient | None = None

    @property
    def client(self) -> AsyncClient | None:
        """The client, while its session is open."""
        return self._client if self._client is not None and self._client.connected else None

    @property
    def topics(self) -> tuple[wire.Topic, ...]:
        """What the reports need of the voice as it is now."""
        return topics(None if self.client is None else self.client.welcome)

    def can(self, capability: str) -> bool:
        """Whether this voice knows a newer part of the protocol."""
        client = self.client
        return client is not None and client.welcome is not None and capability in client.welcome.capabilities

    async def tell_drain(self) -> None:
        """Tell the voice whether new visitors are turned away. An older one, or none, is not told."""
        client = self.client
        if client is not None and self.can("drain"):
            try:
                await client.drain(self._draining())
            except ClientError as error:
                log.warning("the voice does not turn visitors away: %s", error)

    async def run(self) -> None:
        """Keep a session until cancelled."""
        while True:
            pause_s = AGAIN_S
            try:
                async with connect_async(
                    self._endpoint,
                    name=NAME,
                    role="agent",
                    timeout_s=_TIMEOUT_S,
                    rate_hz=48_000,
                    encoding="opus",
                    packets=True,
                ) as client:
                    self._client = client
                    pause_s = await self._listen(client)
            except ClientError as error:
                self._lost(str(error))
            finally:
                self._client = None
            await asyncio.sleep(pause_s)

    async def _listen(self, client: AsyncClient) -> float:
        """Until the voice ends the session for good. Returns how long to stay away, in s."""
        async for event in client.events():
            if isinstance(event, Welcome):
                await self._subscribe(client, event)
                await self.tell_drain()
            self._hear(event)
            if isinstance(event, Error) and event.code in _ENDED:
                log.error("the voice has ended this session: %s", event.message)
                return ENDED_S
        return AGAIN_S

    async def _subscribe(self, client: AsyncClient, welcome: Welcome) -> None:
        try:
            await client.subscribe(*topics(welcome))
        except ClientError as error:
            log.warning("the voice tells nothing: %s", error)
