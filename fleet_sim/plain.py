"""A board that says on the wire what mien-link says, without a voice behind it.

Status with a Will, health every `tell.health_s`, events at least once and in order, answers, poses and sound while
somebody watches. Its reconnects wait as mien-link's do: 0.5 s, doubled up to `broker.retry_max_s`, up to half of it by
chance.
"""

import asyncio
import random
import ssl
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiomqtt
import msgspec

from fleet_sim.life import Moment, life
from fleet_sim.orders import Orders
from fleet_sim.streams import BATCH_S, PoseStream, SoundStream
from mien.enrolment.acl import discovery_topic
from mien.fleet.status import Health, Status, will
from mien.fleet.topics import orders_of
from mien.link.config import load_link_config

MOST_EVENTS: Final = 10_000
_FIRST_S: Final = 0.5


class PlainBoard:
    """folder: with link.toml. speed: of its hour. now_s: UTC.

    connections: times at which a connection was made, UTC. sent: events that were acknowledged.
    """

    def __init__(self, folder: Path, seed: int, *, speed: float = 1.0, now_s: Callable[[], float] = time.time) -> None:
        self.config = load_link_config(folder / "link.toml")
        self.place = self.config.place
        self.connections: list[float] = []
        self.heard: list[float] = []  # it has no voice
        self.sent = 0
        self._folder, self._speed, self._now_s = folder, speed, now_s
        self._chance = random.Random(seed)
        self._life = life(seed)
        self._orders = Orders(self.place)
        self._pose, self._sound = PoseStream(seed), SoundStream(seed)
        self._queue_name = f"q{seed}"
        self._events: deque[bytes] = deque(maxlen=MOST_EVENTS)
        self._seq = 0
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._watched = asyncio.Event()
        self._status = Status(
            online=True, site=self.place.site, board=self.place.name, version="simulated", level="full", ear="ok",
            clock="synchronized", started=now_s(),
        )  # fmt: skip

    async def run(self) -> None:
        """Live and stay connected until cancelled."""
        living = asyncio.create_task(self._live())
        try:
            failures = 0
            while True:
                began_s = time.monotonic()
                try:
                    await self._session()
                except* (aiomqtt.MqttError, OSError):
                    pass  # the broker is gone, or not there yet
                failures = 0 if time.monotonic() - began_s > 30 else failures + 1
                longest = min(self.config.broker.retry_max_s, _FIRST_S * 2 ** min(failures, 16))
                await asyncio.sleep(longest * self._chance.uniform(0.5, 1))
        finally:
            living.cancel()

    async def _live(self) -> None:
        began_s = time.monotonic()
        for moment in self._life:
            await asyncio.sleep(max(0.0, began_s + moment.at_s / self._speed - time.monotonic()))
            self._happens(moment)

    def _happens(self, moment: Moment) -> None:
        event = msgspec.structs.replace(moment.happening, queue=self._queue_name, seq=self._seq, at=self._now_s())
        self._seq += 1
        self._events.append(msgspec.json.encode(event))
        self._news.set()
        if moment.changes:
            self._status = msgspec.structs.replace(self._status, **moment.changes)
            self._changed.set()

    async def _session(self) -> None:
        broker = self.config.broker
        client = aiomqtt.Client(
            broker.host, broker.port, identifier=self.place.user, keepalive=broker.keepalive_s, timeout=20,
            will=aiomqtt.Will(self.place.topic("status"), will(), qos=1, retain=True), tls_context=self._tls(),
        )  # fmt: skip
        client.pending_calls_threshold = MOST_EVENTS
        async with client:
            await client.subscribe([(topic, 1) for topic in orders_of(self.place)])
            self.connections.append(self._now_s())
            await client.publish(discovery_topic(self.place), b"{}", qos=1, retain=True)
            self._changed.set()
            self._news.set()
            async with asyncio.TaskGroup() as group:
                for work in (self._hear, self._tell_status, self._tell_health, self._tell_events, self._tell_streams):
                    group.create_task(work(client))

    async def _hear(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            told = self._orders.take(str(message.topic), payload, self._now_s())
            if told is not None:
                user, answer = told
                await client.publish(self.place.topic("answer", user), msgspec.json.encode(answer), qos=1)
                self._status = msgspec.structs.replace(self._status, floor=self._orders.floor)
                self._changed.set()
            if self._orders.streams(self._now_s()):
                self._watched.set()

    async def _tell_status(self, client: aiomqtt.Client) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            told = msgspec.structs.replace(self._status, at=self._now_s())
            await client.publish(self.place.topic("status"), msgspec.json.encode(told), qos=1, retain=True)

    async def _tell_health(self, client: aiomqtt.Client) -> None:
        every_s = self.config.tell.health_s
        await asyncio.sleep(self._chance.uniform(0, every_s))
        while True:
            health = Health(
                at=self._now_s(), fps=30.0, offset_median_ms=4.0, latency_p95_ms=900.0, temperature_c=55.0,
                disk_used=0.4, queue_events=len(self._events), reconnects=len(self.connections) - 1,
            )  # fmt: skip
            await client.publish(self.place.topic("health"), msgspec.json.encode(health), retain=True)
            await asyncio.sleep(every_s)

    async def _tell_events(self, client: aiomqtt.Client) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._events:
                await client.publish(self.place.topic("event"), self._events[0], qos=1)
                self._events.popleft()
                self.sent += 1

    async def _tell_streams(self, client: aiomqtt.Client) -> None:
        while True:
            await self._watched.wait()
            streams = self._orders.streams(self._now_s())
            if not streams:
                self._watched.clear()
                continue
            if "pose" in streams:
                await client.publish(self.place.topic("live/pose"), self._pose.batch(self._now_s()))
            if "heard" in streams:
                await client.publish(self.place.topic("live/heard"), self._sound.message(self._now_s()))
            await asyncio.sleep(BATCH_S)

    def _tls(self) -> ssl.SSLContext | None:
        broker = self.config.broker
        if not broker.tls:
            return None
        context = ssl.create_default_context(cafile=str(self._folder / broker.ca) if broker.ca else None)
        if broker.certificate:
            context.load_cert_chain(self._folder / broker.certificate, self._folder / broker.key)
        return context
