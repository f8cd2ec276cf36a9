"""Speaks the script through mien.client itself: what an adapter adds is measured against this."""

import asyncio
from collections import Counter, defaultdict

from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict
from mien.client import AsyncClient, AsyncTurn, Disconnected, Finished, connect_async
from mien.errors import ClientError

CAPTION_WORDS = 200  # a header holds so many


class Driver:
    """mien.client without a framework. rate_hz: that of the adapter which is compared with it."""

    name = "client"
    can_pause = True

    def __init__(self, rate_hz: int = 24000) -> None:
        self.rate_hz = rate_hz
        self._client: AsyncClient | None = None
        self._reader: asyncio.Task[None] | None = None
        self._finishes: Counter[str] = Counter()
        self._told: defaultdict[str, asyncio.Future[Finished]] = defaultdict(
            lambda: asyncio.get_running_loop().create_future()
        )

    async def open(self, endpoint: str) -> None:
        """Connect to the voice."""
        self._client = await connect_async(endpoint, rate_hz=self.rate_hz, name="bench adapters")
        self._reader = asyncio.create_task(self._read(self._client), name="bench-events")

    async def speak(self, segment: Segment) -> Verdict:
        """Speak one segment as one turn. Raises ClientError when the voice is lost in it."""
        assert self._client is not None
        turn = self._client.turn(_name(segment.number))
        for start in range(0, len(segment.words), CAPTION_WORDS):
            words = [(word.text, word.start_ms, word.end_ms) for word in segment.words[start : start + CAPTION_WORDS]]
            await turn.caption(words=words, append=start > 0)
        actor = Actor(
            segment,
            self.rate_hz,
            push=lambda chunk: _push(turn, chunk),
            end=turn.end,
            interrupt=turn.cancel,
            pause=self._client.pause,
            resume=self._client.resume,
        )
        told = self._told[turn.name]
        try:
            await actor.perform(asyncio.shield(told))
        except BaseException:
            await turn.cancel()  # a segment that hangs must not delay the next
            raise
        finished = self._told.pop(turn.name).result()
        return Verdict(
            pushed_ns=actor.pushed_ns,
            interrupted_ns=actor.interrupted_ns if finished.interrupted else None,
            position_ms=finished.played_ms,
            interrupted=finished.interrupted,
            words=tuple(word.text for word in segment.words[: finished.words_heard]),
        )

    def finishes(self, number: int) -> int:
        """How many Finished events came for this segment."""
        return self._finishes[_name(number)]

    async def close(self) -> None:
        """Close the client, which ends its events."""
        if self._client is not None:
            await self._client.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self, client: AsyncClient) -> None:
        async for event in client.events():
            if isinstance(event, Finished):
                self._finishes[event.turn] += 1
                told = self._told[event.turn]
                if not told.done():
                    told.set_result(event)
            elif isinstance(event, Disconnected):
                for told in self._told.values():
                    if not told.done():
                        told.set_exception(ClientError(event.why))


async def _push(turn: AsyncTurn, chunk: Pcm) -> None:
    try:
        await turn.write(chunk)
    except ClientError as error:
        if error.code != "turn_closed":
            raise


def _name(number: int) -> str:
    return f"segment-{number}"
