"""Pipecat's media sender, whose frames leave when they were heard."""

from __future__ import annotations

import asyncio
import copy
from typing import Any, Protocol

import numpy as np
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    EndFrame,
    FilterControlFrame,
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFFrame,
    VolumeFrame,
    VolumeGainFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.utils.frame_queue import FrameQueue

# They change what is written next. All others act when they are heard.
_AT_ONCE = (FilterControlFrame, OutputDTMFFrame, VolumeFrame, VolumeGainFrame)

_ROUND = "mien_round"


class Holder(Protocol):
    """Where the sender's frames wait."""

    @property
    def speaking(self) -> bool:
        """Whether anything waits to be heard."""

    async def hold(self, frame: Frame) -> None:
        """Keep a frame until the audio before it was heard."""

    def hold_timed(self, frame: Frame) -> bool:
        """Keep a frame until its own time was heard; False for one that belongs to no speech."""

    async def drain(self) -> None:
        """Wait until all was heard."""


class _RoundQueue(FrameQueue):
    """A queue that knows in which round its newest item was taken: an interruption begins a new round."""

    def __init__(self) -> None:
        super().__init__()
        self.round = self.taken_in = 0

    def _get(self) -> Any:
        self.taken_in = self.round
        return super()._get()


class HeardSender(BaseOutputTransport.MediaSender):
    """Chunks, resamples, filters and mixes as Pipecat's sender does, and acts on each frame when it was heard.

    Pipecat acts on a frame when it takes it from its queue, ahead of what is heard, and on timed frames by the wall
    clock.
    """

    def __init__(self, transport: BaseOutputTransport, holder: Holder, **options: Any) -> None:
        super().__init__(transport, destination=None, **options)
        self._holder = holder
        self._interrupting = False
        self._bot_speaking = False
        self._audio_task: asyncio.Task[None] | None = None

    async def begin_speech(self, frame: OutputAudioRawFrame) -> None:
        """The first sample of this audio was heard."""
        await self._handle_bot_speech(frame)

    async def act(self, frame: Frame) -> None:
        """All audio before this frame was heard."""
        if not isinstance(frame, _AT_ONCE):
            await self._handle_frame(frame)
        await self._transport.push_frame(frame)

    async def stop_speech(self) -> None:
        """The bot is silent."""
        await self._bot_stopped_speaking()

    async def handle_audio_frame(self, frame: OutputAudioRawFrame) -> None:
        """Mixed down to mono before it is resampled: the voice is mono."""
        await super().handle_audio_frame(frame if frame.num_channels == 1 else _mono(frame))

    async def handle_timed_frame(self, frame: Frame) -> None:
        """Timed by what is heard; by the wall clock where there is no speech."""
        if not self._holder.hold_timed(frame):
            await super().handle_timed_frame(frame)

    async def handle_interruptions(self, frame: InterruptionFrame) -> None:
        """Drop what was not written."""
        self._interrupting = True
        try:
            await super().handle_interruptions(frame)
        finally:
            self._interrupting = False
            self._audio_queue.round += 1

    def _create_audio_task(self) -> None:
        if not self._audio_task:
            self._audio_queue: Any = _RoundQueue()
            self._audio_task = self._transport.create_task(self._audio_task_handler())

    async def _audio_task_handler(self) -> None:
        async for frame in self._next_frame():
            if isinstance(frame, EndFrame):
                await self._holder.drain()
                break
            if frame.interruptible and self._taken_before_an_interruption():
                continue
            if not isinstance(frame, OutputAudioRawFrame):
                if isinstance(frame, _AT_ONCE):
                    await self._handle_frame(frame)
                await self._holder.hold(frame)
            elif frame.audio:
                frame.metadata[_ROUND] = self._audio_queue.round  # the write is a task of its own, and may begin late
                await self._internal_write_audio_frame(frame)

    def is_overtaken(self, frame: OutputAudioRawFrame) -> bool:
        """Whether an interruption came between the queue and the write."""
        current = self._audio_queue.round
        return bool(frame.interruptible and frame.metadata.get(_ROUND, current) != current)

    def _taken_before_an_interruption(self) -> bool:
        """Whether the frame in hand left the queue before an interruption emptied it. A mixer's own frame did not."""
        return not self._mixer and self._audio_queue.taken_in != self._audio_queue.round

    async def _enqueue_flushed_audio_buffer(self) -> None:
        """As Pipecat's, without silence behind the last chunk: it would count as heard."""
        last = self._audio_runs[-1][1] if self._audio_runs else False
        self._buffer_audio(await self._resampler.flush(), uninterruptible=last)
        while self._audio_runs:
            audio, uninterruptible = self._take_audio_chunk()
            await self._enqueue_audio_chunk(audio, uninterruptible)

    async def _bot_stopped_speaking(self) -> None:
        """As Pipecat's, except that the audio of the next segment, which may have come meanwhile, is kept."""
        queue_is_empty = asyncio.current_task() is self._audio_task
        if (queue_is_empty or self._interrupting) and self._holder.speaking:
            return
        if queue_is_empty or self._interrupting:
            await super()._bot_stopped_speaking()
        elif self._bot_speaking:
            self._bot_speaking = self._tts_audio_received = False
            down, up = BotStoppedSpeakingFrame(), BotStoppedSpeakingFrame()
            down.broadcast_sibling_id, up.broadcast_sibling_id = up.id, down.id
            await self._transport.push_frame(down)
            await self._transport.push_frame(up, FrameDirection.UPSTREAM)


def _mono(frame: OutputAudioRawFrame) -> OutputAudioRawFrame:
    whole = len(frame.audio) - len(frame.audio) % (2 * frame.num_channels)
    samples = np.frombuffer(frame.audio[:whole], dtype="<i2").reshape(-1, frame.num_channels)
    mono = copy.copy(frame)
    mono.audio = np.rint(samples.mean(axis=1)).astype("<i2").tobytes()
    mono.num_channels, mono.num_frames = 1, len(samples)
    return mono
