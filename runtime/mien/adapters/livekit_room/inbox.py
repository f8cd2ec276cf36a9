"""The agent's byte streams: each becomes one segment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from livekit import rtc

from mien.adapters.segments.link import log
from mien.adapters.segments.mono import MonoStream
from mien.adapters.segments.segment import SAMPLE_BYTES, Segment
from mien.adapters.segments.speaker import Speaker
from mien.adapters.waker import Waker

IDLE_S: Final = 10.0  # as LiveKit's own receiver: a stream without a chunk for so long lost its end
SUPERSEDED_S: Final = 0.25  # the agent never has two streams open: what was sent of the older one is here already
OVERTAKEN_S: Final = 1.0  # a clear may overtake the stream that it is meant for


class Inbox:
    """Reads streams one after another, as the agent opens them.

    settled(): whether the agent may still be without a finish that was reported, so that a clear may be meant for that.
    """

    def __init__(self, speaker: Speaker, waker: Waker, rate_hz: int, settled: Callable[[], bool]) -> None:
        self._speaker, self._waker, self._rate_hz, self._settled = speaker, waker, rate_hz, settled
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._unfinished: set[Segment] = set()
        self._clear_next_until_s = 0.0

    def take(self, reader: rtc.ByteStreamReader) -> Segment:
        """Begin the segment of a new stream."""
        self._count += 1
        segment = Segment(self._count, self._rate_hz)
        segment.cleared = time.monotonic() < self._clear_next_until_s
        self._clear_next_until_s = 0.0
        self._unfinished.add(segment)
        self._speaker.add(segment)
        task = asyncio.get_running_loop().create_task(self._read(reader, segment))
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._done(task, reader, segment))
        return segment

    def clear(self) -> None:
        """Nothing more is to be heard of what came, or of the stream that this overtook."""
        if not self._unfinished and self._settled():
            self._clear_next_until_s = time.monotonic() + OVERTAKEN_S
        self._speaker.clear()

    def finished(self, segment: Segment) -> None:
        """A segment is over."""
        self._unfinished.discard(segment)

    async def close(self) -> None:
        """Read no more; what came is complete."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, reader: rtc.ByteStreamReader, segment: Segment) -> None:
        try:
            await self._read_pcm(reader, segment)
        except TimeoutError:
            if not (segment.cleared or segment.over):
                log.warning("the end of an audio stream was lost")
        except rtc.StreamError as error:
            log.warning("an audio stream broke off: %s", error)
        except (KeyError, ValueError, TypeError) as error:
            log.error("an audio stream without a usable sample_rate and num_channels: %r", error)

    def _done(self, task: asyncio.Task[None], reader: rtc.ByteStreamReader, segment: Segment) -> None:
        """However reading ended, even before it began: the segment is complete."""
        self._tasks.discard(task)
        reader.close()
        segment.end()
        self._waker.wake()

    async def _read_pcm(self, reader: rtc.ByteStreamReader, segment: Segment) -> None:
        attributes = reader.info.attributes or {}
        rate_hz, channels = int(attributes["sample_rate"]), int(attributes["num_channels"])
        if not 1000 <= rate_hz <= 384_000 or not 1 <= channels <= 64:
            raise ValueError(f"{rate_hz} Hz, {channels} channels")
        mono, frame_bytes, rest = MonoStream(self._rate_hz), channels * SAMPLE_BYTES, b""
        try:
            while (chunk := await self._next(reader, segment)) is not None:
                data = rest + chunk
                whole = len(data) - len(data) % frame_bytes
                rest = data[whole:]
                segment.append(mono.convert(data[:whole], rate_hz, channels))
                self._waker.wake()
                await self._speaker.room(segment)
        finally:
            segment.append(mono.flush())

    async def _next(self, reader: rtc.ByteStreamReader, segment: Segment) -> bytes | None:
        """The next chunk; None at the end. Raises TimeoutError when the end was lost."""
        chunk = asyncio.ensure_future(_read_one(reader))
        idle_s = 0.0
        try:
            while not chunk.done():
                await asyncio.wait({chunk}, timeout=SUPERSEDED_S)
                idle_s += SUPERSEDED_S
                superseded = segment.number < self._count
                if not chunk.done() and (superseded or idle_s >= IDLE_S or segment.cleared or segment.over):
                    raise TimeoutError
            return chunk.result()
        finally:
            chunk.cancel()


async def _read_one(reader: rtc.ByteStreamReader) -> bytes | None:
    """A task cannot raise StopAsyncIteration: None is the end."""
    try:
        return await anext(reader)
    except StopAsyncIteration:
        return None
