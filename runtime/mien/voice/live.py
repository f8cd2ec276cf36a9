"""What clients that watch get: poses, heard speech.

Pure. A client that does not read loses them, never an event. While nobody subscribes, neither the face nor the device
is asked for anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from mien.core import bus, wire
from mien.core.ear_bus import FarEnd
from mien.core.pose_frames import MAX_BATCH_BYTES
from mien.core.stats import Counters
from mien.units import NS_PER_MS
from mien.voice.codec import check_encoding
from mien.voice.far_end import FarEndFeed
from mien.voice.sessions import Session
from mien.voice.stretches import Stretches

BLOCK_NS: Final = 20 * NS_PER_MS
USER: Final = "heard"

Offer = Callable[[bytes, wire.Message, bytes], bool]
"""Sends a message that may be lost. Returns whether it was sent: not to a client that has too much unread."""


@dataclass(slots=True)
class Subscriber:
    """One client. dropped: what it has lost. joins: it has had no sound yet, so that its decoder is new."""

    encoding: str = ""
    dropped: int = 0
    joins: bool = True


class Live:
    """offer() sends what may be lost; publish() tells the face whether poses are wanted. epoch(): the current one."""

    def __init__(
        self,
        *,
        far_end: FarEndFeed,
        counters: Counters,
        offer: Offer,
        publish: Callable[[bus.BusMessage], None],
        epoch: Callable[[], int],
    ) -> None:
        self._far_end = far_end
        self._counters = counters
        self._offer = offer
        self._publish = publish
        self._epoch = epoch
        self._watch: dict[bytes, Subscriber] = {}
        self._hear: dict[bytes, Subscriber] = {}
        self._stretches = Stretches()
        self._seq = 0

    @property
    def orders(self) -> bus.PoseOrders:
        """What the face is to do."""
        return bus.PoseOrders(epoch=self._epoch(), wanted=bool(self._watch))

    def subscribe(self, session: Session, message: wire.Subscribe) -> None:
        """Follow a client's topics. Raises ProtocolError (unsupported_encoding) and changes nothing."""
        identity = session.identity
        if "heard" in message.topics:
            check_encoding(message.encoding)
            before = self._hear.get(identity)
            if before is None or before.encoding != message.encoding:
                self._hear[identity] = Subscriber(message.encoding)
            self._far_end.start(USER)
        else:
            self._stop_hearing(identity)
        if "poses" in message.topics:
            self._watch.setdefault(identity, Subscriber())
            self._publish(self.orders)  # each time: who subscribes needs a key batch
        else:
            self._stop_watching(identity)

    def leave(self, identity: bytes) -> None:
        """A client has left, or says hello again."""
        self._stop_hearing(identity)
        self._stop_watching(identity)

    def poses(self, batch: bus.PoseBatch) -> None:
        """The face has sent poses."""
        if not 0 < len(batch.frames) <= MAX_BATCH_BYTES:
            self._counters.count("poses_refused")
            return
        message = wire.Poses(seq=batch.seq, at_ns=batch.at_ns, key=batch.key)
        for identity, subscriber in self._watch.items():
            self._send(identity, subscriber, message, batch.frames)

    def heard(self, block: FarEnd, pcm: bytes) -> None:
        """A block was written to the device; without pcm it is silent."""
        if not self._hear:
            return
        for number, piece in enumerate(self._stretches.take(block, pcm)):
            self._seq += 1
            at_ns = block.at_ns + number * BLOCK_NS
            message = wire.Heard(seq=self._seq, at_ns=at_ns, first=piece.first, last=piece.last)
            for identity, subscriber in self._hear.items():
                told = msgspec.structs.replace(message, first=True) if subscriber.joins else message
                subscriber.joins = False
                self._send(identity, subscriber, told, self._stretches.encoded(piece, subscriber.encoding))

    def _stop_watching(self, identity: bytes) -> None:
        if self._watch.pop(identity, None) and not self._watch:
            self._publish(self.orders)

    def _stop_hearing(self, identity: bytes) -> None:
        if self._hear.pop(identity, None) and not self._hear:
            self._far_end.stop(USER)
            self._stretches.close()

    def _send(self, identity: bytes, subscriber: Subscriber, message: wire.Poses | wire.Heard, payload: bytes) -> None:
        if subscriber.dropped:
            message = msgspec.structs.replace(message, dropped=subscriber.dropped)
        if not self._offer(identity, message, payload):
            subscriber.dropped += 1
            self._counters.count("live_dropped")
