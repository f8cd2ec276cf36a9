"""The buses: each an XPUB of the voice for local subscribers, plus a PULL for reports of the face or the ear."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zmq

from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.transport import BUS_SOCKET, EAR_SOCKET, FAR_END_SOCKET, REPORT_SOCKET
from mien.transport.zmtp.null import NullMechanism
from mien.transport.zmtp.peer import MAX_FRAME_BYTES, PENDING_BYTES, Message, Peer
from mien.transport.zmtp.reactor import Reactor
from mien.transport.zmtp.server import ZmtpServer

HIGH_WATER_MARK = 2_000  # messages queued in a subscriber's own process
SUBSCRIBER_BYTES: Final = 1 << 19  # queued in the voice for one subscriber: about five seconds of speech
FAR_END_BYTES: Final = 1 << 18  # queued in the voice for one ear: about five seconds of far end
EAR_REPORT_BYTES: Final = 1 << 13  # above any report of the ear: 20 ms of s16le are 640 bytes, counters a few hundred
MAX_SUBSCRIBERS: Final = 8  # the face, `mien watch`, measurements
NEVER_NS: Final = sys.maxsize
Context = zmq.Context[zmq.Socket[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusEnds:
    """One pair of sockets in run_dir. The names are those of their counters.

    subscriber_bytes: how much may be queued for one subscriber. report_bytes: of one report, with its payload.
    """

    publisher: str
    publish_at: str
    subscriber_bytes: int
    reports: str
    report_at: str
    report_bytes: int


FACE_ENDS: Final = BusEnds(
    publisher="bus",
    publish_at=BUS_SOCKET,
    subscriber_bytes=SUBSCRIBER_BYTES,
    reports="reports",
    report_at=REPORT_SOCKET,
    report_bytes=MAX_FRAME_BYTES,
)
EAR_ENDS: Final = BusEnds(
    publisher="far_end",
    publish_at=FAR_END_SOCKET,
    subscriber_bytes=FAR_END_BYTES,
    reports="ear_reports",
    report_at=EAR_SOCKET,
    report_bytes=EAR_REPORT_BYTES,
)


class VoiceBus:
    """The voice's end of one bus, served by the reactor that also serves its clients (see mien.transport.zmtp).

    Publishing never blocks: a subscriber that does not read is disconnected; when it reconnects, the voice replays what
    it needs. Raises BusError when a socket cannot be bound.
    """

    def __init__(
        self, reactor: Reactor, run_dir: Path, clock: Clock, counters: Counters, ends: BusEnds = FACE_ENDS
    ) -> None:
        self._counters = counters
        self._ends = ends
        self._listening: set[bytes] = set()
        self._joined = False
        self._publisher = self._serve(ends.publisher, b"XPUB", (b"SUB", b"XSUB"), reactor, clock)
        self._reports = self._serve(ends.reports, b"PULL", (b"PUSH",), reactor, clock, pending_bytes=ends.report_bytes)
        try:
            self._publisher.listen(f"ipc://{run_dir / ends.publish_at}", "run_dir")
            self._reports.listen(f"ipc://{run_dir / ends.report_at}", "run_dir")
        except BaseException:
            self.close()
            raise

    def publish(self, frames: list[bytes]) -> None:
        """Send to every subscriber."""
        for identity in list(self._listening):
            if self._publisher.send(identity, frames) > self._ends.subscriber_bytes:
                self._counters.count(f"{self._ends.publisher}_subscribers_dropped")
                self._listening.discard(identity)
                self._publisher.disconnect(identity)

    def joined(self) -> bool:
        """Whether there is a new subscriber since the last call."""
        while (received := self._publisher.receive()) is not None:
            self._subscription(received[0], received[1][0])
        while self._publisher.gone:
            self._listening.discard(self._publisher.gone.popleft())
        joined, self._joined = self._joined, False
        return joined

    def report(self) -> Message | None:
        """The frames of the next report; None when none is queued."""
        self._reports.gone.clear()
        received = self._reports.receive()
        return None if received is None else received[1]

    def step(self) -> None:
        """Do what is due by the clock."""
        self._publisher.step()
        self._reports.step()

    @property
    def pending(self) -> bool:
        """Whether reports or subscriptions are queued."""
        return self._publisher.pending or self._reports.pending

    def close(self) -> None:
        """Close both sockets."""
        self._publisher.close()
        self._reports.close()

    def _subscription(self, identity: bytes, frame: bytes) -> None:
        """ZMTP 3.0: a frame that begins with 1 subscribes, with 0 unsubscribes. A subscriber gets the whole bus."""
        if frame[:1] == b"\x01" and len(self._listening) < MAX_SUBSCRIBERS:
            self._listening.add(identity)
            self._joined = True
        elif frame[:1] == b"\x00":
            self._listening.discard(identity)

    def _serve(
        self,
        name: str,
        kind: bytes,
        accepts: tuple[bytes, ...],
        reactor: Reactor,
        clock: Clock,
        *,
        pending_bytes: int = PENDING_BYTES,
    ) -> ZmtpServer:
        properties = {b"Socket-Type": kind, b"Identity": b""}
        return ZmtpServer(
            name,
            reactor,
            clock,
            self._counters,
            make_peer=lambda _: Peer(NullMechanism(properties), NullMechanism.name, frozenset(accepts), pending_bytes),
            known=self._listening.__contains__,
            pending_ns=NEVER_NS,
        )


class FaceBus:
    """The face's end. The voice may start later: ZeroMQ keeps trying to connect."""

    def __init__(self, context: Context, run_dir: Path, counters: Counters) -> None:
        self._counters = counters
        self.subscriber = subscribe(context, run_dir)
        self._reports = context.socket(zmq.PUSH)
        self._reports.setsockopt(zmq.SNDHWM, 100)
        self._reports.setsockopt(zmq.LINGER, 0)
        self._reports.setsockopt(zmq.IMMEDIATE, 1)
        self._reports.connect(f"ipc://{run_dir / REPORT_SOCKET}")

    def receive(self, timeout_ms: int) -> list[bytes] | None:
        """The frames of the next message, waiting up to timeout_ms; None when none came."""
        if timeout_ms and not self.subscriber.poll(timeout_ms):
            return None
        try:
            return self.subscriber.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def report(self, frame: bytes) -> None:
        """Send a report to the voice; dropped and counted while the voice is not connected."""
        try:
            self._reports.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            self._counters.count("reports_dropped")

    def close(self) -> None:
        """Close both sockets."""
        self.subscriber.close()
        self._reports.close()


def subscribe(context: Context, run_dir: Path) -> "zmq.Socket[bytes]":
    """A socket subscribed to the whole bus in run_dir: for the face, `mien watch` and measurements."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, 50)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{run_dir / BUS_SOCKET}")
    return socket
