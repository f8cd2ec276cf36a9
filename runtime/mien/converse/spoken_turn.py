"""One answer as a turn of the voice: its sentences synthesised, captioned, sent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from mien.client import AsyncClient, AsyncTurn, ClientError
from mien.client.audio import MonoConverter, SampleFormat
from mien.client.phones import PhonesError, phones_of_text
from mien.converse import events
from mien.converse.speak.word_times import Word, spread
from mien.converse.stages import Speaking
from mien.errors import ConverseError

GAP_MS: Final = 120
"""Silence between two sentences, which were trimmed."""


class _Sentence(NamedTuple):
    text: str
    language: str
    speed: float


class SpokenTurn:
    """answer: the conversation's number for it. take: gets Queued, Failed.

    A turn ends when finish() was called and all was heard, or soon after stop().
    """

    def __init__(
        self,
        client: AsyncClient,
        speaking: Speaking,
        answer: int,
        take: Callable[[events.Event], None],
        captioned: Callable[[], bool] = lambda: True,
    ) -> None:
        """captioned(): whether the next sentence gets a caption."""
        self.answer = answer
        self.sent_ns = 0
        self.opened = False
        self._client = client
        self._speaking = speaking
        self._take = take
        self._captioned = captioned
        self._turn: AsyncTurn = client.turn()
        self._sentences: asyncio.Queue[_Sentence | None] = asyncio.Queue()
        self._stopped = asyncio.Event()
        self._end_ms = 0.0

    @property
    def name(self) -> str:
        """Of the voice's turn."""
        return self._turn.name

    def say(self, text: str, language: str, speed: float) -> None:
        """One more sentence."""
        self._sentences.put_nowait(_Sentence(text, language, speed))

    def finish(self) -> None:
        """No more sentences come."""
        self._sentences.put_nowait(None)

    def stop(self) -> None:
        """Give up what was not sent; the caller interrupts the voice."""
        self._stopped.set()

    async def clear_caption(self) -> None:
        """Take the captions of what is being said away."""
        with contextlib.suppress(ClientError):
            await self._turn.caption("")

    async def run(self) -> events.TurnOver:
        """Speak; returns how it ended."""
        speaking = asyncio.ensure_future(self._speak())
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait((speaking, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            if not speaking.done():
                speaking.cancel()
            await asyncio.gather(speaking, stopped, return_exceptions=True)
        if (
            not speaking.cancelled()
            and (error := speaking.exception()) is not None
            and not isinstance(error, ClientError)
        ):
            raise error
        return await self._outcome()

    async def _speak(self) -> None:
        while (sentence := await self._sentences.get()) is not None:
            try:
                await self._say(sentence)
            except ConverseError as error:
                self._take(events.Failed(self.answer, "speak", str(error)))
        if self.sent_ns:
            await self._turn.end()

    async def _say(self, sentence: _Sentence) -> None:
        """One sentence. Words that were sent but not timed when it is broken off are estimated."""
        begin_ms, converter = self._end_ms, None
        words: tuple[Word, ...] = ()
        if self.sent_ns:
            begin_ms += GAP_MS
            await self._write(bytes(2 * (self._client.rate_hz * GAP_MS // 1000)))
        guiding = asyncio.ensure_future(self._guide(sentence))
        try:
            sounds = self._speaking.speak(sentence.text, sentence.language, sentence.speed)
            async with contextlib.aclosing(sounds) as pieces:
                async for sound in pieces:
                    if converter is None:
                        converter = MonoConverter(SampleFormat(sound.rate_hz, 1, 16, False), self._client.rate_hz)
                    pcm = converter.convert(sound.pcm)
                    if sound.words:
                        words = sound.words
                        pcm += converter.flush()
                        await self._caption(sentence.text, words, begin_ms)
                    await self._write(pcm)
            await guiding
        finally:
            guiding.cancel()
            if self._end_ms > begin_ms:
                words = words or spread(sentence.text, self._end_ms - begin_ms)
                shifted = tuple((word, round(begin_ms + start), round(begin_ms + end)) for word, start, end in words)
                self._take(events.Queued(self.answer, sentence.text, shifted, self._end_ms))

    async def _guide(self, sentence: _Sentence) -> None:
        """Tell how a sentence sounds, beside its sound. Without phones the sound alone moves the lips."""
        with contextlib.suppress(PhonesError):
            await self._turn.phones(await asyncio.to_thread(phones_of_text, sentence.text, sentence.language))

    async def _caption(self, text: str, words: tuple[tuple[str, int, int], ...], begin_ms: float) -> None:
        if not self._captioned():
            return
        shifted = [(word, round(begin_ms + start), round(begin_ms + end)) for word, start, end in words]
        first = begin_ms == 0
        with contextlib.suppress(ClientError):  # too long, or no session: the speech goes on
            await self._turn.caption(text if first else f" {text}", shifted, append=not first)

    async def _write(self, pcm: bytes) -> None:
        if not self.sent_ns:
            self.sent_ns = time.monotonic_ns()
        await self._turn.write(pcm)
        self._end_ms += len(pcm) / 2 * 1000 / self._client.rate_hz

    async def _outcome(self) -> events.TurnOver:
        stopped = self._stopped.is_set()
        if not self.sent_ns:
            return events.TurnOver(self.answer, 0.0, stopped)
        try:
            finished = await (self._turn.interrupt() if stopped and not self._turn.over else self._turn.wait())
        except ClientError:  # the voice was lost
            return events.TurnOver(self.answer, self._turn.played_ms, True)
        heard_ms = finished.barge_in_ms if finished.barge_in_ms is not None else finished.played_ms
        return events.TurnOver(self.answer, heard_ms, finished.interrupted)
