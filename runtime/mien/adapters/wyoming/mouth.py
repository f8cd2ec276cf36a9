"""Speaks Wyoming's audio through mien-voice."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Final

from wyoming.audio import AudioChunk

from mien.adapters.guide import LANGUAGE
from mien.adapters.heard.segment import Ended, Segment, Utterance
from mien.adapters.heard.speaker import Connect, Speaker
from mien.client import ClientError
from mien.client.audio import MonoConverter, SampleFormat

AHEAD_MS: Final = 10_000.0  # Home Assistant sends as fast as it is read; what is cut is cut in the voice
ROOM_S: Final = 5.0
RATES_HZ: Final = (1000, 384_000)
_log = logging.getLogger(__name__)


class BadAudio(ValueError):
    """A client sent audio of a format that does not exist."""


class Mouth:
    """One session with the voice, for all connections.

    rate_hz: of the session; audio of other rates is resampled. language: of the speech, for guided lips; None leaves
    them to the sound.
    """

    def __init__(self, rate_hz: int, language: str | None = LANGUAGE) -> None:
        self.rate_hz = rate_hz
        self._speaker: Speaker[str] = Speaker(self, rate_hz=rate_hz, ahead_ms=AHEAD_MS, language=language)
        self._ends: dict[str, asyncio.Future[Ended]] = {}
        self._names = itertools.count()

    async def start(self, connect: Connect) -> None:
        """Connect. Raises ConfigError, and ClientError for a refusal that will not change."""
        await self._speaker.start(connect)

    async def close(self) -> None:
        """Interrupt what is spoken, and close the session."""
        await self._speaker.close()

    def speech(self, text: str = "") -> Speech:
        """Begin to speak. text: for the caption."""
        return Speech(self, self._speaker, text)

    def begin(self) -> tuple[Segment[str], asyncio.Future[Ended]]:
        """A segment, and the future of its end."""
        name = f"wyoming-{next(self._names)}"
        self._ends[name] = asyncio.get_running_loop().create_future()
        return self._speaker.begin(Utterance(name)), self._ends[name]

    async def heard(self, item: str) -> None:
        """Nothing waits for a position here."""

    async def unheard(self, item: str, ended: Ended) -> None:
        """Nothing waits for a position here."""

    async def ended(self, ended: Ended) -> None:
        """A segment ended."""
        if ended.name is not None and (end := self._ends.pop(ended.name, None)) is not None and not end.done():
            end.set_result(ended)

    async def stopped_by_voice(self) -> None:
        """Wyoming has no message for it."""
        _log.info("the speech was cut off on the kiosk")

    async def lost(self, error: ClientError) -> None:
        """The voice went away, or refused."""
        _log.warning("%s", error)


class Speech:
    """One stream of audio, from its start to its stop. A silence in it may end a turn of the voice; it goes on in
    another."""

    def __init__(self, mouth: Mouth, speaker: Speaker[str], text: str) -> None:
        self._mouth = mouth
        self._speaker = speaker
        self._text = text
        self._format: SampleFormat | None = None
        self._converter: MonoConverter | None = None
        self._rest = b""
        self._segment: Segment[str] | None = None
        self._end: asyncio.Future[Ended] | None = None

    async def write(self, chunk: AudioChunk) -> None:
        """Speak a chunk; waits while the voice has ten seconds in store. Raises BadAudio."""
        pcm = self._convert(chunk)
        segment = self._current()
        if pcm and segment is not None:
            self._speaker.write(segment, pcm)
            await self._speaker.room(segment, ROOM_S)

    def add_text(self, text: str) -> None:
        """Add to the caption."""
        if self._segment is None:
            self._text += text
        else:
            self._speaker.caption(self._segment, text)

    def stop(self) -> None:
        """No more audio comes."""
        if self._converter is not None and self._segment is not None:
            self._speaker.write(self._segment, self._converter.flush())
        if self._segment is not None:
            self._speaker.end(self._segment)

    async def finished(self) -> Ended:
        """Wait until all was heard or cut off."""
        if self._end is None:
            return Ended(None, 0.0, False, "played")
        return await asyncio.shield(self._end)

    def _current(self) -> Segment[str] | None:
        """Where audio goes now; None once it was cut off."""
        segment = self._segment
        if segment is None:
            segment = self._next()
            if self._text:
                self._speaker.caption(segment, self._text)
        elif segment.over or segment.cut or segment.ended:
            outcome = segment.outcome()
            if segment.cut or (outcome is not None and outcome.interrupted):
                return None
            segment = self._next()
        elif self._speaker.full(segment):
            self._speaker.end(segment)
            segment = self._next()
        return segment

    def _next(self) -> Segment[str]:
        self._segment, self._end = self._mouth.begin()
        return self._segment

    def _convert(self, chunk: AudioChunk) -> bytes:
        fmt = _format(chunk)
        if self._converter is None or fmt != self._format:
            self._format, self._rest = fmt, b""
            self._converter = MonoConverter(fmt, self._mouth.rate_hz)
        data = self._rest + chunk.audio
        whole = len(data) - len(data) % fmt.frame_bytes
        self._rest = data[whole:]
        return self._converter.convert(data[:whole]) if whole else b""


def _format(chunk: AudioChunk) -> SampleFormat:
    whole = all(isinstance(value, int) for value in (chunk.rate, chunk.width, chunk.channels))
    if not whole or not 1 <= chunk.width <= 4 or not 1 <= chunk.channels <= 64:
        raise BadAudio(f"audio of {chunk.channels} channels with {chunk.width} bytes a sample cannot be played")
    if not RATES_HZ[0] <= chunk.rate <= RATES_HZ[1]:
        raise BadAudio(f"audio of {chunk.rate} Hz cannot be played; {RATES_HZ[0]} to {RATES_HZ[1]} Hz can")
    return SampleFormat(chunk.rate, chunk.channels, chunk.width * 8, False)
