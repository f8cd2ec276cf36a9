"""Decides what leaves the ear for the voice: cleaned blocks, events."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from mien.audio.opus import OpusEncoder
from mien.config import EarConfig
from mien.core.ear_bus import (
    EAR_RATE_HZ,
    EarBusMessage,
    EarOrders,
    Encoding,
    NearEnd,
    UserStarted,
    UserStopped,
)
from mien.core.stats import Counters
from mien.ear.pipeline import Cleaned
from mien.errors import ConfigError
from mien.units import NS_PER_MS

BLOCK_MS: Final = 20
DECISION_MS: Final = 600
"""More than the detector takes to find a beginning, beyond onset_ms: the ring keeps sound that long."""

Send = Callable[[EarBusMessage, bytes | None], None]


@dataclass(slots=True)
class _Kept:
    """A block in the ring, encoded in the order of its capture, so that an Opus decoder can follow."""

    seq: int
    at_ns: int
    payloads: dict[Encoding, bytes]


class Outlet:
    """Sends events always, blocks as ordered, and nothing while muted.

    A mute ends the utterance that is going on, and drops the pre-roll: nothing that was said meanwhile leaves later. An
    utterance that is going on at the unmute begins there. Counter: opus_unavailable.
    """

    def __init__(self, config: EarConfig, send: Send, counters: Counters) -> None:
        self._preroll_ns = config.preroll_ms * NS_PER_MS
        self._send = send
        self._counters = counters
        self._ring: deque[_Kept] = deque(maxlen=(config.preroll_ms + config.onset_ms + DECISION_MS) // BLOCK_MS + 1)
        self._orders = EarOrders()
        self._opus: OpusEncoder | None = None
        self._started: UserStarted | None = None
        self._unmuted_ns = self._last_ns = 0
        self._spoken = -1  # the newest block that was sent as speech
        self.muted = False

    @property
    def speaking(self) -> bool:
        """Whether an utterance is going on that the voice knows of."""
        return self._started is not None and not self.muted

    def obey(self, orders: EarOrders) -> None:
        """Take the voice's orders; mute() is separate."""
        if "opus" in orders.encodings and self._opus is None:
            self._opus = self._make_opus()
        elif "opus" not in orders.encodings:
            self._opus = None
        self._orders = orders

    def mute(self, muted: bool, now_ns: int) -> None:
        """Mute or unmute from now_ns on."""
        if muted == self.muted:
            return
        started = self._started
        if muted and started is not None:
            self._send_end(started, now_ns)
        self._ring.clear()
        self.muted = muted
        self._unmuted_ns = now_ns
        if not muted and started is not None:
            self._started = msgspec.structs.replace(started, at_ns=max(now_ns, started.at_ns))
            self._send(self._started, None)

    def abandon(self) -> None:
        """The microphone is gone: end the utterance that is going on at its last sound, and drop the pre-roll."""
        started, self._started = self._started, None
        if started is not None and not self.muted:
            self._send_end(started, self._last_ns)
        self._ring.clear()

    def put(self, seq: int, cleaned: Cleaned) -> None:
        """Take the next cleaned block with its events."""
        self._last_ns = cleaned.at_ns + BLOCK_MS * NS_PER_MS
        hidden = self.muted or cleaned.at_ns < self._unmuted_ns  # it may have been captured before the unmute
        if not hidden:
            self._keep(seq, cleaned)
        ended = None
        for event in cleaned.events:
            if isinstance(event, UserStarted):
                self._begin(event)
            else:
                ended = event
        if not hidden and (self._orders.always or self._started is not None):
            self._give(self._ring[-1], speech=self._started is not None)
        if ended is not None:
            self._end(ended)

    def _keep(self, seq: int, cleaned: Cleaned) -> None:
        payloads: dict[Encoding, bytes] = {"s16le": cleaned.pcm.astype("<i2", copy=False).tobytes()}
        if self._opus is not None:
            payloads["opus"] = self._opus.encode(cleaned.pcm)
        self._ring.append(_Kept(seq, cleaned.at_ns, payloads))

    def _begin(self, event: UserStarted) -> None:
        self._started = event
        if self.muted:
            return
        if event.at_ns < self._unmuted_ns:
            self._started = event = msgspec.structs.replace(event, at_ns=self._unmuted_ns)
        self._send(event, None)
        from_ns = event.at_ns - self._preroll_ns - BLOCK_MS * NS_PER_MS
        for kept in list(self._ring)[:-1]:
            if kept.at_ns > from_ns and kept.seq > self._spoken:
                self._give(kept, speech=True)

    def _end(self, event: UserStopped) -> None:
        started, self._started = self._started, None
        if started is not None and not self.muted:
            self._send(msgspec.structs.replace(event, started_ns=started.at_ns), None)

    def _send_end(self, started: UserStarted, at_ns: int) -> None:
        self._send(
            UserStopped(
                utterance=started.utterance,
                at_ns=max(at_ns, started.at_ns),
                started_ns=started.at_ns,
                confidence=started.confidence,
            ),
            None,
        )

    def _give(self, kept: _Kept, *, speech: bool) -> None:
        if speech:
            self._spoken = kept.seq
        for encoding in self._orders.encodings:
            if (payload := kept.payloads.get(encoding)) is not None:
                self._send(NearEnd(seq=kept.seq, at_ns=kept.at_ns, encoding=encoding, speech=speech), payload)

    def _make_opus(self) -> OpusEncoder | None:
        try:
            return OpusEncoder(EAR_RATE_HZ)
        except ConfigError:
            self._counters.count("opus_unavailable")
            return None
