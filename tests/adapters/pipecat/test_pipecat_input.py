"""The input transport: what mien-ear hears goes down the pipeline."""

import asyncio

import pytest
from pipecat.frames.frames import InputAudioRawFrame, VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from pipecat.processors.frame_processor import FrameProcessor

from mien.adapters.pipecat import MienInputTransport, MienParams, MienTransport
from mien.bench.adapters.pipecat_stage import Stage
from rigs.fake_ear import FakeEar
from rigs.services import running_voice


class Nothing(FrameProcessor):
    """In place of a TTS."""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


def run(coroutine):
    asyncio.run(asyncio.wait_for(coroutine, 60))


@pytest.fixture
def ear(tmp_path, voice):
    with FakeEar(tmp_path) as fake:
        fake.until(lambda: voice._engine.ear.present)
        yield fake


async def utter(ear, stage, kinds, count):
    """Say something again and again: the subscription takes effect at some point."""
    async with asyncio.timeout(20):
        while len(stage.down.of(kinds)) < count:
            ear.start()
            for _ in range(5):
                ear.block(b"\1\2" * 320)
            ear.stop()
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("rate_hz", [16000, 24000])
def test_the_ears_sound_goes_down_at_the_pipelines_rate(endpoint, ear, rate_hz):
    async def play():
        transport = MienInputTransport(MienParams(endpoint=endpoint, audio_in_sample_rate=rate_hz))
        async with Stage(transport, 24000, tts=Nothing()) as stage:
            await utter(ear, stage, InputAudioRawFrame, 20)
            frames = stage.down.of(InputAudioRawFrame)
            assert {(frame.sample_rate, frame.num_channels) for frame in frames} == {(rate_hz, 1)}
            if rate_hz == 16000:
                assert frames[0].audio == b"\1\2" * 320
            assert not stage.down.of(VADUserStartedSpeakingFrame)

    run(play())


def test_the_ears_own_detection_can_replace_a_vad(endpoint, ear):
    async def play():
        transport = MienInputTransport(MienParams(endpoint=endpoint, vad=True))
        async with Stage(transport, 24000, tts=Nothing()) as stage:
            await utter(ear, stage, VADUserStoppedSpeakingFrame, 1)
            (started, *_) = stage.down.of(VADUserStartedSpeakingFrame)
            assert 0.0 < started.start_secs < 20

    run(play())


def test_it_hears_again_after_the_voice_was_restarted(tmp_path):
    async def play():
        endpoint = f"ipc://{tmp_path}/voice.sock"
        transport = MienInputTransport(MienParams(endpoint=endpoint))
        async with Stage(transport, 24000, tts=Nothing()) as stage:
            for round_ in (1, 2):
                with running_voice(tmp_path) as voice, FakeEar(tmp_path) as ear:
                    ear.until(lambda voice=voice: voice._engine.ear.present)
                    await utter(ear, stage, InputAudioRawFrame, 10 * round_ + len(stage.down.of(InputAudioRawFrame)))

    run(play())


def test_one_transport_has_both_ends(endpoint):
    transport = MienTransport(MienParams(endpoint=endpoint), input_name="in", output_name="out")
    assert transport.input() is transport.input()
    assert transport.output() is transport.output()
    assert (transport.input().name, transport.output().name) == ("in", "out")
