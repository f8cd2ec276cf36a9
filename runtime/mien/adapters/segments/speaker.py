"""Speaks segments one after another: over the voice, or elsewhere while the voice is lost."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Literal, Protocol

from mien.adapters.segments.leg import LegEnd, VoiceLeg
from mien.adapters.segments.link import VoiceLink, log
from mien.adapters.segments.segment import Segment
from mien.adapters.waker import Waker

RETURN_S: Final = 2.0  # how long the rest of a segment waits for a lost voice where there is nothing to fall back to
WAITING_MS: Final = 60_000.0  # audio of a segment that waits here; as much again waits in the voice
CLOSE_S: Final = 1.5
Place = Literal["voice", "spare"]


class Listener(Protocol):
    """What is told about segments; in order, and finished() exactly once for each."""

    def started(self, segment: Segment) -> None:
        """The first sample of it was heard."""

    def progressed(self, segment: Segment, to_ms: float) -> None:
        """It was heard up to here."""

    def finished(self, segment: Segment, *, interrupted: bool, by_voice: bool) -> None:
        """It is over; segment.position_ms of it was heard. by_voice: nobody on this side interrupted it."""


class Spare(Protocol):
    """Where the rest of a segment is spoken while the voice is lost."""

    async def speak(self, segment: Segment, start: int, speaker: Speaker) -> LegEnd:
        """Speak from frame `start` on until it was heard or cleared. "refused": it cannot speak either."""


class Speaker:
    """Takes segments, and audio for them, at any speed."""

    def __init__(self, link: VoiceLink, waker: Waker, listener: Listener, spare: Spare | None = None) -> None:
        self.waker = waker
        self.paused = False
        self.spare = spare
        self._link = link
        self._listener = listener
        self._queue: deque[Segment] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def add(self, segment: Segment) -> None:
        """Speak this segment after those before it."""
        self._queue.append(segment)
        if self._closed:
            asyncio.get_running_loop().call_soon(self._finish_unheard, segment)
        elif self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def room(self, segment: Segment) -> None:
        """Wait while a minute of this segment waits, besides what the voice itself holds."""
        await self.waker.until(lambda: segment.waiting_ms < WAITING_MS or segment.cleared or segment.over)

    def clear(self) -> None:
        """Nothing more is to be heard of any segment."""
        for segment in self._queue:
            segment.cleared = True
        self.waker.wake()

    def pause(self) -> None:
        """Hold the playhead."""
        self.paused = True
        self._link.tell(lambda client: client.pause())

    def resume(self) -> None:
        """Go on. Without a pause of ours nothing is sent: it would end those of others, and decline a barge-in."""
        if self.paused:
            self.paused = False
            self._link.tell(lambda client: client.resume())

    async def close(self) -> None:
        """Interrupt what is spoken, and finish every segment."""
        self.clear()
        self._closed = True
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=CLOSE_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for segment in list(self._queue):
            self._finish_unheard(segment)

    def start_heard(self, segment: Segment) -> None:
        """Report the first sample, once a segment."""
        if not segment.started:
            segment.started = True
            self._listener.started(segment)

    def heard(self, segment: Segment, to_ms: float) -> None:
        """Report how far a segment was heard."""
        if to_ms > segment.position_ms:
            segment.position_ms = min(to_ms, segment.pushed_ms)
            self._listener.progressed(segment, segment.position_ms)
            self.waker.wake()

    async def _run(self) -> None:
        while self._queue:
            segment = self._queue[0]
            interrupted, by_voice = True, False
            try:
                interrupted, by_voice = await self._speak(segment)
            except Exception:  # a fault here must not leave the framework waiting
                log.exception("segment %d could not be spoken", segment.number)
            segment.over = True
            self.waker.wake()
            await self._captured(segment)
            self._finish(segment, interrupted=interrupted, by_voice=by_voice)

    async def _captured(self, segment: Segment) -> None:
        """Wait until no call pushes audio: LiveKit's wrappers count a segment once that call has returned."""
        await self.waker.until(lambda: not segment.capturing)

    def _finish(self, segment: Segment, *, interrupted: bool, by_voice: bool = False) -> None:
        """Report the end. The segment leaves the queue first, so that nothing can report it twice."""
        self._queue.remove(segment)
        segment.over = True
        try:
            self._listener.finished(segment, interrupted=interrupted, by_voice=by_voice)
        except Exception:  # a framework's handler may raise anything
            log.exception("the framework failed at the end of segment %d", segment.number)
        self.waker.wake()

    def _finish_unheard(self, segment: Segment) -> None:
        if segment in self._queue:
            self._finish(segment, interrupted=True)

    async def _speak(self, segment: Segment) -> tuple[bool, bool]:
        """Returns whether it was interrupted, and by the voice."""
        start = 0
        failed: set[Place] = set()
        while True:
            await self._more(segment, start)
            if segment.cleared:
                return segment.pushed_frames > start or not segment.ended, False
            if segment.pushed_frames <= start:
                return False, False
            if (place := await self._place(segment, failed)) is None:
                return True, False
            end = await self._leg(place, segment, start)
            start += end.frames
            segment.forget(start)
            segment.position_ms = segment.to_ms(start)
            if end.outcome == "interrupted":
                return True, end.by_voice
            if end.outcome == "refused":
                failed.add(place)

    async def _more(self, segment: Segment, start: int) -> None:
        await self.waker.until(lambda: segment.ended or segment.cleared or segment.pushed_frames > start)

    async def _place(self, segment: Segment, failed: set[Place]) -> Place | None:
        """Where the rest of a segment can be spoken; None: nowhere, or it was cleared."""
        if "voice" not in failed and not self._link.up and self.spare is None:
            await self.waker.until(lambda: self._link.up or segment.cleared, RETURN_S)
        if segment.cleared:
            return None
        if self._link.up and "voice" not in failed:
            return "voice"
        return "spare" if self.spare is not None and "spare" not in failed else None

    async def _leg(self, place: Place, segment: Segment, start: int) -> LegEnd:
        if place == "spare":
            assert self.spare is not None
            return await self.spare.speak(segment, start, self)
        leg = VoiceLeg(
            self._link,
            self.waker,
            segment,
            start,
            started=lambda: self.start_heard(segment),
            heard=lambda ms: self.heard(segment, ms),
        )
        return await leg.speak(paused=lambda: self.paused)
