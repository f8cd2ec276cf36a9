"""MienAudioOutput against LiveKit's contract for an AudioOutput, with a real voice."""

import asyncio
import contextlib
import itertools

import pytest
from livekit.agents.types import TimedString
from livekit.agents.voice.io import AgentOutput, AudioOutput, AudioOutputCapabilities, _AudioSinkProxy

from adapters.livekit.kit import PATIENCE_S, Told, eventually, frame, playout, run, say
from mien.adapters.livekit import MienAudioOutput
from mien.client import Outcome, Said, connect_async
from mien.core import wire
from mien.errors import ClientError, ConfigError
from rigs.services import RawClient


@contextlib.asynccontextmanager
async def speaking(endpoint, **kind):
    output = MienAudioOutput(endpoint, **kind)
    told = Told(output)
    assert await output.start(timeout_s=PATIENCE_S)
    try:
        yield output, told
    finally:
        await output.aclose()


def test_a_segment_is_heard_to_its_end(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await say(output, 600)
            event = await playout(output)
            assert (event.playback_position, event.interrupted) == (0.6, False)
            assert len(told.started) == told.calls == 1
            return told

    told = run(talk())
    assert sum(run.duration for run in told.progressed) == pytest.approx(0.6)
    assert all(a.offset + a.duration == pytest.approx(b.offset) for a, b in itertools.pairwise(told.progressed))
    assert all(a.started_at >= told.started[0].created_at - 0.1 for a in told.progressed)


def test_segments_that_are_pushed_at_once_finish_in_order(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            for ms in (200, 100, 300):
                await say(output, ms)
            await playout(output)
            return [event.playback_position for event in told.finished], told.calls, len(told.started)

    assert run(talk()) == ([0.2, 0.1, 0.3], 3, 3)


def test_an_interruption_finishes_once_with_what_was_heard(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await say(output, 5000)
            await eventually(lambda: told.progressed)
            output.clear_buffer()
            output.clear_buffer()
            event = await playout(output)
            output.clear_buffer()
            await asyncio.sleep(0.2)
            assert told.calls == 1
            assert event.interrupted
            assert 0 < event.playback_position < 4
            assert sum(run.duration for run in told.progressed) == pytest.approx(event.playback_position)

    run(talk())


def test_an_interruption_stops_the_segments_behind_it(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            for _ in range(3):
                await say(output, 2000)
            await eventually(lambda: told.started)
            output.clear_buffer()
            await playout(output)
            assert [event.interrupted for event in told.finished] == [True] * 3
            assert [event.playback_position for event in told.finished][1:] == [0, 0]
            await say(output, 100)
            assert (await playout(output)).playback_position == 0.1

    run(talk())


def test_nothing_to_flush_or_clear(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            output.clear_buffer()
            output.flush()
            output.flush()
            output.clear_buffer()
            await playout(output)
            await say(output, 100)
            output.flush()
            assert (await playout(output)).playback_position == 0.1
            assert told.calls == 1

    run(talk())


@pytest.mark.parametrize("clear", [False, True])
def test_an_empty_segment_finishes(endpoint, clear):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await output.capture_frame(frame(0))
            output.flush()
            if clear:
                output.clear_buffer()
            assert (await playout(output)).playback_position == 0
            assert told.calls == 1
            assert not told.started

    run(talk())


def test_a_clear_before_the_flush_finishes_and_the_rest_of_the_segment_is_dropped(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await say(output, 2000, flush=False)
            await eventually(lambda: told.progressed)
            output.clear_buffer()
            assert (await playout(output)).interrupted
            await say(output, 500)
            await playout(output)
            assert told.calls == 1
            await say(output, 100)
            assert (await playout(output)).playback_position == 0.1
            assert told.calls == 2

    run(talk())


def test_a_clear_before_the_first_sample_is_heard(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await output.capture_frame(frame(20))
            output.flush()
            output.clear_buffer()
            event = await playout(output)
            assert event.playback_position <= 0.02
            assert told.calls == 1

    run(talk())


@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 2), (48000, 1), (16000, 1), (24000, 2), (44100, 2)])
def test_any_rate_and_channels_last_as_long(endpoint, rate_hz, channels):
    async def talk():
        async with speaking(endpoint) as (output, _told):
            await say(output, 500, rate_hz=rate_hz, channels=channels)
            return (await playout(output)).playback_position

    assert run(talk()) == pytest.approx(0.5, abs=0.001)


def test_a_pause_costs_no_sample_and_outlasts_a_clear(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            assert output.can_pause
            await say(output, 800)
            await eventually(lambda: told.progressed)
            output.pause()
            await asyncio.sleep(0.6)
            assert not told.finished
            output.resume()
            assert (await playout(output)).playback_position == 0.8
            await say(output, 3000)
            await eventually(lambda: len(told.started) == 2)
            output.pause()
            output.clear_buffer()
            await playout(output)
            await say(output, 200)
            await asyncio.sleep(0.6)
            assert len(told.started) == 2, "it was paused before the segment began"
            output.resume()
            assert (await playout(output)).playback_position == 0.2

    run(talk())


def test_resume_without_a_pause_leaves_the_pauses_of_others(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told), connect_async(endpoint, name="other") as other:
            await other.pause()
            await say(output, 100)
            output.resume()
            await asyncio.sleep(0.5)
            assert not told.started
            await other.resume()
            await playout(output)

    run(talk())


def test_words_with_times_become_captions_and_a_transcript_of_what_was_heard(endpoint):
    words = [("Good ", 0.0, 0.3), ("morning, ", 0.3, 0.6), ("how ", 2.0, 2.2), ("are", 2.2, 2.4), (" you?", 2.4, 2.8)]

    async def talk():
        async with speaking(endpoint) as (output, told), connect_async(endpoint, role="observer") as desk:
            await desk.subscribe("captions", "state")
            await output.capture_frame(frame(1000, words=words[:3]))
            await output.capture_frame(frame(2000, words=words[3:]))
            output.flush()
            await eventually(lambda: told.progressed and sum(run.duration for run in told.progressed) > 0.65)
            output.clear_buffer()
            event = await playout(output)
            seen = [event async for event in _until(desk, Outcome)]
            return event.synchronized_transcript, seen

    transcript, seen = run(talk())
    assert transcript == "Good morning, "
    assert "".join(said.text for said in seen if isinstance(said, Said)).startswith("Good morning, how")
    assert next(each for each in seen if isinstance(each, Outcome)).words_heard == 2


async def _until(client, kind):
    async for event in client.events():
        yield event
        if isinstance(event, kind):
            return


def test_text_without_times_becomes_the_caption_of_the_segment_that_it_comes_with(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, _told), connect_async(endpoint, role="observer") as desk:
            await desk.subscribe("captions", "state")
            output.take_text("Hello ")
            await output.capture_frame(frame(300))
            output.take_text("there")
            output.end_text()
            output.take_text("Next")
            output.flush()
            first = await playout(output)
            await say(output, 200)
            await playout(output)
            texts, outcomes = {}, 0
            async for event in desk.events():
                if isinstance(event, Said):
                    texts[event.turn] = texts.get(event.turn, "") + event.text if event.append else event.text
                outcomes += isinstance(event, Outcome)
                if outcomes == 2:
                    break
            return first, list(texts.values())

    first, texts = run(talk())
    assert first.synchronized_transcript is None, "nobody knows which words were heard"
    assert texts == ["Hello there", "Next"]


def test_timed_text_is_taken_with_its_times(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, _told):
            output.take_text(TimedString("One", start_time=0.0, end_time=0.2))
            await say(output, 300)
            return (await playout(output)).synchronized_transcript

    assert run(talk()) == "One"


def test_closing_in_mid_segment_finishes_it_and_later_audio_finishes_unheard(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await say(output, 3000)
            await say(output, 1000)
            await eventually(lambda: told.progressed)
            await output.aclose()
            await output.aclose()
            event = await playout(output)
            assert told.calls == 2
            assert event.interrupted
            assert 0 < told.finished[0].playback_position < 2
            await say(output, 100)
            event = await playout(output)
            assert (event.playback_position, event.interrupted) == (0, True)
            assert told.calls == 3

    run(talk())


def test_no_finish_comes_before_the_wrappers_have_counted_the_segment(endpoint):
    class Wrapper(AudioOutput):
        """Counts after it has passed the frame on, as LiveKit's transcript synchronizer does."""

        def __init__(self, sink):
            super().__init__(label="w", capabilities=AudioOutputCapabilities(pause=True), next_in_chain=sink)

        async def capture_frame(self, frame):
            await self.next_in_chain.capture_frame(frame)
            await super().capture_frame(frame)

        def flush(self):
            super().flush()
            self.next_in_chain.flush()

        def clear_buffer(self):
            self.next_in_chain.clear_buffer()

    async def talk():
        output = MienAudioOutput(endpoint)
        await output.aclose()  # every segment is over at once
        wrapper = Wrapper(output)
        events = []
        wrapper.on("playback_finished", events.append)
        for number in range(1, 4):
            await wrapper.capture_frame(frame(20))
            wrapper.flush()
            await playout(wrapper)
            assert len(events) == number

    run(talk())


def test_it_can_be_swapped_in_and_out_under_livekits_proxy(endpoint):
    class Bare(AudioOutput):
        def __init__(self):
            super().__init__(label="bare", capabilities=AudioOutputCapabilities(pause=True))

        async def capture_frame(self, frame):
            await super().capture_frame(frame)

        def flush(self):
            super().flush()

        def clear_buffer(self):
            pass

    async def talk():
        session = AgentOutput(lambda: None, lambda: None, lambda: None)
        session.audio = proxy = _AudioSinkProxy(before := Bare())
        events = []
        proxy.on("playback_finished", events.append)
        async with speaking(endpoint) as (output, told):
            session.replace_audio_tail(output)
            assert proxy.next_in_chain is output
            await say(proxy, 3000)
            await eventually(lambda: told.progressed)
            session.replace_audio_tail(before)
            event = await playout(proxy)
            assert event.interrupted
            assert 0 < event.playback_position < 2
            assert len(events) == 1

    run(talk())


def test_a_voice_that_never_takes_speech_finishes_the_segment(endpoint):
    """Another client speaks: the voice refuses the turn."""

    async def talk():
        async with connect_async(endpoint, name="other", role="agent") as other, speaking(endpoint) as (output, told):
            await other.take_floor()
            await say(output, 200)
            assert (await playout(output)).playback_position == 0
            assert told.calls == 1

    run(talk())


def test_a_takeover_in_mid_segment_is_told_to_the_session(endpoint):
    async def talk():
        cut = []
        async with speaking(endpoint, cut_by_voice=lambda: cut.append(True)) as (output, told):
            await say(output, 3000)
            await eventually(lambda: told.progressed)
            async with connect_async(endpoint, name="desk", role="agent") as desk:
                await desk.take_floor()
                event = await playout(output)
                await desk.release_floor()
            assert event.interrupted
            assert 0 < event.playback_position < 2
            assert cut == [True]

    run(talk())


def test_a_refusal_that_will_be_repeated_is_raised(endpoint):
    with pytest.raises(ConfigError, match="endpoint 'nonsense'"):
        run(MienAudioOutput("nonsense").start())
    with pytest.raises(ClientError, match="rate"):
        run(MienAudioOutput(endpoint, rate_hz=12345).start())


def test_a_listener_that_raises_harms_nothing(endpoint):
    def failing(_):
        raise ValueError("not ours")

    async def talk():
        async with speaking(endpoint) as (output, told):
            output.on("playback_finished", failing)
            output.on("playback_started", failing)
            await say(output, 100)
            await playout(output)
            await say(output, 100)
            assert (await playout(output)).playback_position == 0.1
            assert told.calls == 2

    run(talk())


def test_the_first_frames_of_a_slow_tts_wait_for_no_flush(endpoint):
    async def talk():
        async with speaking(endpoint) as (output, told):
            await output.capture_frame(frame(400))
            await eventually(lambda: told.started)
            await output.capture_frame(frame(400))
            output.flush()
            assert (await playout(output)).playback_position == pytest.approx(0.8)

    run(talk())


def test_another_client_sees_who_speaks(endpoint):
    with RawClient(endpoint) as desk:
        desk.send(wire.Hello(protocol=1, role="observer"))
        desk.receive(wire.Welcome)
        desk.send(wire.Subscribe(topics=("state",)))

        async def talk():
            async with speaking(endpoint, name="my-agent") as (output, _told):
                await say(output, 100)
                await playout(output)

        run(talk())
        assert desk.receive(wire.Outcome).client == "my-agent"
