"""What waits to be sent to the broker, except events, which have a queue on the card.

Retained topics: the newest payload of each, sent again on every connection. QoS 0: bounded, the oldest is dropped, none
is kept over a loss. QoS 1: the caller waits for the broker.
"""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from mien.errors import FleetError
from mien.fleet.topics import Board

LIVE_MESSAGES: Final = 64
LIVE_BYTES: Final = 128_000
"""Several seconds of every stream: beyond it the connection is too slow for them."""
RELIABLE_MESSAGES: Final = 64


class Sending(NamedTuple):
    """A message to publish. done: set when the broker has it (QoS 1), or fails with FleetError."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    done: "asyncio.Future[None] | None" = None


class Outbox:
    """Topics are those below the board's own. Not thread-safe: of the event loop."""

    def __init__(self, place: Board) -> None:
        self._place = place
        self._retained: dict[str, Sending] = {}
        self._fresh: set[str] = set()
        self._live: deque[Sending] = deque()
        self._live_bytes = 0
        self._reliable: deque[Sending] = deque()
        self.connected = False
        self.dropped = 0
        """QoS 0 messages that were dropped because the connection was slow."""
        self.under_way = 0
        """QoS 1 messages that the broker has not confirmed."""
        self.wake = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether something waits for the broker."""
        return bool(self._fresh or self._reliable or self._live or self.under_way)

    def retain(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        """Publish a state: retained, the newest only."""
        self.retain_at(self._place.topic(topic), payload, qos=qos)

    def retain_at(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        """The same at a topic that is not the board's own, such as discovery."""
        self._retained[topic] = Sending(topic, payload, qos, True)
        self._fresh.add(topic)
        self.wake.set()

    def publish(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 0. Returns whether it was taken: nothing is while the broker is away."""
        if not self.connected:
            return False
        self._live.append(Sending(self._place.topic(topic), payload))
        self._live_bytes += len(payload)
        while len(self._live) > LIVE_MESSAGES or self._live_bytes > LIVE_BYTES:
            self._live_bytes -= len(self._live.popleft().payload)
            self.dropped += 1
        self.wake.set()
        return True

    async def deliver(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and wait until the broker has it. Raises FleetError when it is away or goes away."""
        await self.post(topic, payload)

    def post(self, topic: str, payload: bytes) -> "asyncio.Future[None]":
        """The same without waiting. The future fails with FleetError; nobody need look at it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_look)
        if not self.connected:
            done.set_exception(FleetError("the broker is away"))
        elif len(self._reliable) >= RELIABLE_MESSAGES:
            done.set_exception(FleetError("too many messages wait for the broker"))
        else:
            self._reliable.append(Sending(self._place.topic(topic), payload, 1, False, done))
            self.wake.set()
        return done

    def opened(self) -> None:
        """A connection is open: every retained topic is sent again."""
        self.connected = True
        self._fresh = set(self._retained)
        self.wake.set()

    def lost(self) -> None:
        """The connection is gone, with everything but the retained topics."""
        self.connected = False
        self._live.clear()
        self._live_bytes = 0
        while self._reliable:
            fail(self._reliable.popleft())

    def take(self) -> Sending | None:
        """The next message: states, then answers, then streams."""
        if self._fresh:
            topic = next(each for each in self._retained if each in self._fresh)
            self._fresh.discard(topic)
            return self._retained[topic]
        if self._reliable:
            return self._reliable.popleft()
        if self._live:
            sending = self._live.popleft()
            self._live_bytes -= len(sending.payload)
            return sending
        return None


def fail(sending: Sending) -> None:
    """Tell who waits that a message did not reach the broker."""
    if sending.done is not None and not sending.done.done():
        sending.done.set_exception(FleetError("the broker went away"))


def _look(future: "asyncio.Future[None]") -> None:
    """Otherwise asyncio complains about an exception that nobody wanted to see."""
    if not future.cancelled():
        future.exception()
