"""A Pipecat pipeline with a TTS service that says what it is given, and mien's output transport."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from pipecat.frames.frames import EndFrame, Frame, StartFrame, TTSAudioRawFrame, TTSSpeakFrame, TTSStoppedFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.workers.runner import WorkerRunner

PATIENCE_S = 20


class ScriptedTts(TTSService):
    """A word-timing service over a socket, as Pipecat sees it: audio and words come when the script says so.

    contexts: the name of each context that Pipecat opened, in order.
    """

    def __init__(self, rate_hz: int, **options: Any) -> None:
        chosen = {"push_text_frames": False, "push_start_frame": True, "stop_frame_timeout_s": 3600.0, **options}
        super().__init__(sample_rate=rate_hz, settings=TTSSettings(model=None, voice=None, language=None), **chosen)
        self.rate_hz = rate_hz
        self.contexts: asyncio.Queue[str] = asyncio.Queue()

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Nothing yet: the script pushes."""
        self.contexts.put_nowait(context_id)
        yield None

    async def speak(self, context: str, pcm: bytes) -> None:
        """Audio has come."""
        await self.append_to_audio_context(
            context, TTSAudioRawFrame(audio=pcm, sample_rate=self.rate_hz, num_channels=1, context_id=context)
        )

    async def time_words(self, context: str, words: Sequence[tuple[str, float]]) -> None:
        """Words and their starts, in s, have come."""
        await self.add_word_timestamps(list(words), context)

    async def finish(self, context: str) -> None:
        """The speech is complete."""
        await self.append_to_audio_context(context, TTSStoppedFrame(context_id=context))
        await self.remove_audio_context(context)


class Recorder(FrameProcessor):
    """Records what passes, with the time, s. told: called for each. keep: whether anything is kept after that."""

    def __init__(self, told: Callable[[Frame, FrameDirection], None] | None = None, *, keep: bool = True) -> None:
        super().__init__()
        self._keep = keep
        self.seen: list[tuple[float, Frame, FrameDirection]] = []
        self._told = told
        self._changed = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Record and pass on."""
        await super().process_frame(frame, direction)
        if self._keep or isinstance(frame, StartFrame):
            self.seen.append((time.monotonic(), frame, direction))
            self._changed.set()
        if self._told is not None:
            self._told(frame, direction)
        await self.push_frame(frame, direction)

    def of(self, *kinds: type[Frame], direction: FrameDirection = FrameDirection.DOWNSTREAM) -> list[Any]:
        """The frames of these types that passed in one direction."""
        return [frame for _, frame, way in self.seen if isinstance(frame, kinds) and way == direction]

    async def until(
        self, *kinds: type[Frame], count: int = 1, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> Any:
        """Wait for so many frames of these types; returns the last of them."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := self.of(*kinds, direction=direction)) < count:
                self._changed.clear()
                await self._changed.wait()
        return found[count - 1]


class Stage:
    """A running pipeline: recorder, TTS, the transport, whatever follows, recorder. Use in `async with`."""

    def __init__(
        self,
        transport: FrameProcessor,
        rate_hz: int,
        *after: FrameProcessor,
        told: Callable[[Frame, FrameDirection], None] | None = None,
        tts: FrameProcessor | None = None,
        before: Sequence[FrameProcessor] = (),
        keep: bool = True,
    ) -> None:
        self.transport = transport
        self.tts = tts or ScriptedTts(rate_hz)
        self.up, self.down = Recorder(keep=keep), Recorder(told, keep=keep)
        pipeline = Pipeline([self.up, *before, self.tts, transport, *after, self.down])
        self.worker = PipelineWorker(
            pipeline,
            cancel_on_idle_timeout=False,
            enable_rtvi=False,
            params=PipelineParams(audio_out_sample_rate=rate_hz),
        )
        self._runner = WorkerRunner(handle_sigint=False)
        self._running: asyncio.Task[None] | None = None

    async def push(self, *frames: Frame) -> None:
        """Queue frames at the beginning of the pipeline."""
        for frame in frames:
            await self.worker.queue_frame(frame)

    async def say(self, text: str, **options: Any) -> str:
        """Have the TTS open a context; returns its name."""
        assert isinstance(self.tts, ScriptedTts)
        await self.push(TTSSpeakFrame(text, **options))
        async with asyncio.timeout(PATIENCE_S):
            return await self.tts.contexts.get()

    async def end(self) -> None:
        """End the pipeline as a bot does, once all was heard."""
        await self.push(EndFrame())
        await self._over()

    async def cancel(self) -> None:
        """End it at once."""
        if self._running is not None and not self._running.done():
            await self.worker.cancel()
        await self._over()

    async def __aenter__(self) -> Stage:
        await self._runner.add_workers(self.worker)
        self._running = asyncio.create_task(self._runner.run())
        await self.down.until(StartFrame)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cancel()

    async def _over(self) -> None:
        if self._running is not None:
            with contextlib.suppress(asyncio.CancelledError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._running
