"""One turn of an asyncio client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Protocol

from mien.client.core import Session
from mien.client.ledger import TurnLedger
from mien.client.pcm import SAMPLE_BYTES, Pcm, SampleJoiner
from mien.core.wire import Finished, Started
from mien.errors import ClientError

ENCODED_AT_ONCE = 10  # packets, 200 ms: the first are sent before the last are encoded, and the event loop lives on


class Connection(Protocol):
    """What a turn needs of its client."""

    async def ready(self) -> None: ...

    async def flush(self) -> None: ...

    async def until(self, condition: Callable[[], bool]) -> None: ...

    def caption(self, turn: str, text: str, words: Iterable[tuple[str, int, int]]) -> Awaitable[None]: ...


class AsyncTurn:
    """Some speech, from its first audio until it was heard. Made by AsyncClient.turn().

    In `async with` it is ended at the end of the block, and interrupted when the block raises. A write() that comes too
    late, because the turn was interrupted or is finished, leaves the block without an error; wait() tells.
    """

    def __init__(self, client: Connection, session: Session, ledger: TurnLedger) -> None:
        self._client = client
        self._session = session
        self._ledger = ledger
        self._samples = SampleJoiner(session.encoding.packet_frames, session.encoding.tail_frames)
        self._step = session.encoding.packet_frames * SAMPLE_BYTES * ENCODED_AT_ONCE
        self._writing = asyncio.Lock()

    @property
    def name(self) -> str:
        """The turn's name, as events carry it."""
        return self._ledger.name

    @property
    def played_ms(self) -> float:
        """What is known to have been heard, from the last progress."""
        if self._ledger.finished is not None:
            return self._ledger.finished.played_ms
        return self._ledger.heard_frames * 1000 / self._session.hello.rate_hz

    @property
    def sent_ms(self) -> float:
        """What was sent, with the silence that fills up the last packet of an encoding that has such."""
        return self._ledger.sent_frames * 1000 / self._session.hello.rate_hz

    @property
    def started(self) -> Started | None:
        """Says how long the first sample took to be heard; None before."""
        return self._ledger.started

    @property
    def finished(self) -> Finished | None:
        """How it ended; None before."""
        return self._ledger.finished

    @property
    def over(self) -> bool:
        """Whether it was heard to its end, interrupted or lost: wait() will not wait."""
        return self._ledger.finished is not None or self._ledger.error is not None

    async def write(self, speech: Pcm) -> None:
        """Send speech of any size: bytes of s16le, or an int16 array. Waits while the voice's buffer is full.

        A sample may be cut between two writes. Raises ClientError: turn_closed when the turn was ended, interrupted or
        finished, unreachable, or the reason why the voice refuses it; TypeError for other arrays.
        """
        async with self._writing:
            await self._write(self._samples.join(speech))

    async def end(self) -> None:
        """No more speech will come. Raises ClientError (odd_bytes) when half a sample was left.

        An encoding of packets sends the last one now, and waits for room as write() does.
        """
        if self._ended():
            return
        async with self._writing:
            await self._begin()
            await self._write_last()
            if not self._ended():
                self._session.end(self._ledger)
                await self._client.flush()
        self._samples.close()

    async def wait(self) -> Finished:
        """End the turn if it is not ended, and wait until it was heard. Raises ClientError when it cannot be."""
        await self.end()
        await self._client.until(lambda: self.over)
        if self._ledger.error is not None:
            raise self._ledger.error
        return self._finished()

    async def interrupt(self) -> Finished:
        """Stop this turn and those behind it. Returns when it is silent; played_ms is what was heard."""
        await self.cancel()
        await self._client.until(lambda: not self._session.owes(self._ledger))
        return self._finished()

    async def cancel(self) -> None:
        """Interrupt without waiting for the answer."""
        self._session.interrupt(self._ledger)
        await self._client.flush()

    async def caption(self, text: str = "", words: Iterable[tuple[str, int, int]] = ()) -> None:
        """What this turn says. words: (text, start_ms, end_ms) on its own clock, where the times are known."""
        await self._client.caption(self.name, text, words)

    async def __aenter__(self) -> AsyncTurn:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool:
        if error is None:
            await self.end()
        elif self.was_cut_off(error):
            return True
        else:
            await self.cancel()
        return False

    def was_cut_off(self, error: BaseException) -> bool:
        """Whether this is what write() raises because somebody stopped the turn: no fault of who wrote."""
        return (
            isinstance(error, ClientError)
            and error.code == "turn_closed"
            and self._stopped()
            and not (self._ledger.end_wanted or self._ledger.error)
        )

    async def _write(self, pcm: bytes) -> None:
        rest = memoryview(pcm)
        while True:
            await self._begin()
            rest = rest[self._session.write(self._ledger, rest[: self._step or None]) :]
            await self._client.flush()
            if not rest:
                return
            await asyncio.sleep(0)
            await self._wait_for_room(len(rest))

    async def _write_last(self) -> None:
        if (last := self._samples.finish()) and not self._ended():
            try:
                await self._write(last)
            except ClientError:
                if not self._stopped():  # else wait() tells
                    raise

    async def _wait_for_room(self, size: int) -> None:
        await self._client.until(lambda: self._stopped() or self._session.has_room(self._ledger, size))

    async def _begin(self) -> None:
        """A turn that was not begun may wait for a voice that is coming back."""
        if not self._ledger.begun:
            await self._client.ready()

    def _finished(self) -> Finished:
        if self._ledger.finished is None:
            raise self._ledger.error or ClientError("the turn is lost")
        return self._ledger.finished

    def _stopped(self) -> bool:
        return self._ledger.closing or self.over

    def _ended(self) -> bool:
        return self._ledger.end_wanted or self._stopped()
