"""The whole ear without its sockets: microphone, pipeline, outlet, reports.

Logic without threads: call take() for each message of the voice, then step() at next_step_ns().
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from mien.config import EarConfig
from mien.core.clock import Clock
from mien.core.ear_bus import (
    EAR_BLOCK_FRAMES,
    EarBusMessage,
    EarHealth,
    EarLevels,
    EarOrders,
    EarState,
    FarEnd,
    decode_from_voice,
    encode,
)
from mien.core.stats import Counters
from mien.ear.captures import Opener, open_capture
from mien.ear.held_blocks import HeldBlocks
from mien.ear.meter import SILENCE_DBFS, Meter
from mien.ear.microphone import Block, Microphone
from mien.ear.mute_key import MuteKey
from mien.ear.outlet import Outlet
from mien.ear.pipeline import Cleaned, Pipeline
from mien.errors import BusError
from mien.units import NS_PER_MS, NS_PER_S

log = logging.getLogger("mien.ear")

HEALTH_NS: Final = NS_PER_S
LEVELS_NS: Final = 100 * NS_PER_MS
ORDERS_NS: Final = 3 * NS_PER_S
"""Orders come once a second. After this time without any there is no voice, which no longer orders anything."""

NO_ORDERS: Final = EarOrders()
Frames = list[bytes]


class Tap(Protocol):
    """Is shown every block, for `mien ear record`."""

    def __call__(self, block: Block, cleaned: Cleaned) -> None:
        """Copy what is to be kept: cleaned.pcm is valid until this returns."""
        ...


class Engine:
    """report: to the voice. publish: to meters. opener, pipeline: replaced in tests.

    Raises EarError without what the configuration needs, such as the extra mien[ear].
    """

    def __init__(
        self,
        config: EarConfig,
        *,
        clock: Clock,
        counters: Counters,
        report: Callable[[Frames], None],
        publish: Callable[[bytes], None] = lambda _: None,
        memory_mb: Callable[[], float] = lambda: 0.0,
        opener: Opener = open_capture,
        pipeline: Pipeline | None = None,
        tap: Tap | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._counters = counters
        self._report = report
        self._publish = publish
        self._memory_mb = memory_mb
        self._tap = tap
        self._pipeline = Pipeline(config) if pipeline is None else pipeline
        self._microphone = Microphone(config, clock, counters, opener)
        self._held = HeldBlocks()
        self._outlet = Outlet(config, self._send, counters)
        self._key = MuteKey(Path(config.mute_key), clock) if config.mute_key else None
        self._orders, self._orders_ns = NO_ORDERS, clock.now_ns()
        self._condition: tuple[EarState, str] = ("no_card", "the microphone has not been opened yet")
        self._told: EarState | None = None
        self._muted_by = ""
        self._raw, self._clean = Meter(), Meter()
        self._raw_now, self._clean_now, self._far_now = Meter(), Meter(), Meter()
        self._health_ns = self._levels_ns = 0

    @property
    def state(self) -> EarState:
        """What is reported to the voice."""
        return self._judge()[0]

    @property
    def status(self) -> str:
        """One line for `systemctl status`."""
        state, why = self._judge()
        listens = "heard by clients" if self._orders.encodings else "nobody listens"
        return f"{state}: {why}" if why else f"{state}, {listens}"

    def take(self, frames: Frames) -> None:
        """A message of the voice. Raises BusError for one of another release, or a malformed one."""
        message = decode_from_voice(frames[0])
        if isinstance(message, FarEnd):
            self._hear_far_end(message, frames[1:])
        else:
            self._orders, self._orders_ns = message, self._clock.now_ns()
            self._pipeline.voice_runs = True
            self._outlet.obey(message)

    def step(self) -> None:
        """Process what was captured by now, and report."""
        now_ns = self._clock.now_ns()
        if self._pipeline.voice_runs and now_ns - self._orders_ns > ORDERS_NS:
            self._forget_orders()
        self._muted_by = self._who_mutes()
        self._outlet.mute(self._muted_by != "", now_ns)
        for block in self._microphone.read():
            self._held.add(block)
        for block in self._held.due(now_ns, self._pipeline.lacks):
            self._process(block)
        if self._microphone.failure:
            self._outlet.abandon()  # it has ended the utterance; what comes from the next card begins a new one
            self._pipeline.abandon()
            self._condition = ("no_card", self._microphone.failure)
        elif self._condition[0] == "no_card":
            self._condition = ("ok", "")
        self._tell(now_ns)

    def next_step_ns(self) -> int:
        """When to step() next: 5 to 15 ms from now."""
        return self._microphone.next_ns()

    def close(self) -> None:
        """Close the microphone."""
        self._outlet.mute(True, self._clock.now_ns())
        self._microphone.close()
        if self._key is not None:
            self._key.close()

    def _hear_far_end(self, message: FarEnd, payload: Frames) -> None:
        if message.silent:
            self._pipeline.far_end(message, None)
            return
        if len(payload) != 1 or len(payload[0]) != 2 * message.frames or message.frames > EAR_BLOCK_FRAMES:
            raise BusError(f"far end of {message.frames} frames without a payload frame of that length")
        pcm = np.frombuffer(payload[0], "<i2").astype(np.int16, copy=False)
        self._far_now.add(pcm)
        self._pipeline.far_end(message, pcm)

    def _process(self, block: Block) -> None:
        if block.gap:
            self._pipeline.gap()
        cleaned = self._pipeline.process(block.pcm, block.at_ns)
        self._condition = (cleaned.state, cleaned.why)
        if not self._outlet.muted:
            self._raw_now.add(block.pcm)
            self._clean_now.add(cleaned.pcm)
            if self._tap is not None:
                self._tap(block, cleaned)
        self._outlet.put(block.seq, cleaned)

    def _forget_orders(self) -> None:
        """The voice is gone; nobody listens, and a client's mute ended with its session."""
        self._pipeline.voice_runs = False
        self._orders = NO_ORDERS
        self._outlet.obey(NO_ORDERS)

    def _who_mutes(self) -> str:
        """What mutes the microphone; "" if nothing does."""
        if self._key is not None and self._key.poll():
            return "by the mute key; press it again"
        if self._config.muted:
            return "by the configuration: ear.muted"
        return "by a client" if self._orders.muted else ""

    def _judge(self) -> tuple[EarState, str]:
        if self._muted_by:
            return "muted", self._muted_by
        state, why = self._condition
        return state, why or (self._key.failure if self._key is not None else "")

    def _tell(self, now_ns: int) -> None:
        judged = self._judge()
        if now_ns >= self._levels_ns:
            self._levels_ns = now_ns + LEVELS_NS
            self._publish(encode(self._levels()))
        changed = judged[0] != self._told
        if changed:
            level = logging.INFO if judged[0] in ("ok", "muted") else logging.WARNING
            log.log(level, "%s", ": ".join(filter(None, judged)))
        if changed or now_ns >= self._health_ns:
            self._health_ns, self._told = now_ns + HEALTH_NS, judged[0]
            self._send(self._health(judged), None)
            self._raw.reset()
            self._clean.reset()

    def _levels(self) -> EarLevels:
        found = EarLevels(
            level_dbfs=round(self._raw_now.rms_dbfs, 1),
            peak_dbfs=round(self._raw_now.peak_dbfs, 1),
            clean_dbfs=round(self._clean_now.rms_dbfs, 1),
            far_dbfs=round(self._far_now.rms_dbfs, 1),
            speech=self._outlet.speaking,
        )
        self._raw.merge(self._raw_now)
        self._clean.merge(self._clean_now)
        for level in (self._raw_now, self._clean_now, self._far_now):
            level.reset()
        return found

    def _health(self, judged: tuple[EarState, str]) -> EarHealth:
        figures = self._pipeline.figures
        muted = judged[0] == "muted"
        return EarHealth(
            pid=os.getpid(),
            state=judged[0],
            why=judged[1],
            level_dbfs=SILENCE_DBFS if muted else round(self._raw.rms_dbfs, 1),
            clean_dbfs=SILENCE_DBFS if muted else round(self._clean.rms_dbfs, 1),
            counters=self._counters.snapshot(),
            erle_db=figures.erle_db,
            delay_ms=figures.delay_ms,
            drift_ppm=self._microphone.drift_ppm,
            pss_mb=self._memory_mb(),
            recording=self._tap is not None,
        )

    def _send(self, message: EarBusMessage, payload: bytes | None) -> None:
        """To the voice; what is not sound also to the meters."""
        frame = encode(message)
        if payload is None:
            self._report([frame])
            self._publish(frame)
        else:
            self._report([frame, payload])
