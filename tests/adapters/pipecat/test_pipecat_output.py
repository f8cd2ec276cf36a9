"""The output transport in real pipelines: frames leave it when they were heard, and only those when interrupted."""

import asyncio
import time

import numpy as np
import pytest
from pipecat.audio.mixers.base_audio_mixer import BaseAudioMixer
from pipecat.frames.frames import (
    AggregatedTextFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ErrorFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_transport import TransportParams

from mien.adapters.pipecat import MienOutputTransport, MienParams, MienRelayedFrame, MienSegmentFinishedFrame
from mien.bench.adapters.pipecat_stage import Recorder, Stage
from mien.client import ClientError, connect_async
from mien.core import wire
from rigs.services import running_voice
from rigs.voice_server import served_voice

RATE_HZ = 24000
WORDS = [("one", 0.0), ("two", 0.3), ("three", 0.6), ("four", 0.9), ("five", 1.2)]
TEXT = "one two three four five"


def tone(ms, rate_hz=RATE_HZ, channels=1):
    wave = (np.sin(np.arange(ms * rate_hz // 1000) * 0.05) * 8000).astype("<i2")
    return np.repeat(wave, channels).tobytes()


def run(coroutine):
    asyncio.run(asyncio.wait_for(coroutine, 60))


def output(endpoint, **params):
    return MienOutputTransport(MienParams(endpoint=endpoint, **params))


async def speak(stage, ms=1500, text=TEXT, words=WORDS, **options):
    """One whole context; returns its name."""
    context = await stage.say(text, **options)
    await stage.tts.speak(context, tone(ms))
    await stage.tts.time_words(context, words)
    await stage.tts.finish(context)
    return context


def texts(stage):
    return [frame.text for frame in stage.down.of(TTSTextFrame)]


def test_a_segment_is_heard_and_then_finished(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            context = await speak(stage)
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert (finished.context_id, finished.played_ms) == (context, 1500.0)
            assert (finished.interrupted, finished.reason) == (False, "played")
            await stage.down.until(TTSStoppedFrame)
            assert texts(stage) == TEXT.split()
            heard = sum(frame.num_frames for frame in stage.down.of(TTSAudioRawFrame))
            assert heard == 1500 * RATE_HZ // 1000
            kinds = [type(frame) for _, frame, _ in stage.down.seen]
            order = [TTSStartedFrame, BotStartedSpeakingFrame, TTSTextFrame, BotStoppedSpeakingFrame, TTSStoppedFrame]
            assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
            upwards = stage.up.of(MienSegmentFinishedFrame, direction=FrameDirection.UPSTREAM)
            assert [frame.played_ms for frame in upwards] == [1500.0]

    run(play())


def test_words_come_with_the_sound_and_not_with_the_clock(endpoint):
    async def play():
        transport = output(endpoint)
        async with Stage(transport, RATE_HZ) as stage:
            await speak(stage)
            await stage.down.until(TTSTextFrame)
            await transport.pause()
            await asyncio.sleep(1.5)
            assert len(texts(stage)) <= 2, "the words of the pause"
            await transport.resume()
            await stage.down.until(TTSStoppedFrame)
            assert texts(stage) == TEXT.split()

    run(play())


def test_an_interruption_lets_the_heard_words_through_and_no_others(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await speak(stage)
            await stage.down.until(TTSTextFrame, count=2)
            await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame)
            before = [frame for _, frame, _ in stage.down.seen]
            before = before[: next(i for i, frame in enumerate(before) if isinstance(frame, InterruptionFrame))]
            words = [frame.text for frame in before if isinstance(frame, TTSTextFrame)]
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert finished.interrupted
            begun = [word for word, start_s in WORDS if start_s * 1000 < finished.played_ms]
            whole = [word for word, start_s in WORDS if (start_s + 0.3) * 1000 <= finished.played_ms]
            assert len(whole) <= len(words) <= len(begun)
            assert words == TEXT.split()[: len(words)]
            await asyncio.sleep(0.5)
            assert texts(stage) == words, "nothing comes later"
            assert len(stage.down.of(MienSegmentFinishedFrame)) == 1
            assert len(stage.down.of(BotStoppedSpeakingFrame)) == 1
            heard = sum(frame.num_frames for frame in stage.down.of(TTSAudioRawFrame))
            chunk = 20 * RATE_HZ // 1000  # an extrapolated position may release one chunk early
            assert heard == pytest.approx(finished.played_ms * RATE_HZ / 1000, abs=chunk + 2)

    run(play())


def test_the_assistants_context_holds_what_was_heard(endpoint):
    async def play():
        context = LLMContext()
        pair = LLMContextAggregatorPair(context)
        async with Stage(output(endpoint), RATE_HZ, pair.assistant()) as stage:
            await speak(stage)
            await stage.down.until(BotStartedSpeakingFrame)
            await asyncio.sleep(0.75)
            await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame)
            finished = await stage.down.until(MienSegmentFinishedFrame)
            (message,) = context.messages
            said = message["content"].split()
            whole = [word for word, start_s in WORDS if (start_s + 0.3) * 1000 <= finished.played_ms]
            begun = [word for word, start_s in WORDS if start_s * 1000 < finished.played_ms]
            assert said == TEXT.split()[: len(said)]
            assert len(whole) <= len(said) <= len(begun)

    run(play())


@pytest.mark.parametrize("times", [1, 3])
def test_an_interruption_of_nothing_changes_nothing(endpoint, times):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            for _ in range(times):
                await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame, count=times)
            assert not stage.down.of(MienSegmentFinishedFrame)
            await speak(stage, 200, "one", WORDS[:1])
            assert (await stage.down.until(MienSegmentFinishedFrame)).played_ms == 200.0

    run(play())


def test_interrupted_twice_a_segment_finishes_once(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await speak(stage)
            await stage.down.until(BotStartedSpeakingFrame)
            await stage.push(InterruptionFrame(), InterruptionFrame())
            await stage.down.until(InterruptionFrame, count=2)
            await speak(stage, 200, "one", WORDS[:1])
            second = await stage.down.until(MienSegmentFinishedFrame, count=2)
            assert (second.played_ms, second.interrupted) == (200.0, False)
            await asyncio.sleep(0.3)
            assert len(stage.down.of(MienSegmentFinishedFrame)) == 2

    run(play())


def test_an_interruption_before_the_first_sound_finishes_the_segment(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await speak(stage)
            await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame)
            await asyncio.sleep(0.3)
            finished = stage.down.of(MienSegmentFinishedFrame)
            assert len(finished) <= 1  # none where the TTS dropped the context before the transport saw it
            assert all(frame.interrupted for frame in finished)
            assert sum(frame.num_frames for frame in stage.down.of(TTSAudioRawFrame)) < RATE_HZ / 2

    run(play())


def test_an_empty_segment_finishes_and_the_bot_does_not_speak(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            context = await stage.say("hello")
            await stage.tts.finish(context)
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert (finished.context_id, finished.played_ms, finished.interrupted) == (context, 0.0, False)
            await stage.down.until(TTSStoppedFrame)
            assert not stage.down.of(BotStartedSpeakingFrame)

    run(play())


def test_stopped_without_audio_or_start_passes(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await stage.push(TTSStoppedFrame(context_id="unknown"))
            await stage.down.until(TTSStoppedFrame)

    run(play())


def test_audio_after_an_interruption_is_spoken(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await speak(stage)
            await stage.down.until(BotStartedSpeakingFrame)
            await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame)
            await stage.push(OutputAudioRawFrame(tone(100), RATE_HZ, 1))
            await stage.down.until(OutputAudioRawFrame, count=len(stage.down.of(OutputAudioRawFrame)) + 5)

    run(play())


@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 2), (48000, 1), (22050, 2), (24000, 2)])
def test_other_layouts_are_heard_for_their_true_length(endpoint, rate_hz, channels):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await stage.push(
                TTSStartedFrame(context_id="a"),
                TTSAudioRawFrame(tone(600, rate_hz, channels), rate_hz, channels, context_id="a"),
                TTSStoppedFrame(context_id="a"),
            )
            assert (await stage.down.until(MienSegmentFinishedFrame)).played_ms == pytest.approx(600, abs=3)

    run(play())


def test_a_rate_that_the_voice_does_not_know_is_converted(endpoint):
    async def play():
        transport = output(endpoint, audio_out_sample_rate=23000, audio_out_channels=2)
        async with Stage(transport, RATE_HZ) as stage:
            assert transport.sample_rate == 24000
            await speak(stage, 300, "one", WORDS[:1])
            assert (await stage.down.until(MienSegmentFinishedFrame)).played_ms == pytest.approx(300, abs=3)

    run(play())


def test_a_pause_never_blocks_a_write(endpoint):
    async def play():
        transport = output(endpoint)
        async with Stage(transport, RATE_HZ) as stage:
            await stage.push(TTSStartedFrame(context_id="a"))
            frame = TTSAudioRawFrame(tone(40), RATE_HZ, 1)
            await stage.push(TTSAudioRawFrame(tone(400), RATE_HZ, 1, context_id="a"))
            await stage.down.until(BotStartedSpeakingFrame)
            await transport.pause()
            for _ in range(30):
                async with asyncio.timeout(1.0):
                    assert await transport.write_audio_frame(frame)
            assert not stage.up.of(ErrorFrame, direction=FrameDirection.UPSTREAM)
            await transport.resume()
            await stage.push(TTSStoppedFrame(context_id="a"))
            assert (await stage.down.until(MienSegmentFinishedFrame)).played_ms == 400 + 30 * 40

    run(play())


def test_it_writes_no_further_ahead_than_it_may(endpoint):
    async def play():
        transport = output(endpoint, ahead_ms=250)
        async with Stage(transport, RATE_HZ) as stage:
            await speak(stage, 3000)
            await stage.down.until(BotStartedSpeakingFrame)
            ahead = []
            until_s = time.monotonic() + 1.5
            while time.monotonic() < until_s:
                turn = transport._speaker.last.turn
                ahead.append(turn.sent_ms - transport._speaker.last.position_ms(time.monotonic()))
                await asyncio.sleep(0.01)
            assert max(ahead) <= 250 + 20 + 50, "one chunk more, and the time that a report needs"
            assert max(ahead) > 100

    run(play())


class Noise(BaseAudioMixer):
    """A mixer without end."""

    async def start(self, sample_rate):
        pass

    async def stop(self):
        pass

    async def process_frame(self, frame):
        pass

    async def mix(self, audio):
        return audio


def test_a_mixer_runs_in_real_time_and_speech_goes_through_it(endpoint):
    async def play():
        transport = output(endpoint, audio_out_mixer=Noise())
        async with Stage(transport, RATE_HZ) as stage:
            await asyncio.sleep(0.5)
            await speak(stage, 300, "one", WORDS[:1])
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert finished.played_ms == pytest.approx(300, abs=1)
            await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame)
            heard_s = sum(frame.num_frames for frame in stage.down.of(OutputAudioRawFrame)) / RATE_HZ
            assert heard_s < 10

    run(play())


def test_speech_that_cannot_be_interrupted_is_heard_to_its_end(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            context = await stage.say(TEXT)
            await stage.tts.speak(context, tone(100))
            await stage.down.until(BotStartedSpeakingFrame)
            await stage.push(InterruptionFrame())
            await stage.down.until(InterruptionFrame)
            frame = TTSSpeakFrame("keep this")
            frame.interruptible = False
            await stage.push(frame)
            kept = await stage.tts.contexts.get()
            await stage.tts.speak(kept, tone(1000))
            await stage.tts.time_words(kept, [("keep", 0.0), ("this", 0.5)])
            await stage.tts.finish(kept)
            await stage.down.until(BotStartedSpeakingFrame, count=2)
            await stage.push(InterruptionFrame())
            await stage.down.until(TTSStoppedFrame)
            finished = [frame for frame in stage.down.of(MienSegmentFinishedFrame) if frame.context_id == kept]
            assert [(frame.played_ms, frame.interrupted) for frame in finished] == [(1000.0, False)]
            assert texts(stage) == ["keep", "this"]

    run(play())


def test_two_contexts_made_ahead_keep_their_words_apart(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            first = await speak(stage, 600, "one two", WORDS[:2])
            second = await speak(stage, 600, "three four", [("three", 0.0), ("four", 0.3)])
            await stage.down.until(TTSStoppedFrame, count=2)
            assert texts(stage) == ["one", "two", "three", "four"]
            frames = stage.down.of(TTSTextFrame, TTSStoppedFrame)
            assert [frame.context_id for frame in frames] == [first] * 3 + [second] * 3
            assert [f.context_id for f in stage.down.of(MienSegmentFinishedFrame)] == [first, second]

    run(play())


@pytest.mark.parametrize("text_first", [False, True])
def test_text_of_a_service_without_times_comes_behind_its_audio(endpoint, text_first):
    async def play():
        async with Stage(output(endpoint), RATE_HZ, tts=Recorder()) as stage:
            text = TTSTextFrame("one two", text_type="sentence")
            text.context_id = "a"
            middle = [TTSAudioRawFrame(tone(800), RATE_HZ, 1, context_id="a"), text]
            if text_first:
                middle.reverse()
            await stage.push(TTSStartedFrame(context_id="a"), *middle, TTSStoppedFrame(context_id="a"))
            await stage.down.until(BotStartedSpeakingFrame)
            assert not texts(stage)
            await stage.down.until(TTSStoppedFrame)
            assert texts(stage) == ["one two"]
            assert (await stage.down.until(MienSegmentFinishedFrame)).played_ms == 800.0

    run(play())


def test_a_supervisor_who_takes_the_floor_interrupts_the_pipeline(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage, connect_async(endpoint, role="agent") as ada:
            await speak(stage, 3000)
            await stage.down.until(BotStartedSpeakingFrame)
            await ada.take_floor("drop")
            await stage.down.until(InterruptionFrame)
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert (finished.interrupted, finished.reason) == (True, "taken_over")
            await stage.down.until(BotStoppedSpeakingFrame)
            await stage.up.until(InterruptionFrame, direction=FrameDirection.UPSTREAM)

    run(play())


def test_a_voice_that_is_killed_loses_one_segment_and_the_bot_speaks_again(tmp_path):
    async def play():
        first = running_voice(tmp_path, rate_hz=24000)
        first.__enter__()
        async with Stage(output(f"ipc://{tmp_path}/voice.sock"), RATE_HZ) as stage:
            await speak(stage, 3000)
            await stage.down.until(BotStartedSpeakingFrame)
            await asyncio.to_thread(first.__exit__, None, None, None)
            await stage.down.until(BotStoppedSpeakingFrame)
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert finished.interrupted
            assert finished.played_ms < 3000
            await stage.up.until(ErrorFrame, direction=FrameDirection.UPSTREAM)
            with running_voice(tmp_path, rate_hz=24000):
                context = await speak(stage, 200, "one", WORDS[:1])
                again = await stage.down.until(MienSegmentFinishedFrame, count=2)
                assert (again.context_id, again.played_ms, again.reason) == (context, 200.0, "played")

    run(play())


def test_a_pipeline_without_a_voice_starts_and_loses_its_segments(tmp_path):
    async def play():
        async with Stage(output(f"ipc://{tmp_path}/nobody.sock"), RATE_HZ) as stage:
            await speak(stage, 200, "one", WORDS[:1])
            finished = await stage.down.until(MienSegmentFinishedFrame)
            assert (finished.reason, finished.played_ms) == ("lost", 0.0)
            await stage.down.until(TTSStoppedFrame)
            assert not texts(stage)
            assert stage.transport.is_usable

    run(play())


def test_a_voice_that_hangs_does_not_hang_an_interruption(tmp_path):
    async def play():
        with served_voice(f"ipc://{tmp_path}/voice.sock") as double:
            async with Stage(output(f"ipc://{tmp_path}/voice.sock"), RATE_HZ) as stage:
                await speak(stage, 3000)
                await stage.down.until(BotStartedSpeakingFrame)
                double.mute = True
                double.playing = False
                await stage.push(InterruptionFrame())
                await stage.down.until(InterruptionFrame)
                assert (await stage.down.until(MienSegmentFinishedFrame)).interrupted

    run(play())


def test_the_end_of_the_pipeline_waits_for_the_last_word(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await speak(stage)
            await stage.down.until(BotStartedSpeakingFrame)
            await stage.end()
            assert texts(stage) == TEXT.split()
            assert [frame.played_ms for frame in stage.down.of(MienSegmentFinishedFrame)] == [1500.0]

    run(play())


def test_cancelled_in_mid_segment_the_voice_falls_silent_and_the_segment_finishes(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage:
            await speak(stage, 3000)
            await stage.down.until(BotStartedSpeakingFrame)
            await stage.cancel()
            (finished,) = stage.down.of(MienSegmentFinishedFrame)
            assert finished.interrupted
            async with connect_async(endpoint, role="observer") as observer:
                await observer.subscribe("state")
                while not isinstance(status := await observer.poll(5), wire.Status):
                    pass
                assert status.phase != "speaking"

    run(play())


def test_pipecats_own_parameters_are_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))

    async def play():
        with running_voice(tmp_path, rate_hz=24000):
            transport = MienOutputTransport(TransportParams(audio_out_enabled=True))
            async with Stage(transport, RATE_HZ) as stage:
                await speak(stage, 200, "one", WORDS[:1])
                await stage.down.until(MienSegmentFinishedFrame)

    run(play())


def test_the_face_listens_while_the_customer_speaks_and_captions_carry_the_words(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ) as stage, connect_async(endpoint, role="observer") as observer:
            await observer.subscribe("state", "captions")
            await stage.push(UserStartedSpeakingFrame())
            states, said = set(), ""
            await speak(stage)
            async with asyncio.timeout(15):
                while "listening" not in states or "five" not in said:
                    match await observer.poll(5):
                        case wire.Status(state=state):
                            states.add(state)
                        case wire.Said(text=text):
                            said += text
            assert said.split() == TEXT.split()

    run(play())


class Slow(FrameProcessor):
    """A processor behind the transport that takes its time over every word."""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame):
            await asyncio.sleep(5)
        await self.push_frame(frame, direction)


def test_a_slow_processor_behind_it_does_not_delay_the_silence(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ, Slow()) as stage:
            await speak(stage)
            await stage.down.until(BotStartedSpeakingFrame)
            await asyncio.sleep(0.5)
            await stage.push(InterruptionFrame())
            async with asyncio.timeout(3):
                await stage.down.until(InterruptionFrame)

    run(play())


@pytest.mark.parametrize("timed", [True, False])
def test_words_guide_the_lips_with_the_times_that_the_service_gives(endpoint, guided, timed):
    async def play():
        async with Stage(output(endpoint), RATE_HZ, tts=None if timed else Recorder()) as stage:
            if timed:
                await speak(stage, 1500)
            else:
                said = AggregatedTextFrame("one two.", "sentence", context_id="a")
                audio = TTSAudioRawFrame(tone(800), RATE_HZ, 1, context_id="a")
                await stage.push(TTSStartedFrame(context_id="a"), said, audio, TTSStoppedFrame(context_id="a"))
            await stage.down.until(TTSStoppedFrame)

    run(play())
    if timed:
        assert [word.phones.strip() for word in guided] == TEXT.split()
        assert [word.start_ms for word in guided] == pytest.approx([at_s * 1000 for _, at_s in WORDS], abs=30)
    else:
        assert [tuple(word) for word in guided] == [("one", None, None), ("two.", None, None)]


def test_what_a_supervisor_relays_is_pushed_both_ways_and_its_answer_comes_back(endpoint):
    async def play():
        transport = output(endpoint, relay=True)
        async with Stage(transport, RATE_HZ) as stage, connect_async(endpoint, role="agent", name="Ada") as ada:
            number = await ada.relay("whisper", "She has a ticket.")
            frame = await stage.down.until(MienRelayedFrame)
            assert (frame.relayed.kind, frame.relayed.text) == ("whisper", "She has a ticket.")
            await stage.up.until(MienRelayedFrame, direction=FrameDirection.UPSTREAM)
            await transport.relay_done(frame, "kept")
            async with asyncio.timeout(10):
                while not isinstance(done := await ada.poll(10), wire.RelayDone):
                    assert done is not None
            assert (done.id, done.outcome) == (number, "kept")

    run(play())


def test_a_bot_that_takes_no_relayed_texts_is_not_offered_any(endpoint):
    async def play():
        async with Stage(output(endpoint), RATE_HZ), connect_async(endpoint, role="agent") as ada:
            with pytest.raises(ClientError, match="no speaker takes relayed texts"):
                await ada.relay("say", "Hello")

    run(play())
