"""The connection to the broker: made, kept, named when it fails, made again.

One connection at a time. Between two of them it waits as `mien.core.backoff.Retry` says, or until the network changes.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from mien.core.backoff import Retry
from mien.core.log_limit import LogLimit
from mien.errors import ConfigError
from mien.fleet.topics import orders_of
from mien.link import trouble
from mien.link.certificate import validity
from mien.link.config import LinkConfig
from mien.link.event_lines import Entry
from mien.link.event_queue import EventQueue
from mien.link.event_window import EventWindow
from mien.link.mqtt import MOST_PACKET_BYTES, ClosedUnansweredError, LinkClient, make_client
from mien.link.network_watch import NetworkWatch
from mien.link.outbox import Outbox, Sending, fail
from mien.link.trouble import Trouble
from mien.link.wall_clock import WallClock

log = logging.getLogger("mien.link")

STABLE_S: Final = 30.0
"""A connection that lasted so long worked; one that did not is counted as a failure."""
SHORT_ROW: Final = 3
"""So many short connections in a row, each ended by the broker: somebody else signs in under this name."""
SETTLE_S: Final = 0.2  # after the network changed: an address is usable a moment after it was told
RELIABLE_AT_ONCE: Final = 8
GUARD_S: Final = 0.25
LEAST_PATIENCE_S: Final = 10.0
PATIENCE_KEEPALIVES: Final = 1.5
GOODBYE_S: Final = 1.5


class Broker:
    """receive(topic, payload) gets what users sent. changed() is called when `trouble` or `connected` change."""

    def __init__(
        self,
        config: LinkConfig,
        folder: Path,
        *,
        outbox: Outbox,
        events: EventQueue,
        clock: WallClock,
        network: NetworkWatch,
        retry: Retry,
        receive: Callable[[str, bytes], None],
        changed: Callable[[], None],
    ) -> None:
        self._config = config
        self._folder = folder
        self._outbox = outbox
        self._events = events
        self._window = EventWindow(events.after)
        self._clock = clock
        self._network = network
        self._retry = retry
        self._receive = receive
        self._changed = changed
        self._short_row = 0
        self._lines = LogLimit(burst=10, every_s=60.0)
        self._stopping = asyncio.Event()
        self.more_events = asyncio.Event()
        """Set it after events were flushed."""
        self.client: LinkClient | None = None
        """The connection's, while there is one."""
        self.connected = False
        self.connections = 0
        self.flooded = 0
        """Messages that came faster than they could be read, on earlier connections."""
        self.certificate_ends: float | None = None
        """UTC seconds until which the board's own certificate is valid, where it has one."""
        self.trouble: Trouble | None = None
        """What stands between this board and the broker; None while connected."""

    @property
    def state(self) -> str:
        """For `systemctl status`."""
        if self.connected:
            return f"connected to {self._config.broker.host}"
        return "connecting" if self.trouble is None else str(self.trouble)

    async def run(self) -> None:
        """Stay connected until stop()."""
        while not self._stopping.is_set():
            began_s = asyncio.get_running_loop().time()
            try:
                await self._session()
            except (*_EXPECTED, ExceptionGroup) as error:
                if isinstance(error, ExceptionGroup) and error.split(_EXPECTED)[1] is not None:
                    raise  # a bug
                if not self._stopping.is_set():
                    self._failed(error, asyncio.get_running_loop().time() - began_s)
            if not self._stopping.is_set():
                await self._pause(self._retry.next_s())

    async def stop(self) -> None:
        """Send what waits, for a moment, and disconnect: without this, the broker tells the Will."""
        if self.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._drained()
        self._stopping.set()

    async def _drained(self) -> None:
        while self.connected and (self._outbox.busy or self._events.acked < self._events.last):
            await asyncio.sleep(0.02)

    async def _session(self) -> None:
        """One connection, from its handshake to its end."""
        self._check_own_certificate()
        client = make_client(self._config, self._folder)
        async with client:
            await self._subscribe(client)
            self.client = client
            self._opened()
            try:
                await self._serve(client)
            finally:
                self._closed()

    async def _serve(self, client: LinkClient) -> None:
        async with asyncio.TaskGroup() as group:
            for each in (
                self._take(client),
                self._send(client, group),
                self._send_events(client, group),
                self._guard(client),
            ):
                group.create_task(each)
            await self._stopping.wait()
            raise _StopError

    async def _subscribe(self, client: LinkClient) -> None:
        wanted = [(topic, 1) for topic in orders_of(self._config.place)]
        answer = await client.unless_gone(client.subscribe(wanted))
        codes = [code.value if isinstance(code, ReasonCode) else code for code in answer]
        if any(code >= 0x80 for code in codes):
            log.error("the broker's ACL lets this board read no commands: it reports, and obeys nobody")

    def _check_own_certificate(self) -> None:
        broker = self._config.broker
        if not (broker.tls and broker.certificate):
            return
        valid = validity(self._folder / broker.certificate)
        now = self._clock.utc()
        self.certificate_ends = valid.ends
        if now is None:
            return  # it may still be valid to a broker that knows the time
        if now >= valid.ends:
            raise _NamedError(trouble.OWN_EXPIRED)
        if now < valid.begins:
            raise _NamedError(trouble.OWN_NOT_YET)

    def _opened(self) -> None:
        self.connected, self.trouble = True, None
        self.connections += 1
        self._window.begin(self._events.acked)
        self._outbox.opened()
        self.more_events.set()
        log.info(
            "connected to %s:%d as %s", self._config.broker.host, self._config.broker.port, self._config.place.user
        )
        self._changed()

    def _closed(self) -> None:
        if self.client is not None:
            self.flooded += self.client.flooded
        self.connected, self.client = False, None
        self._outbox.lost()

    def _failed(self, error: Exception, lasted_s: float) -> None:
        found = self._name(error)
        if lasted_s >= STABLE_S:
            self._retry.reset()
        self._short_row = (
            self._short_row + 1 if found in (trouble.CLOSED, trouble.TAKEN_OVER) and lasted_s < STABLE_S else 0
        )
        if found is trouble.CLOSED and self._short_row >= SHORT_ROW:
            found = trouble.TAKEN_OVER
        if self.trouble is None or found.name != self.trouble.name:
            text = f"no connection to {self._config.broker.host}:{self._config.broker.port}: {found}"
            if (line := self._lines.line(text, time.monotonic_ns())) is not None:
                log.warning("%s", line)
        self.trouble = found
        self._changed()

    def _name(self, error: BaseException) -> Trouble:
        if isinstance(error, BaseExceptionGroup):
            names = [self._name(each) for each in error.exceptions]
            return min(names, key=lambda name: name.name in ("closed", "lost", "timeout"))
        if isinstance(error, _NamedError):
            return error.trouble
        if isinstance(error, ClosedUnansweredError):
            return trouble.CLOSED_UNANSWERED
        if isinstance(error, ConfigError):
            return Trouble("unusable_file", str(error))
        return trouble.name_trouble(error, clock_set=self._clock.utc() is not None)

    async def _pause(self, delay_s: float) -> None:
        """Wait out the delay, less when the network changes."""
        self._network.changed.clear()
        waits = {asyncio.ensure_future(self._network.changed.wait()), asyncio.ensure_future(self._stopping.wait())}
        try:
            done, _ = await asyncio.wait(waits, timeout=delay_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        if done and not self._stopping.is_set():
            self._retry.reset()
            await asyncio.sleep(SETTLE_S)

    async def _take(self, client: LinkClient) -> None:
        async for message in client.messages:
            payload = message.payload
            self._receive(str(message.topic), payload if isinstance(payload, bytes) else b"")

    async def _guard(self, client: LinkClient) -> None:
        """Leave a broker that sends more than this process should hold."""
        while client.arriving_bytes <= MOST_PACKET_BYTES:
            await asyncio.sleep(GUARD_S)
        raise _NamedError(trouble.OVERSIZED)

    async def _send(self, client: LinkClient, group: asyncio.TaskGroup) -> None:
        room = asyncio.Semaphore(RELIABLE_AT_ONCE)
        while True:
            sending = self._outbox.take()
            if sending is None:
                self._outbox.wake.clear()
                await self._outbox.wake.wait()
            elif sending.qos == 0:
                await client.publish(sending.topic, sending.payload, 0, sending.retain, timeout=self._patience_s)
            else:
                await room.acquire()
                group.create_task(self._send_reliably(client, sending, room))

    async def _send_reliably(self, client: LinkClient, sending: Sending, room: asyncio.Semaphore) -> None:
        self._outbox.under_way += 1
        try:
            await client.publish(sending.topic, sending.payload, 1, sending.retain, timeout=self._patience_s)
            if sending.done is not None and not sending.done.done():
                sending.done.set_result(None)
        finally:
            self._outbox.under_way -= 1
            fail(sending)
            room.release()

    async def _send_events(self, client: LinkClient, group: asyncio.TaskGroup) -> None:
        topic = self._config.place.topic("event")
        while True:
            self.more_events.clear()
            for entry in self._window.take():
                group.create_task(self._send_event(client, topic, entry))
            await self.more_events.wait()

    async def _send_event(self, client: LinkClient, topic: str, entry: Entry) -> None:
        await client.publish(topic, entry.payload, 1, timeout=self._patience_s)
        if done := self._window.answered(entry.seq):
            self._events.ack(done)
            self.more_events.set()

    @property
    def _patience_s(self) -> float:
        """A broker that does not answer for so long is treated as gone."""
        return max(LEAST_PATIENCE_S, PATIENCE_KEEPALIVES * self._config.broker.keepalive_s)


class _StopError(aiomqtt.MqttError):
    """stop() was called: it cancels what is under way."""


class _NamedError(aiomqtt.MqttError):
    """A trouble that was found before connecting."""

    def __init__(self, found: Trouble) -> None:
        super().__init__(str(found))
        self.trouble = found


_EXPECTED: Final = (aiomqtt.MqttError, OSError, ConfigError)
