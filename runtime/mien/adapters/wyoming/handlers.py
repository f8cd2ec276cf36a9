"""One connection of a Wyoming client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioFormat, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, MicProgram, Satellite, SndProgram
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.server import AsyncEventHandler
from wyoming.snd import Played
from wyoming.tts import Synthesize

from mien import __version__
from mien.adapters.wyoming.hearing import RATE_HZ as EAR_RATE_HZ
from mien.adapters.wyoming.hearing import Hearing
from mien.adapters.wyoming.mouth import BadAudio, Mouth, Speech
from mien.adapters.wyoming.texts import Texts
from mien.client import NearEnd, UserStarted

PREROLL_BLOCKS: Final = 15  # 300 ms, as the ear's own pre-roll
LONGEST_COMMAND_S: Final = 30.0
_MADE_BY: Final = Attribution(name="mien", url="")
_log = logging.getLogger(__name__)


class Handler(AsyncEventHandler):
    """What all connections share: one event at a time, bad ones answered, tasks that end with the connection."""

    def __init__(self, *streams: Any) -> None:
        super().__init__(*streams)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()

    async def take(self, event: Event) -> None:
        """Act on an event. Unknown ones are ignored, as Wyoming wants it."""
        raise NotImplementedError

    async def handle_event(self, event: Event) -> bool:
        """Act on an event; a bad one is answered with `error` and ends the connection."""
        if Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
            return True
        try:
            await self.take(event)
        except (BadAudio, KeyError, TypeError, ValueError) as error:
            what = str(error) if isinstance(error, BadAudio) else f"malformed: {error}"
            with contextlib.suppress(OSError):
                await self.write_event(Error(text=f"{event.type}: {what}", code="bad-event").event())
            return False
        return True

    async def write_event(self, event: Event) -> None:
        """Send an event; whole, whoever else sends."""
        async with self._writing:
            await super().write_event(event)

    async def disconnect(self) -> None:
        """The client has gone."""
        for task in list(self._tasks):
            task.cancel()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something until the connection ends."""
        task = asyncio.get_running_loop().create_task(_until_gone(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _until_gone(work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(OSError):  # the client has gone; the connection's reader ends everything
        await work


class SndHandler(Handler):
    """Plays what it is sent, and says `played` once for each audio-stop, when the last sample was heard.

    A client that leaves after its audio-stop, as wyoming-satellite does, is heard to its end.
    """

    def __init__(self, mouth: Mouth, texts: Texts, *streams: Any) -> None:
        super().__init__(*streams)
        self._mouth = mouth
        self._texts = texts
        self._speech: Speech | None = None

    async def take(self, event: Event) -> None:
        """Act on an event."""
        if Describe.is_type(event.type):
            await self.write_event(self.info().event())
        elif AudioStart.is_type(event.type):
            self._end()
            self._speech = self._mouth.speech(self._texts.take())
        elif AudioChunk.is_type(event.type):
            if self._speech is None:
                self._speech = self._mouth.speech(self._texts.take())
            await self._speech.write(AudioChunk.from_event(event))
        elif AudioStop.is_type(event.type):
            self.spawn(self._say_played(self._end()))

    async def disconnect(self) -> None:
        """What was sent is heard."""
        self._end()
        await super().disconnect()

    def info(self) -> Info:
        """What this service is."""
        return Info(snd=[_snd_program(self._mouth)])

    def _end(self) -> Speech | None:
        speech, self._speech = self._speech, None
        if speech is not None:
            speech.stop()
        return speech

    async def _say_played(self, speech: Speech | None) -> None:
        if speech is not None:
            ended = await speech.finished()
            _log.debug("%s after %.0f ms", ended.reason, ended.played_ms)
        await self.write_event(Played().event())


class MicHandler(Handler):
    """Sends what the ear hears from the connection on."""

    def __init__(self, hearing: Hearing, *streams: Any) -> None:
        super().__init__(*streams)
        self._hearing = hearing

    async def run(self) -> None:
        """Send sound, and answer what comes."""
        self.spawn(self._send())
        await super().run()

    async def take(self, event: Event) -> None:
        """Act on an event."""
        if Describe.is_type(event.type):
            await self.write_event(Info(mic=[_mic_program()]).event())

    async def _send(self) -> None:
        with self._hearing.listen() as queue:
            await self.write_event(AudioStart(EAR_RATE_HZ, 2, 1, timestamp=0).event())
            while True:
                if isinstance(heard := await queue.get(), NearEnd):
                    await self.write_event(_chunk(heard).event())


class SatelliteHandler(SndHandler):
    """A satellite: what the customer says starts a pipeline, and its answer is played.

    The ear's detection of speech takes the place of a wake word.
    """

    def __init__(self, mouth: Mouth, texts: Texts, hearing: Hearing, name: str, *streams: Any) -> None:
        super().__init__(mouth, texts, *streams)
        self._hearing = hearing
        self._name = name
        self._running: asyncio.Task[None] | None = None
        self._answered = asyncio.Event()

    async def take(self, event: Event) -> None:
        """Act on an event."""
        if RunSatellite.is_type(event.type):
            if self._running is None:
                self._running = self.spawn(self._listen())
        elif PauseSatellite.is_type(event.type):
            if self._running is not None:
                self._running.cancel()
                self._running = None
        elif Transcript.is_type(event.type) or Error.is_type(event.type):
            self._answered.set()
        elif Synthesize.is_type(event.type):
            text = Synthesize.from_event(event).text
            if self._speech is None:
                self._texts.add(text)
            else:  # a streamed answer: its audio came before its text
                self._speech.add_text(text)
        else:
            if AudioStart.is_type(event.type):
                self._answered.set()
            await super().take(event)

    def info(self) -> Info:
        """What this service is."""
        about = Satellite(self._name, _MADE_BY, True, "a talking face", __version__, has_vad=False)
        return Info(satellite=about, snd=[_snd_program(self._mouth)], mic=[_mic_program()])

    async def _listen(self) -> None:
        with self._hearing.listen() as queue:
            preroll: deque[NearEnd] = deque(maxlen=PREROLL_BLOCKS)
            while True:
                heard = await queue.get()
                if isinstance(heard, NearEnd):
                    preroll.append(heard)
                elif isinstance(heard, UserStarted):
                    await self._command(queue, list(preroll))
                    preroll.clear()

    async def _command(self, queue: asyncio.Queue[Any], preroll: list[NearEnd]) -> None:
        """Stream one command until Home Assistant has understood it."""
        self._answered.clear()
        await self.write_event(RunPipeline(start_stage=PipelineStage.ASR, end_stage=PipelineStage.TTS).event())
        for block in preroll:
            await self.write_event(_chunk(block).event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_COMMAND_S):
                while not self._answered.is_set():
                    if isinstance(heard := await queue.get(), NearEnd):
                        await self.write_event(_chunk(heard).event())
        await self.write_event(AudioStop().event())


def _chunk(heard: NearEnd) -> AudioChunk:
    return AudioChunk(EAR_RATE_HZ, 2, 1, heard.data, timestamp=heard.at_ns // 1_000_000)


def _snd_program(mouth: Mouth) -> SndProgram:
    fmt = AudioFormat(rate=mouth.rate_hz, width=2, channels=1)
    return SndProgram("mien", _MADE_BY, True, "a talking face", __version__, snd_format=fmt)


def _mic_program() -> MicProgram:
    fmt = AudioFormat(rate=EAR_RATE_HZ, width=2, channels=1)
    return MicProgram("mien-ear", _MADE_BY, True, "a microphone without echo", __version__, mic_format=fmt)
