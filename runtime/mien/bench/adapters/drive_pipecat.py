"""Speaks the script through a Pipecat pipeline: a word-timing TTS service, and mien's output transport."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

from loguru import logger
from pipecat.frames.frames import Frame, InterruptionFrame, TTSStoppedFrame, TTSTextFrame
from pipecat.processors.frame_processor import FrameDirection

from mien.adapters.pipecat import MienOutputTransport, MienParams, MienSegmentFinishedFrame
from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict
from mien.bench.adapters.pipecat_stage import PATIENCE_S, ScriptedTts, Stage


class Driver:
    """Pipecat. A segment is a TTS context; its words are the TTSTextFrames that come before its end."""

    name = "pipecat"
    can_pause = True

    def __init__(self, rate_hz: int = 24000) -> None:
        self.rate_hz = rate_hz
        self._stage: Stage | None = None
        self._transport: MienOutputTransport | None = None
        self._contexts: dict[int, str] = {}
        self._finishes: Counter[str] = Counter()
        self._current: str | None = None
        self._interruptions = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._words: defaultdict[str, list[str]] = defaultdict(list)
        self._told: defaultdict[str, asyncio.Future[MienSegmentFinishedFrame]] = defaultdict(_future)
        self._closed: defaultdict[str, asyncio.Future[None]] = defaultdict(_future)

    async def open(self, endpoint: str) -> None:
        """Start a pipeline. Its log of each frame would be measured too, so there is none."""
        logger.disable("pipecat")
        self._transport = MienOutputTransport(MienParams(endpoint=endpoint, client_name="bench adapters"))
        self._stage = Stage(self._transport, self.rate_hz, told=self._pass, keep=False)
        await self._stage.__aenter__()

    async def speak(self, segment: Segment) -> Verdict:
        """Speak one segment as one TTSSpeakFrame."""
        assert self._stage is not None
        assert self._transport is not None
        tts = self._stage.tts
        assert isinstance(tts, ScriptedTts)
        text = " ".join(word.text for word in segment.words) or "speech"
        context = self._contexts[segment.number] = self._current = await self._stage.say(text)
        untimed = [(word.text, word.start_ms / 1000) for word in segment.words]

        async def push(chunk: Pcm) -> None:
            await tts.speak(context, chunk.tobytes())
            if untimed:
                await tts.time_words(context, untimed)
                untimed.clear()

        actor = Actor(
            segment,
            self.rate_hz,
            push=push,
            end=lambda: tts.finish(context),
            interrupt=self._interrupt,
            pause=self._transport.pause,
            resume=self._transport.resume,
        )
        told, closed = self._told[context], self._closed[context]
        try:
            await actor.perform(asyncio.gather(asyncio.shield(told), asyncio.shield(closed)))
        except BaseException:
            await self._interrupt()
            raise
        finally:
            await self._interruptions_passed()
        finished = told.result()
        return Verdict(
            pushed_ns=actor.pushed_ns,
            interrupted_ns=actor.interrupted_ns if finished.interrupted else None,
            position_ms=finished.played_ms,
            interrupted=finished.interrupted,
            words=tuple(self._words.pop(context, ())) if segment.words else None,
        )

    def finishes(self, number: int) -> int:
        """How many MienSegmentFinishedFrames came downstream for this segment."""
        return self._finishes[self._contexts.get(number, "")]

    async def close(self) -> None:
        """Cancel the pipeline, as a bot whose customer has left."""
        if self._stage is not None:
            await self._stage.cancel()

    async def _interrupt(self) -> None:
        assert self._stage is not None
        self._interruptions += 1
        self._quiet.clear()
        await self._stage.push(InterruptionFrame())

    async def _interruptions_passed(self) -> None:
        """One that came too late for its segment must not meet the next."""
        async with asyncio.timeout(PATIENCE_S):
            await self._quiet.wait()

    def _pass(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame has come out of the transport."""
        if direction != FrameDirection.DOWNSTREAM:
            return
        match frame:
            case TTSTextFrame(context_id=str(context)) if not self._closed[context].done():
                self._words[context].append(frame.text)
            case MienSegmentFinishedFrame(context_id=str(context)):
                self._finishes[context] += 1
                if not self._told[context].done():
                    self._told[context].set_result(frame)
                    if frame.reason == "lost" and not self._closed[context].done():
                        self._closed[context].set_result(None)
            case TTSStoppedFrame(context_id=str(context)) if not self._closed[context].done():
                self._closed[context].set_result(None)
            case InterruptionFrame():
                self._interruptions -= 1
                if self._interruptions == 0:
                    self._quiet.set()
                if self._current is not None and not self._closed[self._current].done():
                    self._closed[self._current].set_result(None)


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()
