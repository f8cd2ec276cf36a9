"""The voice's side of the ear: whether there is one, what it reports, what it is told."""

import logging
from collections.abc import Callable
from typing import Final

from mien.audio.opus import MAX_PACKET_BYTES
from mien.core import ear_bus, wire
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.errors import BusError
from mien.printable import printable
from mien.units import NS_PER_S
from mien.voice.barge_in import BargeIn
from mien.voice.far_end import FarEndFeed
from mien.voice.listeners import EarStatus, Listeners
from mien.voice.mutes import Mutes

log = logging.getLogger("mien.voice")

PRESENT_NS: Final = 3 * NS_PER_S  # an ear reports its health once a second
BLOCK_BYTES: Final = 2 * ear_bus.EAR_BLOCK_FRAMES
ABSENT: Final = EarStatus(
    "absent", "no ear runs; start it with `mien run --ear`, or on a board with `systemctl enable --now mien-ear`"
)

Frames = list[bytes]


class EarLink:
    """publish(frames) publishes to the ear, sign(live, muted, speaking) to the face; note() writes to the session log.

    status: of the ear, as clients are told.
    """

    def __init__(
        self,
        *,
        mutes: Mutes,
        listeners: Listeners,
        barge_in: BargeIn,
        far_end: FarEndFeed,
        counters: Counters,
        publish: Callable[[Frames], None],
        sign: Callable[[bool, bool, bool], None],
        note: Callable[[wire.Message], None],
    ) -> None:
        self._mutes = mutes
        self._listeners = listeners
        self._barge_in = barge_in
        self._far_end = far_end
        self._counters = counters
        self._publish = publish
        self._sign = sign
        self._note = note
        self._refused_log = LogLimit()
        self._health: ear_bus.EarHealth | None = None
        self._seen_ns = 0
        self._speaking = 0  # the utterance that goes on, 0 none
        self._orders = ear_bus.EarOrders()
        self._signs = (False, False, False)
        self._followed = (0, 0)
        self.status = self._current()

    @property
    def present(self) -> bool:
        """Whether an ear reports."""
        return self._health is not None

    @property
    def health(self) -> ear_bus.EarHealth | None:
        """The ear's newest report; None while none reports."""
        return self._health

    def hear(self, frames: Frames, now_ns: int) -> bool:
        """Take one report of the ear. Returns whether the voice should step. A bad one is counted and logged."""
        try:
            report = _decoded(frames)
        except BusError as error:
            self._counters.count("ear_refused")
            if (line := self._refused_log.line(str(error), now_ns)) is not None:
                log.error("%s", line)
            return False
        if isinstance(report, ear_bus.EarHealth):
            self._take_health(report, now_ns)
        elif self._health is None:  # left in the socket by an ear that is gone
            self._counters.count("ear_stale")
        elif isinstance(report, ear_bus.NearEnd):
            if not self._mutes:
                self._listeners.forward(report, frames[1], now_ns)
            return False
        elif isinstance(report, ear_bus.UserStarted):
            self._started(report, now_ns)
        else:
            self._stopped(report)
        return True

    def joined(self) -> None:
        """An ear has subscribed: say what is wanted of it."""
        self._publish([ear_bus.encode(self._orders)])

    def refresh(self) -> None:
        """Who listens or mutes may have changed: tell ear, face and clients what is new to them."""
        self._followed = self._listeners.changes, self._mutes.changes
        if self._mutes and self._speaking:
            self._hush()
        orders = ear_bus.EarOrders(
            encodings=self._listeners.encodings, always=self._listeners.always, muted=self._mutes.by_clients
        )
        if orders != self._orders:
            self._orders = orders
            self._publish([ear_bus.encode(orders)])
        before, self.status = self.status, self._current()
        if (self.status.state, self.status.why) != (before.state, before.why):
            self._listeners.announce()
        self.show_sign()

    def show_sign(self, *, anew: bool = False) -> None:
        """Tell the face what it shows of the ear, if that has changed. anew: a face has joined."""
        muted = self.present and self.status.state == "muted"
        sounds = self._listeners.always or (bool(self._listeners) and bool(self._speaking)) or self._recorded
        signs = (self.present and not muted and sounds, muted, bool(self._speaking))
        if signs != self._signs or anew:
            self._signs = signs
            self._sign(*signs)

    def step(self) -> None:
        """Follow what admission has changed: clients that left or were replaced."""
        if (self._listeners.changes, self._mutes.changes) != self._followed:
            self.refresh()

    def publish_far_end(self, block: ear_bus.FarEnd, payload: bytes) -> None:
        """Publish a block of what was written to the device, if there is an ear."""
        if self.present:
            self._publish([ear_bus.encode(block), payload] if payload else [ear_bus.encode(block)])

    def every_second(self, now_ns: int) -> None:
        """Notice an ear that is gone; repeat the orders."""
        if self._health is not None and now_ns - self._seen_ns >= PRESENT_NS:
            self._lose()
        self.joined()

    def _take_health(self, report: ear_bus.EarHealth, now_ns: int) -> None:
        before, self._health, self._seen_ns = self._health, report, now_ns
        if before is None:
            self._far_end.start("ear")
        elif before.pid != report.pid:
            self._hush()
        if before is None or before.state != report.state:
            log.info("ear: %s%s", report.state, f", {printable(report.why)}" if report.why else "")
        self.refresh()

    def _lose(self) -> None:
        log.warning("ear: absent, it has stopped reporting")
        self._counters.count("ears_lost")
        self._health = None
        self._far_end.stop("ear")
        self._hush()
        self.refresh()

    def _hush(self) -> None:
        """Nobody will say that the customer has stopped."""
        self._speaking = 0
        self._barge_in.unheard()

    def _started(self, report: ear_bus.UserStarted, now_ns: int) -> None:
        if self._mutes:
            return
        self._speaking = report.utterance
        message = wire.UserStarted(utterance=report.utterance, at_ns=report.at_ns, confidence=report.confidence)
        self._note(message)
        self._listeners.tell(message)
        self.show_sign()
        self._barge_in.started(report.utterance, report.at_ns, now_ns)

    def _stopped(self, report: ear_bus.UserStopped) -> None:
        if report.utterance != self._speaking:
            return
        self._speaking = 0
        message = wire.UserStopped(
            utterance=report.utterance,
            at_ns=report.at_ns,
            started_at_ns=report.started_ns,
            confidence=report.confidence,
        )
        self._note(message)
        self._listeners.tell(message)
        self.show_sign()
        self._barge_in.stopped(report.utterance, report.started_ns, report.at_ns)

    @property
    def _recorded(self) -> bool:
        """Whether somebody keeps what the microphone hears."""
        return self._health is not None and self._health.recording and self._health.state != "no_card"

    def _current(self) -> EarStatus:
        health = self._health
        if health is None:
            return ABSENT
        if self._mutes:
            return EarStatus("muted", self._mutes.why, health.counters)
        return EarStatus(health.state, health.why, health.counters)


def _decoded(frames: Frames) -> ear_bus.EarToVoice:
    """Raises BusError."""
    report = ear_bus.decode_from_ear(frames[0] if frames else b"")
    payloads = frames[1:]
    if isinstance(report, ear_bus.NearEnd):
        size = len(payloads[0]) if len(payloads) == 1 else -1
        good = size == BLOCK_BYTES if report.encoding == "s16le" else 0 < size <= MAX_PACKET_BYTES
        if not good:
            raise BusError(f"near-end sound in {report.encoding} with a payload of {size} bytes")
    elif payloads:
        raise BusError(f"{type(report).__name__} of the ear with {len(payloads)} payload frames")
    elif isinstance(report, ear_bus.UserStarted | ear_bus.UserStopped) and (
        report.utterance < 1 or not 0 <= report.confidence <= 1
    ):
        raise BusError(f"{type(report).__name__} of the ear is out of range: {report}")
    return report
