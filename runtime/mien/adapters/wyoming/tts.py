"""A proxy in front of a TTS."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from wyoming.audio import AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

from mien.adapters.wyoming.handlers import Handler
from mien.adapters.wyoming.texts import Texts

CONNECT_S: Final = 5.0
ANSWER_S: Final = 60.0


class TtsHandler(Handler):
    """Passes requests on to the TTS at `uri` and its audio back; remembers the text for the caption.

    A TTS that cannot stream gets the text of a streamed request in one piece.
    """

    def __init__(self, uri: str, texts: Texts, *streams: Any) -> None:
        super().__init__(*streams)
        self._uri = uri
        self._texts = texts
        self._streamed: list[str] | None = None
        self._start: SynthesizeStart | None = None

    async def take(self, event: Event) -> None:
        """Act on an event."""
        if Describe.is_type(event.type):
            await self._describe()
        elif SynthesizeStart.is_type(event.type):
            self._start, self._streamed = SynthesizeStart.from_event(event), []
        elif SynthesizeChunk.is_type(event.type) and self._streamed is not None:
            self._streamed.append(SynthesizeChunk.from_event(event).text)
        elif SynthesizeStop.is_type(event.type) and self._streamed is not None:
            text, voice = "".join(self._streamed), self._start.voice if self._start is not None else None
            self._streamed = None
            if text.strip():
                await self._synthesize(Synthesize(text=text, voice=voice))
            await self.write_event(SynthesizeStopped().event())
        elif Synthesize.is_type(event.type) and self._streamed is None:
            await self._synthesize(Synthesize.from_event(event))

    async def _describe(self) -> None:
        info = Info()
        try:
            async with asyncio.timeout(CONNECT_S), AsyncClient.from_uri(self._uri) as upstream:
                await upstream.write_event(Describe().event())
                while (event := await upstream.read_event()) is not None:
                    if Info.is_type(event.type):
                        info = Info(tts=Info.from_event(event).tts)
                        break
        except (OSError, TimeoutError):
            pass  # an info without a TTS says that there is none at present
        for program in info.tts:
            program.supports_synthesize_streaming = True
        await self.write_event(info.event())

    async def _synthesize(self, request: Synthesize) -> None:
        try:
            async with asyncio.timeout(ANSWER_S), AsyncClient.from_uri(self._uri) as upstream:
                await upstream.write_event(request.event())
                while (event := await upstream.read_event()) is not None:
                    await self.write_event(event)
                    if AudioStop.is_type(event.type):
                        self._texts.add(request.text)
                        return
                    if Error.is_type(event.type):
                        return
            raise ConnectionError("it closed the connection")
        except (OSError, TimeoutError) as error:
            why = str(error) or f"no answer for {ANSWER_S:.0f} s"
            await self.write_event(Error(text=f"the TTS at {self._uri}: {why}", code="tts-unreachable").event())
            await self.write_event(AudioStop().event())
