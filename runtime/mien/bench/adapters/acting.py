"""Performs the timed part of a segment's script: its pushes, its pause, its interruption."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from mien.bench.adapters.driver import Pcm, Segment
from mien.units import NS_PER_MS


async def _nothing() -> None:
    """For a driver whose framework cannot pause."""


class Actor:
    """Performs one segment. push: gives one chunk to the framework; end: marks the segment as complete.

    pushed_ns, interrupted_ns: as in Verdict, known while and after `perform` runs.
    """

    def __init__(
        self,
        segment: Segment,
        rate_hz: int,
        *,
        push: Callable[[Pcm], Awaitable[None]],
        end: Callable[[], Awaitable[None]],
        interrupt: Callable[[], Awaitable[None]],
        pause: Callable[[], Awaitable[None]] = _nothing,
        resume: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._segment = segment
        self._chunk_frames = segment.chunk_ms * rate_hz // 1000
        self._push, self._end = push, end
        self._interrupt, self._pause, self._resume = interrupt, pause, resume
        self.pushed_ns = 0
        self.interrupted_ns: int | None = None

    async def perform(self, told: Awaitable[object]) -> None:
        """Play the script until `told` completes: the framework was told that the segment is finished.

        What is left of the script then is dropped. An interruption stops the pushes first. Raises what a push, an
        action or `told` raises.
        """
        self.pushed_ns = time.monotonic_ns()
        speaking = asyncio.ensure_future(self._speak())
        steps = (speaking, asyncio.ensure_future(self._cut_off(speaking)), asyncio.ensure_future(self._hold()))
        end = asyncio.ensure_future(told)
        waiting: set[asyncio.Future[Any]] = {end, *steps}
        try:
            while not end.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for step in done:
                    if not step.cancelled():
                        step.result()
        finally:
            for step in (end, *steps):
                step.cancel()
            await asyncio.gather(end, *steps, return_exceptions=True)

    async def _speak(self) -> None:
        pcm = self._segment.pcm
        for number, start in enumerate(range(0, len(pcm), self._chunk_frames)):
            if self._segment.paced:
                await self._until(number * self._segment.chunk_ms)
            await self._push(pcm[start : start + self._chunk_frames])
            await asyncio.sleep(0)
        await self._end()

    async def _cut_off(self, speaking: "asyncio.Future[None]") -> None:
        if self._segment.interrupt_after_ms is not None:
            await self._until(self._segment.interrupt_after_ms)
            speaking.cancel()
            self.interrupted_ns = time.monotonic_ns()
            await self._interrupt()

    async def _hold(self) -> None:
        after_ms = self._segment.pause_after_ms
        if after_ms is not None:
            await self._until(after_ms)
            await self._pause()
            try:
                await self._until(after_ms + self._segment.pause_ms)
            finally:
                with suppress(Exception):
                    await self._resume()

    async def _until(self, after_ms: float) -> None:
        """Sleep until so long after the first push."""
        left_ns = self.pushed_ns + round(after_ms * NS_PER_MS) - time.monotonic_ns()
        await asyncio.sleep(max(0, left_ns) / 1e9)
