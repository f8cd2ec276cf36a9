"""Speaks the items of a service as turns of the voice, one turn an item."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mien.adapters.guide import LANGUAGE, Guide
from mien.adapters.realtime.items import Heard, Item, Items
from mien.client import AsyncClient, AsyncTurn, Event
from mien.errors import ClientError

# Raised for a turn that goes on or is over by itself; any other error of a write loses the turn.
_HARMLESS: Final = frozenset({"turn_closed", "odd_bytes"})
_CAPTION_CHARACTERS: Final = 4000
CLOSE_S: Final = 1.0


class Speech:
    """The speech of one conversation. heard: called once for every item, when it is over.

    language: of the speech, for guided lips; None leaves them to the sound.

    on_event: called with every event of the client: this is its only reader. Items are spoken in the order in which
    they came, by one task: a full buffer of the voice must not keep the service's messages waiting.
    """

    def __init__(
        self,
        agent: AsyncClient,
        heard: Callable[[Heard], None],
        on_event: Callable[[Event], None] = lambda _: None,
        language: str | None = LANGUAGE,
    ) -> None:
        self._agent = agent
        self._guide = Guide(language)
        self._heard = heard
        self._on_event = on_event
        self._items = Items(agent.rate_hz)
        self._turns: dict[Item, AsyncTurn] = {}
        self._queue: asyncio.Queue[tuple[Item, bytes | str | None]] = asyncio.Queue()

    @property
    def speaking(self) -> bool:
        """Whether an item is not yet over."""
        return bool(self._turns)

    def sound(self, name: str, pcm: bytes) -> bool:
        """Speak this. Empty sound begins an item; sound of one that is over is dropped. Returns whether it was not."""
        item = self._items.find(name)
        if item is None or not pcm:
            return item is not None
        item.received_bytes += len(pcm)
        if item not in self._turns:
            self._turns[item] = self._agent.turn()
            for text in item.texts:
                self._say_text(item, text)
        self._queue.put_nowait((item, pcm))
        return True

    def transcript(self, name: str, text: str) -> None:
        """Show this as the item's caption. An item without sound shows none."""
        item = self._items.find(name)
        if item is None:
            return
        if item in self._turns:
            self._say_text(item, text)
        else:
            item.texts.append(text)

    def _say_text(self, item: Item, text: str) -> None:
        """The caption waits its turn among the sound; what guides the lips helps the more the earlier it is."""
        self._queue.put_nowait((item, text))
        self._guide.text(self._turns[item], text)

    def end(self, name: str = "") -> None:
        """No more comes for this item, or for any."""
        for item in self._items.end(name):
            if item in self._turns:
                self._queue.put_nowait((item, None))
            else:
                self._heard(item.heard(0.0, cut=False, reason="empty"))

    async def interrupt(self) -> None:
        """Silence everything now. What was heard of each item follows through `heard`."""
        self.end()
        for turn in list(self._turns.values()):
            await turn.cancel()
        self._settle()

    async def run(self) -> None:
        """Speak until the client is closed. Raises what the client raises when it cannot go on."""
        tasks = {asyncio.create_task(self._write(), name="speech"), asyncio.create_task(self._read(), name="events")}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Silence everything, and report what was heard of it: at the latest after CLOSE_S, as lost."""
        with suppress(TimeoutError, ClientError):
            async with asyncio.timeout(CLOSE_S):
                await self.interrupt()
                while self._turns:
                    await asyncio.sleep(0.01)
                    self._settle()
        await self._guide.close()
        for item, turn in list(self._turns.items()):
            self._report(item, turn)

    async def _write(self) -> None:
        while True:
            item, piece = await self._queue.get()
            turn = self._turns.get(item)
            if turn is None:
                continue
            try:
                await _give(turn, piece)
            except ClientError as error:
                if error.code not in _HARMLESS and not turn.over:
                    await turn.cancel()
            self._settle()

    async def _read(self) -> None:
        async for event in self._agent.events():
            self._settle()
            self._on_event(event)

    def _settle(self) -> None:
        """Report the items whose turns are over, each once."""
        for item, turn in list(self._turns.items()):
            if turn.over:
                self._report(item, turn)

    def _report(self, item: Item, turn: AsyncTurn) -> None:
        del self._turns[item]
        if not self._items.close(item):
            return
        how = turn.finished
        if how is None:
            self._heard(item.heard(turn.played_ms, cut=True, reason="lost"))
        else:
            cut = how.reason != "played"
            self._heard(item.heard(how.played_ms, cut=cut, reason=how.reason, barge_in_ms=how.barge_in_ms))


async def _give(turn: AsyncTurn, piece: bytes | str | None) -> None:
    """Sound, a caption, or the end."""
    if piece is None:
        await turn.end()
    elif isinstance(piece, bytes):
        await turn.write(piece)
    else:
        with suppress(ClientError):  # a caption that the voice refuses does not end the speech
            await turn.caption(piece[:_CAPTION_CHARACTERS], append=True)
