"""The voice is lost and comes back: the agent's own output takes over within a second, and nothing is told twice."""

import asyncio
import contextlib
import time

import pytest

from adapters.livekit.kit import OwnOutput, Told, eventually, playout, run, say
from mien.adapters.livekit import MienAudioOutput

WITHIN_S = 1.0  # issue 18: the agent's own output takes over within a second


@contextlib.asynccontextmanager
async def speaking(process, own):
    output = MienAudioOutput(process.endpoint, fallback=own)
    told = Told(output)
    assert await output.start(timeout_s=20)
    try:
        yield output, told
    finally:
        await output.aclose()


def heard_s(told):
    return sum(run.duration for run in told.progressed)


@pytest.mark.parametrize("how", ["kill", "hang"])
def test_the_rest_of_the_segment_comes_from_the_own_output_within_a_second(process, how):
    async def talk():
        own = OwnOutput()
        async with speaking(process.start(), own) as (output, told):
            await say(output, 3000)
            await eventually(lambda: heard_s(told) > 0.5)
            getattr(process, how)()
            lost_at_s, before_s = time.monotonic(), heard_s(told)
            await eventually(lambda: own.frames)
            assert own.first_at_s - lost_at_s < WITHIN_S
            assert own.attached == 1
            event = await playout(output)
            assert not event.interrupted
            assert event.playback_position == pytest.approx(3.0)
            assert told.calls == len(told.started) == 1
            assert 3.0 - before_s - 0.5 < own.got_s <= 3.0 - before_s, "what was heard is not spoken again"
            assert own.attached == 0

    run(talk())


def test_mien_is_taken_back_when_it_returns(process):
    async def talk():
        own = OwnOutput()
        async with speaking(process.start(), own) as (output, told):
            process.kill()
            await eventually(lambda: not output.link.up)
            await say(output, 300)
            await playout(output)
            assert own.got_s == pytest.approx(0.3)
            process.start()
            await eventually(lambda: output.link.up)
            await say(output, 300)
            assert (await playout(output)).playback_position == pytest.approx(0.3)
            assert own.got_s == pytest.approx(0.3), "mien speaks again"
            assert told.calls == 2

    run(talk())


def test_a_hung_voice_that_wakes_is_silent_and_used_again(process):
    async def talk():
        own = OwnOutput()
        async with speaking(process.start(), own) as (output, told):
            await say(output, 2000)
            await eventually(lambda: heard_s(told) > 0.2)
            process.hang()
            await eventually(lambda: own.frames)
            process.go_on()
            assert (await playout(output)).playback_position == pytest.approx(2.0)
            await eventually(lambda: output.link.up)
            before_s = own.got_s
            await say(output, 300)
            await playout(output)
            assert own.got_s == before_s
            assert told.calls == 2

    run(talk())


def test_without_an_own_output_the_rest_is_spoken_by_the_restarted_voice(process):
    async def talk():
        async with speaking(process.start(), None) as (output, told):
            await say(output, 2000)
            await eventually(lambda: heard_s(told) > 0.5)
            process.kill()
            process.start()
            event = await playout(output)
            assert (event.playback_position, event.interrupted) == (2.0, False)
            assert told.calls == len(told.started) == 1

    run(talk())


def test_without_anything_to_speak_a_segment_finishes_with_what_was_heard(process):
    async def talk():
        async with speaking(process.start(), None) as (output, told):
            await say(output, 2000)
            await say(output, 500)
            await eventually(lambda: heard_s(told) > 0.3)
            process.kill()
            await playout(output)
            first, second = told.finished
            assert first.interrupted
            assert 0.3 < first.playback_position < 1.5
            assert (second.playback_position, second.interrupted) == (0, True)

    run(talk())


def test_an_interruption_reaches_the_own_output(process):
    async def talk():
        own = OwnOutput()
        async with speaking(process.start(), own) as (output, told):
            await say(output, 5000)
            await eventually(lambda: heard_s(told) > 0.3)
            process.kill()
            await eventually(lambda: own.frames)
            await asyncio.sleep(0.2)
            output.clear_buffer()
            output.clear_buffer()
            event = await playout(output)
            assert event.interrupted
            assert 0.4 < event.playback_position < 3
            assert told.calls == 1

    run(talk())


def test_an_interruption_while_the_voice_is_being_lost(process):
    """It hangs, and the framework interrupts before that was noticed."""

    async def talk():
        async with speaking(process.start(), OwnOutput()) as (output, told):
            await say(output, 3000)
            await eventually(lambda: heard_s(told) > 0.3)
            process.hang()
            output.clear_buffer()
            event = await playout(output)
            assert event.interrupted
            assert 0.3 < event.playback_position < 1
            assert told.calls == 1

    run(talk())


def test_an_own_output_that_nobody_hears_hangs_nothing(process):
    async def talk():
        own = OwnOutput(deaf=True)
        async with speaking(process.start(), own) as (output, told):
            process.kill()
            await eventually(lambda: not output.link.up)
            await say(output, 500)
            await asyncio.sleep(0.2)
            output.clear_buffer()
            assert (await playout(output)).playback_position == 0
            await say(output, 500)
            event = await playout(output)
            assert (event.playback_position, event.interrupted) == (0, True)
            assert told.calls == 2

    run(talk())


def test_an_own_output_of_another_rate_gets_its_rate(process):
    async def talk():
        own = OwnOutput(sample_rate=48000)
        output = MienAudioOutput(process.endpoint, fallback=own)
        assert not await output.start(timeout_s=0.1), "the voice was never there"
        await say(output, 500)
        assert (await playout(output)).playback_position == pytest.approx(0.5)
        assert {each.sample_rate for each in own.frames} == {48000}
        assert own.got_s == pytest.approx(0.5, abs=0.01)
        await output.aclose()

    run(talk())


def test_a_voice_that_starts_later_is_used(process):
    async def talk():
        own = OwnOutput()
        output = MienAudioOutput(process.endpoint, fallback=own)
        assert not await output.start(timeout_s=0.1)
        process.start()
        await eventually(lambda: output.link.up)
        await say(output, 300)
        await playout(output)
        assert not own.frames
        await output.aclose()

    run(talk())


def test_closing_while_the_voice_hangs(process):
    async def talk():
        async with speaking(process.start(), None) as (output, told):
            await say(output, 3000)
            await eventually(lambda: heard_s(told) > 0.3)
            process.hang()
        assert told.calls == 1
        assert told.finished[0].interrupted

    run(talk())


def test_a_pause_holds_on_both_sides(process):
    async def talk():
        own = OwnOutput()
        async with speaking(process.start(), own) as (output, told):
            await say(output, 2000)
            await eventually(lambda: heard_s(told) > 0.3)
            output.pause()
            await asyncio.sleep(0.4)
            before_s = heard_s(told)
            await asyncio.sleep(0.4)
            assert heard_s(told) == before_s
            output.resume()
            await eventually(lambda: heard_s(told) > before_s)
            output.clear_buffer()
            await playout(output)

    run(talk())
