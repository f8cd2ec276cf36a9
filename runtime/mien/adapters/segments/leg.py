"""A segment, or the rest of one, as one turn of the voice."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from mien.adapters.segments.link import VoiceLink, log, quietly
from mien.adapters.segments.segment import Segment
from mien.adapters.segments.words import join_words
from mien.adapters.waker import Waker
from mien.client import AsyncTurn, ClientError, Event, Finished, Progress, Rebuffered, Stalled, Started

CHUNK_MS: Final = 200
ANSWER_S: Final = 1.0  # how long to wait for the position of an interrupted turn
UNTOLD_MS: Final = 250.0  # no more than this is heard between two reports of a voice
TURN_MS: Final = 540_000.0  # a turn may last ten minutes
CAPTION_CHARACTERS: Final = 4000
CAPTION_WORDS: Final = 200
Outcome = Literal["played", "interrupted", "lost", "refused"]


@dataclass(frozen=True, slots=True)
class LegEnd:
    """How a leg ended. frames: heard of it. by_voice: the voice interrupted it, for a barge-in or a takeover."""

    outcome: Outcome
    frames: int
    by_voice: bool = False


class VoiceLeg:
    """Speaks `segment` from frame `start` on.

    started(): its first sample was heard. heard(ms): so much of the segment was heard, a new value each time.
    """

    def __init__(
        self,
        link: VoiceLink,
        waker: Waker,
        segment: Segment,
        start: int,
        *,
        started: Callable[[], None],
        heard: Callable[[float], None],
    ) -> None:
        self._link = link
        self._waker = waker
        self._segment = segment
        self._start = start
        self._sent = start
        self._told = (started, heard)
        self._turn: AsyncTurn = link.client.turn()
        self._played_ms, self._told_at_s, self._runs = 0.0, 0.0, False
        self._words_sent, self._text_sent, self._timed = 0, 0, False
        self._failed = self._full = self._ended = False

    async def speak(self, *, paused: Callable[[], bool]) -> LegEnd:
        """Speak until all of it was heard, or it was cleared, or the voice is lost."""
        link, segment, turn = self._link, self._segment, self._turn
        if paused():
            await quietly(link.client.pause())
        stop_listening = link.listen(self._take)
        sender = asyncio.get_running_loop().create_task(self._send())
        try:
            with link.watched():
                await self._waker.until(lambda: turn.over or segment.cleared or self._failed or not link.up)
                return await self._ending()
        finally:
            stop_listening()
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender

    async def _ending(self) -> LegEnd:
        turn = self._turn
        if self._segment.cleared and not turn.over and self._link.up:
            with contextlib.suppress(TimeoutError, ClientError):
                async with asyncio.timeout(ANSWER_S):
                    await turn.interrupt()
        if turn.finished is not None:
            return self._finished(turn.finished)
        self._link.spawn(quietly(turn.cancel()))  # a voice that hung must not go on with it when it wakes
        if self._segment.cleared:
            return LegEnd("interrupted", self._estimate())
        return LegEnd("lost" if not self._link.up else "refused", self._estimate())

    def _finished(self, finished: Finished) -> LegEnd:
        if finished.reason == "played":
            return LegEnd("played", self._sent - self._start)
        if finished.reason in ("idle_timeout", "sink_lost"):
            return LegEnd("played", self._frames(finished.played_ms))  # what follows is another turn
        played_ms = finished.played_ms
        if finished.barge_in_ms is not None:
            played_ms = min(played_ms, finished.barge_in_ms)  # the rest was spoken over
        if finished.reason in ("shutdown", "client_gone"):
            return LegEnd("lost", self._frames(played_ms))
        return LegEnd("interrupted", self._frames(played_ms), by_voice=not self._segment.cleared)

    def _frames(self, played_ms: float) -> int:
        return min(self._segment.to_frames(played_ms), self._sent - self._start)

    def _estimate(self) -> int:
        """What was heard of a turn whose end nobody reports: the last report, and the time since."""
        since_ms = min((time.monotonic() - self._told_at_s) * 1000, UNTOLD_MS) if self._runs else 0.0
        return self._frames(self._played_ms + since_ms)

    def _take(self, event: Event) -> None:
        if not isinstance(event, Started | Progress | Stalled | Rebuffered) or event.turn != self._turn.name:
            return
        self._told_at_s = time.monotonic()
        started, heard = self._told
        if isinstance(event, Started):
            self._runs = True
            started()
            return
        self._runs = isinstance(event, Rebuffered) or event.played_ms > self._played_ms
        self._played_ms = event.played_ms
        self._segment.forget(self._start + self._frames(event.played_ms))
        heard(self._segment.to_ms(self._start) + event.played_ms)

    async def _send(self) -> None:
        """Send audio as it comes, then captions, then the end."""
        segment, turn = self._segment, self._turn
        try:
            while not (turn.over or segment.cleared):
                if data := segment.read(self._sent, segment.rate_hz * CHUNK_MS // 1000):
                    self._sent += len(data) // 2
                    await turn.write(data)
                    segment.taken = self._sent
                    self._waker.wake()
                    self._full = segment.to_ms(self._sent - self._start) >= TURN_MS
                if self._has_caption():
                    await self._send_caption()
                elif not self._ended and (self._full or (segment.ended and self._sent == segment.pushed_frames)):
                    self._ended = True
                    await turn.end()
                if not self._ended and self._sent < segment.pushed_frames:
                    continue
                await self._waker.until(lambda: turn.over or segment.cleared or self._has_caption() or self._has_more())
        except ClientError as error:
            if not turn.over and not segment.cleared:
                log.warning("mien did not take the speech: %s", error)
        finally:
            self._failed = not (self._ended or segment.cleared)
            self._waker.wake()

    def _has_more(self) -> bool:
        segment = self._segment
        return not self._ended and (segment.ended or self._sent < segment.pushed_frames)

    def _has_caption(self) -> bool:
        if self._segment.words:
            return len(self._segment.words.known(self._words_sent)) > 0
        return len(self._segment.text) > self._text_sent

    async def _send_caption(self) -> None:
        """Send the words that are new, in this leg's time; or, where no words have times, the new text."""
        segment = self._segment
        if not segment.words:
            text = segment.text[self._text_sent : self._text_sent + CAPTION_CHARACTERS]
            self._text_sent += len(text)
            if not self._start:  # where the rest of a text begins that was spoken elsewhere is not known
                self._link.guide.text(self._turn, text)
            await self._caption(text, [], append=self._text_sent > len(text))
            return
        new = segment.words.known(self._words_sent)[:CAPTION_WORDS]
        before = join_words(segment.words.known()[: self._words_sent])
        self._words_sent += len(new)
        offset_ms = segment.to_ms(self._start)
        words = [
            (word.text.strip()[:100], round(max(0.0, word.start_ms - offset_ms)), round(word.end_ms - offset_ms))
            for word in new
            if word.end_ms > offset_ms
        ]
        if words:
            text = join_words([word for word in new if word.end_ms > offset_ms], before)
            self._link.guide.words(self._turn, words)
            await self._caption(text if self._timed else text.lstrip(), words, append=self._timed)
            self._timed = True

    async def _caption(self, text: str, words: list[tuple[str, int, int]], *, append: bool) -> None:
        try:
            await self._turn.caption(text, words, append=append)
        except ClientError as error:
            log.warning("mien did not take a caption: %s", error)
