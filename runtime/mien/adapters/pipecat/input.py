"""Pipecat's input transport on mien-ear."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from loguru import logger
from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import (
    InputAudioRawFrame,
    StartFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_transport import TransportParams

from mien.adapters.pipecat.params import MienParams
from mien.client import AsyncClient, Ear, NearEnd, UserStarted, UserStopped
from mien.errors import ClientError

EAR_RATE_HZ: Final = 16000
RETRY_S: Final = 1.0


class MienInputTransport(BaseInputTransport):
    """The customer, as mien-ear hears them: without the bot's own speech. All sound comes, as from any microphone.

    params: MienParams, or Pipecat's own with the voice of this machine. While no ear runs nothing comes; the log says
    what to do.
    """

    def __init__(self, params: TransportParams | None = None, **kwargs: Any) -> None:
        self._mien = MienParams(**(params.model_dump(exclude_unset=True) if params is not None else {}))
        super().__init__(self._mien, **kwargs)
        self._resampler: Any = create_stream_resampler(clear_after_secs=None)
        self._listening: asyncio.Task[None] | None = None

    async def start(self, frame: StartFrame) -> None:
        """Listen from now on. A voice that is not there yet is tried again."""
        await super().start(frame)
        await self.set_transport_ready(frame)
        if self._listening is None and self._mien.audio_in_enabled:
            self._listening = self.create_task(self._listen(), "mien-ear")

    async def cleanup(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            await self.cancel_task(self._listening)
            self._listening = None
        await super().cleanup()

    async def _listen(self) -> None:
        told = ""
        while True:
            try:
                client = await self._mien.connect(EAR_RATE_HZ, " ear")
            except ClientError as error:
                if str(error) != told:
                    told = str(error)
                    await self.push_error(f"mien: {error}", exception=error)
                if not error.retryable:
                    return
                await asyncio.sleep(RETRY_S)
                continue
            try:
                await self._hear(client)
            except ClientError as error:
                await self.push_error(f"mien: {error}", exception=error)
                await asyncio.sleep(RETRY_S)
            finally:
                await client.close()

    async def _hear(self, client: AsyncClient) -> None:
        async for heard in client.listen("always"):
            match heard:
                case NearEnd(data=data):
                    await self._take(data)
                case UserStarted() if self._mien.vad:
                    since_s = max(0.0, (time.monotonic_ns() - heard.at_ns) / 1e9)
                    await self.broadcast_frame(VADUserStartedSpeakingFrame, start_secs=since_s)
                case UserStopped() if self._mien.vad:
                    since_s = max(0.0, (time.monotonic_ns() - heard.at_ns) / 1e9)
                    await self.broadcast_frame(VADUserStoppedSpeakingFrame, stop_secs=since_s)
                case Ear(state=state, why=why):
                    logger.info("{}: the ear is {}{}", self, state, f": {why}" if why else "")

    async def _take(self, data: bytes) -> None:
        audio = await self._resampler.resample(data, EAR_RATE_HZ, self.sample_rate)
        if audio:
            await self.push_audio_frame(InputAudioRawFrame(audio=audio, sample_rate=self.sample_rate, num_channels=1))
