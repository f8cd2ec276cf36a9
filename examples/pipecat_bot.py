"""A Pipecat bot that speaks through mien, and prints what was heard. Any TTS of Pipecat takes Espeak's place."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from subprocess import check_output

from pipecat.frames.frames import EndFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.tts_service import TTSService
from pipecat.workers.runner import WorkerRunner

from mien.adapters.pipecat import MienSegmentFinishedFrame, MienTransport


class Espeak(TTSService):
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        wav = await asyncio.to_thread(check_output, ["espeak-ng", "--stdout", text])
        yield TTSAudioRawFrame(wav[44:], 22050, 1, context_id=context_id)


class Printer(FrameProcessor):
    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, MienSegmentFinishedFrame):
            print(f"{frame.reason}: {frame.played_ms:.0f} ms heard", flush=True)
        await self.push_frame(frame, direction)


async def main() -> None:
    speech = Espeak(push_start_frame=True, push_stop_frames=True)
    worker = PipelineWorker(Pipeline([speech, MienTransport().output(), Printer()]))
    await (runner := WorkerRunner()).add_workers(worker)
    await worker.queue_frames([TTSSpeakFrame(" ".join(sys.argv[1:]) or "Good morning"), EndFrame()])
    await runner.run()


asyncio.run(main())
