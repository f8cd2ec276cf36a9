"""A link beside a real broker, in one event loop, with somebody who listens on the broker."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from mien.fleet.topics import Board
from mien.link.config import BoardConfig, BrokerConfig, EventsConfig, LinkConfig
from mien.link.facts import Facts
from mien.link.service import LinkService

PLACE = Board("museum", "lobby")
FACTS = Facts(version="1", image="", slot="A", model="test", motion="mien-standard", avatar=None, built=0.0)


def link_config(port: int, **sections: Any) -> LinkConfig:
    """A link.toml for a broker on this machine. broker: more of that section."""
    broker = {"host": "127.0.0.1", "port": port, "tls": False, "keepalive_s": 5, **sections.pop("broker", {})}
    return LinkConfig(
        board=BoardConfig(site=PLACE.site, name=PLACE.name),
        broker=BrokerConfig(**broker),
        events=sections.pop("events", EventsConfig()),
        **sections,
    )


@asynccontextmanager
async def running(config: LinkConfig, folder: Path, **options: Any) -> AsyncIterator[LinkService]:
    """A link that runs until the block ends. folder: of link.toml, which is its run directory too."""
    service = LinkService(
        config, folder / "link.toml", folder, **{"facts": lambda: FACTS, "chance": lambda: 0.0, **options}
    )
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        service.stop()
        await task


async def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.01)


class Listener:
    """Everything that a board says, as a console would get it."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[tuple[str, bytes, bool]] = []

    def payloads(self, topic: str) -> list[Any]:
        """The JSON payloads of a topic below the board's own, in order."""
        wanted = PLACE.topic(topic)
        return [json.loads(payload) for at, payload, _ in self.heard if at == wanted]

    async def order(self, command: str, user: str = "ann", role: str = "operator", **fields: Any) -> Any:
        """Send a command and wait for its last answer."""
        identity = fields.pop("id", secrets.token_hex(8))
        payload = {"id": identity, "at": fields.pop("at", time.time()), "command": command, **fields}
        seen = len(self.answers(user))
        await self._client.publish(PLACE.topic("command", role, user), json.dumps(payload), qos=1)
        await until(lambda: any(each["state"] != "running" for each in self.answers(user)[seen:]))
        return self.answers(user)[-1]

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        await self._client.publish(PLACE.topic(topic), payload, qos=qos)

    def answers(self, user: str = "ann") -> list[Any]:
        return self.payloads(f"answer/{user}")

    async def read(self) -> None:
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((str(message.topic), message.payload, bool(message.retain)))


@asynccontextmanager
async def listening(port: int, **options: Any) -> AsyncIterator[Listener]:
    async with aiomqtt.Client("127.0.0.1", port, **options) as client:
        await client.subscribe("#", qos=1)
        listener = Listener(client)
        task = asyncio.create_task(listener.read())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def schema_of(name: str) -> Any:
    """The struct that a payload must fit."""
    from mien.fleet.schemas import PAYLOADS

    return PAYLOADS[name]


def check(name: str, payload: Any) -> None:
    """Raises ValidationError for a payload that does not fit its struct."""
    msgspec.convert(payload, schema_of(name))
