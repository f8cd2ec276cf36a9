"""Speaks a framework's segments, releasing what waits for them as they are heard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from mien.adapters.guide import LANGUAGE, Guide
from mien.adapters.heard.segment import LOST, Ended, Segment, Utterance
from mien.adapters.waker import Waker
from mien.client import (
    AsyncClient,
    AsyncTurn,
    BargeIn,
    ClientError,
    Progress,
    Rebuffered,
    Relayed,
    Resumed,
    Stalled,
    Started,
)

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Word = tuple[str, int, int]
Connect = Callable[[], Awaitable[AsyncClient]]

AHEAD_MS: Final = 250.0  # written ahead of the speaker: the voice's wait for the face, its look-ahead, the device
STALLED_AHEAD_MS: Final = 1000.0  # after a stall the voice gathers up to 640 ms before it goes on
CUT_WAIT_S: Final = 0.5  # for the voice's answer to an interruption: it takes some 10 ms
SILENCE_S: Final = 0.3  # audio without a name, which no framework ends, is over after this much silence
NAMED_SILENCE_S: Final = 3.0  # and a segment that its framework forgets to end after this much
RETRY_S: Final = 1.0
VOICE_WAIT_S: Final = 5.0
CAPTIONS: Final = 100  # in one message
TURN_MARGIN_MS: Final = 2000.0
_STOPPED: Final = frozenset({"interrupted", "taken_over"})
_log = logging.getLogger(__name__)


class Listener(Protocol[T_contra]):
    """The framework's side. Calls come one at a time, in order."""

    async def heard(self, item: T_contra) -> None:
        """The position of this item was heard."""

    async def unheard(self, item: T_contra, ended: Ended) -> None:
        """The item's segment ended before it."""

    async def ended(self, ended: Ended) -> None:
        """A segment ended. Comes exactly once for each that was begun, named or not."""

    async def stopped_by_voice(self) -> None:
        """The voice cut speech off by itself: a barge-in, or a supervisor who took the floor. Must not call cut()."""

    async def lost(self, error: ClientError) -> None:
        """A segment was lost, with the voice or refused by it."""


class _Job(NamedTuple):
    """One thing to send for a segment: PCM; its end, empty; its captions, None. round: as in Segment."""

    segment: Segment[Any]
    round: int
    pcm: bytes | None = b""


class Speaker(Generic[T]):
    """One speaking session. ahead_ms: how far it writes ahead of what is heard. language: of the speech, for guided
    lips; None leaves them to the sound. relayed: called with what an agent relays.

    begin, put, write and end never wait. All calls come from the event loop that called start().
    """

    def __init__(
        self,
        listener: Listener[T],
        *,
        rate_hz: int,
        ahead_ms: float = AHEAD_MS,
        language: str | None = LANGUAGE,
        relayed: Callable[[Relayed], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._guide = Guide(language)
        self._relayed = relayed
        self._listener = listener
        self._rate_hz = rate_hz
        self._ahead_ms = ahead_ms
        self._client: AsyncClient | None = None
        self._segments: deque[Segment[T]] = deque()
        self._by_turn: dict[str, Segment[T]] = {}
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._releasing = asyncio.Lock()
        self._ticked = asyncio.Event()
        self._waker = Waker()
        self._tasks: set[asyncio.Task[None]] = set()
        self._paused = False

    # the session

    async def start(self, connect: Connect) -> None:
        """Connect. A voice that cannot be reached is tried again for as long as the speaker is open.

        Raises ConfigError for keys or an endpoint that cannot work, ClientError for a refusal that will not change.
        """
        try:
            self._client = await connect()
        except ClientError as error:
            if not error.retryable:
                raise
            await self._listener.lost(error)
        self._spawn(self._serve(connect))
        self._spawn(self._send())
        self._spawn(self._tick())

    async def close(self) -> None:
        """Interrupt what is spoken, report it, and close the session."""
        await self.cut(everything=True)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._guide.close()
        if self._client is not None:
            await self._client.close()

    @property
    def client(self) -> AsyncClient | None:
        """The session; None until the voice was reached."""
        return self._client

    # segments

    @property
    def last(self) -> Segment[T] | None:
        """The newest segment that is not over."""
        return self._segments[-1] if self._segments else None

    def begin(self, utterance: Utterance, *, interruptible: bool = True) -> Segment[T]:
        """Begin a segment behind those that are not over."""
        segment: Segment[T] = Segment(utterance, interruptible=interruptible)
        utterance.parts += 1
        if self._paused:
            segment.playhead.pause(time.monotonic())
        self._segments.append(segment)
        self._wake()
        return segment

    def write(self, segment: Segment[T], pcm: bytes) -> None:
        """Speak mono s16le. Does nothing once the segment is over."""
        if segment.over or segment.cut or segment.ended:
            return
        segment.written_ms += len(pcm) * 500 / self._rate_hz
        segment.written_at_s = time.monotonic()
        if not (segment.interruptible and segment.playhead.started):
            segment.kept.append(pcm)
        self._jobs.put_nowait(_Job(segment, segment.round, pcm))

    def full(self, segment: Segment[T]) -> bool:
        """Whether the voice takes no more audio in this segment's turn: begin another for the rest."""
        welcome = None if self._client is None else self._client.welcome
        most_ms = welcome.limits.max_turn_ms if welcome is not None else 0
        return bool(most_ms) and segment.written_ms >= most_ms - TURN_MARGIN_MS

    def end(self, segment: Segment[T]) -> None:
        """No more audio comes."""
        if not segment.ended:
            segment.ended = True
            self._jobs.put_nowait(_Job(segment, segment.round))
            self._wake()

    def caption(self, segment: Segment[T], text: str, words: Iterable[Word] = ()) -> None:
        """Add to the segment's caption. Sent when no audio waits."""
        segment.captions.append((text, tuple(words)))
        self._jobs.put_nowait(_Job(segment, segment.round, None))

    async def pass_on(self, item: T) -> None:
        """Release an item that waits for no segment, in its order."""
        async with self._releasing:
            await self._release(item)

    async def room(self, segment: Segment[T], wait_s: float) -> bool:
        """Wait until no more than ahead_ms are unheard, at most wait_s. False once the segment is over or was cut."""
        deadline_s = time.monotonic() + wait_s
        while not (segment.over or segment.cut):
            excess_ms = self._unheard_ms() - self._limit_ms()
            left_s = deadline_s - time.monotonic()
            if excess_ms <= 0 or left_s <= 0:
                return True
            moving = self._segments[0].playhead.moving
            await self._waker.changed(min(left_s, max(excess_ms / 1000, 0.001)) if moving else left_s)
        return False

    async def idle(self) -> None:
        """Wait until every segment is over."""
        while self._segments:
            await self._waker.changed(RETRY_S)

    async def cut(self, *, everything: bool = False) -> bool:
        """Interrupt all segments, except those that are not interruptible unless `everything`.

        Returns, once they are silent and what was heard of them is released, whether there were any. Audio behind them
        that is not interruptible is spoken next.
        """
        victims = [s for s in self._segments if (s.interruptible or everything) and not s.over]
        if not victims:
            return False
        self._paused = False
        fresh = [segment for segment in victims if not segment.cut]
        spared = list(self._segments)[self._segments.index(victims[0]) :]
        spared = [segment for segment in spared if segment not in victims]
        self._detach(spared)
        await self._stop(fresh)
        await self._waker.until(lambda: all(s.over or s.outcome() for s in victims), CUT_WAIT_S)
        async with self._releasing:
            for segment in [s for s in victims if not s.over]:
                if segment.outcome() is None:
                    segment.forced_ms = max(0.0, segment.position_ms(time.monotonic()))
                await self._conclude(segment)
        for segment in self._segments:
            segment.playhead.resume(time.monotonic())
        self._speak_again(spared)
        return True

    async def pause(self) -> None:
        """Hold the speech. Raises ClientError when the voice is unreachable."""
        self._set_paused(True)
        if self._client is not None:
            await self._client.pause()

    async def resume(self) -> None:
        """Continue after pause(). Raises ClientError when the voice is unreachable."""
        if self._client is not None:
            await self._client.resume()
        self._set_paused(False)

    def tell(self, order: Callable[[AsyncClient], Coroutine[Any, Any, None]]) -> None:
        """Send something that need not succeed, such as a state of the face."""
        if self._client is not None and self._client.connected:
            self._spawn(_ignoring_errors(order(self._client)))

    # internals

    async def _stop(self, segments: list[Segment[T]]) -> None:
        for segment in segments:
            segment.cut = True
        for turn in [segment.turn for segment in segments if segment.turn is not None]:
            with contextlib.suppress(ClientError):
                await turn.cancel()
        self._wake()

    def _detach(self, segments: list[Segment[T]]) -> None:
        """Their turns are about to end behind an interrupted one, unheard: speak them in other turns."""
        for segment in segments:
            if segment.turn is not None:
                self._by_turn.pop(segment.turn.name, None)
            segment.turn, segment.error = None, None
            segment.round += 1

    def _speak_again(self, segments: list[Segment[T]]) -> None:
        for segment in segments:
            for pcm in segment.kept:
                self._jobs.put_nowait(_Job(segment, segment.round, pcm))
            if segment.ended:
                self._jobs.put_nowait(_Job(segment, segment.round))

    def _limit_ms(self) -> float:
        return STALLED_AHEAD_MS if self._segments and self._segments[0].playhead.stalled else self._ahead_ms

    def _unheard_ms(self) -> float:
        now_s = time.monotonic()
        return sum(s.written_ms - max(0.0, s.position_ms(now_s)) for s in self._segments if not s.cut)

    def _set_paused(self, paused: bool) -> None:
        self._paused = paused
        now_s = time.monotonic()
        for segment in self._segments:
            if paused:
                segment.playhead.pause(now_s)
            else:
                segment.playhead.resume(now_s)
        self._wake()

    async def _serve(self, connect: Connect) -> None:
        """Follow the voice's events."""
        while self._client is None:
            await asyncio.sleep(RETRY_S)
            with contextlib.suppress(ClientError):
                self._client = await connect()
        self._wake()
        async for event in self._client.events():
            self._follow(event)
            self._wake()

    def _follow(self, event: object) -> None:
        now_s = time.monotonic()
        match event:
            case Started(turn=name) if name in self._by_turn:
                self._by_turn[name].playhead.start(now_s)
                if self._by_turn[name].interruptible:
                    self._by_turn[name].kept.clear()
            case Progress(turn=name, played_ms=played_ms) | Rebuffered(turn=name, played_ms=played_ms) if (
                name in self._by_turn
            ):
                self._by_turn[name].playhead.report(played_ms, now_s)
            case Stalled(turn=name, played_ms=played_ms) if name in self._by_turn:
                self._by_turn[name].playhead.stall(played_ms)
            case BargeIn(action="paused"):
                self._set_paused(True)
            case BargeIn(action="resumed") | Resumed():
                self._set_paused(False)
            case Relayed() if self._relayed is not None:
                self._spawn(self._guarded(self._relayed(event)))

    async def _send(self) -> None:
        """Send what was written, in order."""
        while True:
            job = await self._jobs.get()
            segment = job.segment
            if segment.over or segment.cut or segment.error is not None or job.round != segment.round:
                continue
            try:
                await self._send_one(job)
            except ClientError as error:
                if error.code != "turn_closed" and job.round == segment.round:
                    segment.error = error
            if self._jobs.empty():
                with contextlib.suppress(ClientError):  # speech goes on without
                    await self._send_captions(segment)
            self._wake()

    async def _send_one(self, job: _Job) -> None:
        segment = job.segment
        if segment.turn is None and segment.written_ms:
            segment.turn = await self._open_turn(segment)
        if segment.turn is None or segment.cut or job.pcm is None:
            return
        if job.pcm:
            await segment.turn.write(job.pcm)
        else:
            await segment.turn.end()

    async def _send_captions(self, segment: Segment[T]) -> None:
        while segment.captions and segment.turn is not None and not segment.turn.over:
            some, segment.captions = segment.captions[:CAPTIONS], segment.captions[CAPTIONS:]
            words = [word for _, timed in some for word in timed]
            text = "".join(text for text, _ in some)
            if words:
                self._guide.words(segment.turn, words)
            else:
                self._guide.text(segment.turn, text)
            await segment.turn.caption(text, words, append=True)

    async def _open_turn(self, segment: Segment[T]) -> AsyncTurn:
        if self._client is None:
            await self._waker.until(lambda: self._client is not None or segment.cut, VOICE_WAIT_S)
        if self._client is None:
            raise ClientError("mien-voice was not reached yet; is it running?")
        turn = self._client.turn()
        self._by_turn[turn.name] = segment
        return turn

    async def _tick(self) -> None:
        """Release what is due, when it is due."""
        while True:
            self._ticked.clear()
            await self._settle()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._delay_s()):
                    await self._ticked.wait()

    async def _settle(self) -> None:
        async with self._releasing:
            while self._segments:
                head = self._segments[0]
                if (outcome := head.outcome()) is not None:
                    if _never_heard(head, outcome):
                        self._detach([head])
                        self._speak_again([head])
                        return
                    await self._conclude(head)
                    continue
                now_s = time.monotonic()
                for item in head.line.due(head.position_ms(now_s)):
                    await self._release(item)
                silence_s = SILENCE_S if head.utterance.name is None else NAMED_SILENCE_S
                if head.playhead.stalled and now_s - head.written_at_s > silence_s:
                    self.end(head)
                return

    def _delay_s(self) -> float:
        if not self._segments:
            return RETRY_S
        head = self._segments[0]
        next_ms = head.line.next_ms()
        if head.playhead.moving and next_ms is not None:
            return max(0.001, (next_ms - head.position_ms(time.monotonic())) / 1000)
        return SILENCE_S / 2 if head.playhead.stalled else RETRY_S

    async def _conclude(self, segment: Segment[T]) -> None:
        """Take a segment out, release what was heard of it, and report it."""
        outcome = segment.outcome()
        assert outcome is not None
        segment.over = True
        with contextlib.suppress(ValueError):
            self._segments.remove(segment)
        if segment.turn is not None:
            self._by_turn.pop(segment.turn.name, None)
            if not segment.turn.over:
                await segment.turn.cancel()
        complete = not outcome.interrupted and outcome.played_ms >= segment.written_ms - 1
        for item in segment.line.finish() if complete else segment.line.due(outcome.upto_ms):
            await self._release(item)
        for item in segment.line.finish():
            await self._guarded(self._listener.unheard(item, outcome))
        await self._account(segment, outcome)
        self._wake()

    async def _account(self, segment: Segment[T], outcome: Ended) -> None:
        utterance = segment.utterance
        utterance.parts -= 1
        utterance.heard_ms += outcome.played_ms
        if outcome.interrupted:
            await self._stop([s for s in self._segments if s.utterance is utterance and not s.cut])
        if outcome.interrupted or (segment.ended and not utterance.parts):
            utterance.whole = utterance.whole or outcome.interrupted
            await self.report(utterance, outcome)
        if outcome.reason in _STOPPED and not segment.cut:
            await self._stop([s for s in self._segments if s.interruptible and not s.cut])
            await self._guarded(self._listener.stopped_by_voice())
        elif outcome.interrupted and not segment.cut:
            await self._guarded(self._listener.lost(outcome.error or _ended_as(outcome.reason)))

    async def report(self, utterance: Utterance, outcome: Ended) -> None:
        """Tell the framework, once, that an utterance ended."""
        if not utterance.reported:
            utterance.reported = True
            total = Ended(utterance.name, utterance.heard_ms, outcome.interrupted, outcome.reason, utterance.heard_ms)
            await self._guarded(self._listener.ended(total))

    async def _release(self, item: T) -> None:
        await self._guarded(self._listener.heard(item))

    async def _guarded(self, told: Coroutine[Any, Any, None]) -> None:
        """What the framework does with a report must not end the reporting of later ones."""
        try:
            await told
        except Exception:  # a framework's handler may raise anything
            _log.exception("the framework failed to take what was heard")

    def _wake(self) -> None:
        self._ticked.set()
        self._waker.wake()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _never_heard(segment: Segment[Any], outcome: Ended) -> bool:
    """Whether the voice went away before any of this was heard: it is spoken again, once."""
    gone = outcome.reason == "shutdown" or (
        outcome.reason == LOST and (outcome.error is None or outcome.error.code == "unreachable")
    )
    first = segment.round == 0 and segment.turn is not None and segment.turn.over
    return gone and first and not segment.cut and not outcome.played_ms and not segment.playhead.started


def _ended_as(reason: str) -> ClientError:
    return ClientError(f"mien-voice ended the turn: {reason}", code=reason, retryable=True)


async def _ignoring_errors(order: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(ClientError):
        await order
