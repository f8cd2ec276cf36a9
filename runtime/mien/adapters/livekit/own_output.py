"""The agent's own audio output, which speaks while the voice is lost."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from livekit import rtc
from livekit.agents.voice.io import AudioOutput, PlaybackFinishedEvent, PlaybackStartedEvent

from mien.adapters.segments.leg import LegEnd
from mien.adapters.segments.link import log
from mien.adapters.segments.mono import MonoStream
from mien.adapters.segments.segment import Segment
from mien.adapters.segments.speaker import Speaker

FRAME_MS: Final = 50
PATIENCE_S: Final = 5.0  # for the first sample; an output to which nobody listens never plays
CLEAR_S: Final = 2.5  # LiveKit itself gives a remote avatar two seconds


class OwnOutput:
    """Speaks segments through another AudioOutput, in its own rate."""

    def __init__(self, output: AudioOutput, rate_hz: int) -> None:
        self.output = output
        self._rate_hz = rate_hz

    async def speak(self, segment: Segment, start: int, speaker: Speaker) -> LegEnd:
        """Speak from frame `start` on until it was heard or cleared. "refused": the output does not play."""
        leg = _OwnLeg(self.output, self._rate_hz, segment, start, speaker)
        log.warning("the agent's own output speaks: mien is lost")
        return await leg.speak()


class _OwnLeg:
    def __init__(self, output: AudioOutput, rate_hz: int, segment: Segment, start: int, speaker: Speaker) -> None:
        self._output, self._segment, self._start, self._speaker = output, segment, start, speaker
        self._out_hz = output.sample_rate or rate_hz
        self._mono = MonoStream(self._out_hz)
        self._fed = start
        self._started = self._captured = False
        self._finished: PlaybackFinishedEvent | None = None
        self._failed = False

    async def speak(self) -> LegEnd:
        output, segment, until = self._output, self._segment, self._speaker.waker.until
        output.on("playback_started", self._on_started)
        output.on("playback_finished", self._on_finished)
        output.on_attached()
        feeder = asyncio.get_running_loop().create_task(self._feed())
        try:
            while not await until(lambda: self._started or self._over(), PATIENCE_S) and self._speaker.paused:
                pass
            if self._started:
                await until(self._over)
            if segment.cleared or not self._over():
                await self._clear(feeder)
            return self._end()
        finally:
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)
            output.off("playback_started", self._on_started)
            output.off("playback_finished", self._on_finished)
            output.on_detached()

    def _over(self) -> bool:
        return self._finished is not None or self._segment.cleared or self._failed

    def _end(self) -> LegEnd:
        heard_ms = 0.0 if self._finished is None else self._finished.playback_position * 1000
        frames = min(self._segment.to_frames(heard_ms), self._fed - self._start)
        if self._segment.cleared:
            return LegEnd("interrupted", frames)
        if self._finished is None:
            return LegEnd("refused", frames)
        return LegEnd("interrupted" if self._finished.interrupted else "played", self._heard_all(frames))

    def _heard_all(self, frames: int) -> int:
        """An output counts in its own rate; the end of all audio is no matter of rounding."""
        assert self._finished is not None
        return frames if self._finished.interrupted else self._fed - self._start

    async def _clear(self, feeder: asyncio.Task[None]) -> None:
        """Stop the output; it reports once, unless it never took a frame."""
        feeder.cancel()
        await asyncio.gather(feeder, return_exceptions=True)
        if self._captured and self._finished is None:
            with contextlib.suppress(Exception):
                self._output.flush()
                self._output.clear_buffer()
            await self._speaker.waker.until(lambda: self._finished is not None, CLEAR_S)

    async def _feed(self) -> None:
        segment, step = self._segment, self._segment.rate_hz * FRAME_MS // 1000
        try:
            while True:
                while data := segment.read(self._fed, step):
                    await self._push(self._mono.convert(data, segment.rate_hz, 1))
                    self._fed += len(data) // 2
                    segment.taken = self._fed
                    self._speaker.waker.wake()
                if segment.ended:
                    break
                await self._speaker.waker.until(lambda: segment.ended or segment.pushed_frames > self._fed)
            await self._push(self._mono.flush())
            self._output.flush()
        except Exception as error:  # an output of the agent's may raise anything; the segment still has to finish
            log.warning("the agent's own output failed: %s", error)
            self._failed = True
            self._speaker.waker.wake()

    async def _push(self, pcm: bytes) -> None:
        if pcm:
            await self._output.capture_frame(rtc.AudioFrame(pcm, self._out_hz, 1, len(pcm) // 2))
            self._captured = True

    def _on_started(self, event: PlaybackStartedEvent) -> None:
        self._started = True
        self._speaker.start_heard(self._segment)
        self._speaker.waker.wake()

    def _on_finished(self, event: PlaybackFinishedEvent) -> None:
        self._finished = event
        self._speaker.waker.wake()
