"""A board on a broker, for `mien bench link`: the streams of mien-link in a process of their own.

`python -m mien.bench.link_board RUN_DIR PORT CA` prints a line once it is connected, and runs until it is stopped. It
has neither status nor events nor commands; a message to any `command/agent/USER` gives that user the floor.
"""

import asyncio
import contextlib
import signal
import ssl
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import aiomqtt
import msgspec

from mien.bench.link_mqtt import NO_DELAY, PLACE
from mien.client import AsyncClient, connect_async
from mien.fleet.command import Watch
from mien.fleet.topics import orders_of, parse_order
from mien.host.memory import release_unused_pages
from mien.link.config import AllowConfig
from mien.link.streams import Streams, StreamsSeams
from mien.transport import voice_endpoint

STEP_S: Final = 0.1
QUEUE: Final = 64


class Board:
    """voice: opened for packets. broker: connected."""

    def __init__(self, voice: AsyncClient, broker: aiomqtt.Client) -> None:
        self._voice = voice
        self._broker = broker
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(QUEUE)
        self.floor = SimpleNamespace(holder="", turn="")
        self.streams = Streams(
            AllowConfig(captions=True),
            StreamsSeams(
                client=lambda: voice if voice.connected else None,
                publish=self._publish,
                may_listen=lambda _: False,
                floor=self.floor,
                attendance=SimpleNamespace(hearing=()),
                always=lambda: ("state",),
            ),
        )

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in (self._hear(), self._step(), self._send(), self._receive()):
                group.create_task(work)

    def _publish(self, topic: str, payload: bytes) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait((PLACE.topic(topic), payload))

    async def _send(self) -> None:
        while True:
            topic, payload = await self._queue.get()
            await self._broker.publish(topic, payload)

    async def _hear(self) -> None:
        async for event in self._voice.events():
            self.streams.hear(event)

    async def _step(self) -> None:
        while True:
            self.streams.step(time.monotonic_ns())
            await asyncio.sleep(STEP_S)

    async def _receive(self) -> None:
        async for message in self._broker.messages:
            order, payload = parse_order(PLACE, str(message.topic)), bytes(message.payload)
            if order.kind == "watch":
                self.streams.watch(order.user, msgspec.json.decode(payload, type=Watch), time.monotonic_ns())
            elif order.kind == "speech":
                self.streams.speech(order.user, payload, time.monotonic_ns())
            else:
                await self._voice.take_floor()
                self.floor.holder = order.user


async def main(run_dir: Path, port: int, ca: Path) -> None:
    """Connect to both sides and run."""
    tls = ssl.create_default_context(cafile=ca)
    async with (
        connect_async(voice_endpoint(run_dir), name="link", role="agent", encoding="opus", packets=True) as voice,
        aiomqtt.Client(
            "127.0.0.1", port, tls_context=tls, socket_options=NO_DELAY, protocol=aiomqtt.ProtocolVersion.V5
        ) as broker,
    ):
        await broker.subscribe([(topic, 1) for topic in orders_of(PLACE)])
        print("connected", flush=True)
        work = asyncio.create_task(Board(voice, broker).run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
        release_unused_pages()
        with contextlib.suppress(asyncio.CancelledError):
            await work


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
