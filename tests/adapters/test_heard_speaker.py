"""The speaker on a real voice: what waits is released as it is heard, and each segment ends exactly once."""

import asyncio
import contextlib

import pytest

from mien.adapters.heard.segment import Utterance
from mien.adapters.heard.speaker import Speaker
from mien.client import connect_async
from rigs.services import running_voice

RATE_HZ = 16000
PATIENCE_S = 15


def speech(ms):
    return bytes(ms * RATE_HZ // 1000 * 2)


class Audience:
    """Records what the framework is told."""

    def __init__(self):
        self.released, self.dropped, self.ends, self.losses = [], [], [], []
        self.stopped = 0

    async def heard(self, item):
        self.released.append(item)

    async def unheard(self, item, ended):
        self.dropped.append(item)

    async def ended(self, ended):
        self.ends.append(ended)

    async def stopped_by_voice(self):
        self.stopped += 1

    async def lost(self, error):
        self.losses.append(error)

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def speaking(endpoint, timeout_s=5.0, **options):
    audience = Audience()
    speaker = Speaker(audience, rate_hz=RATE_HZ, **options)
    await speaker.start(lambda: connect_async(endpoint, rate_hz=RATE_HZ, timeout_s=timeout_s))
    try:
        yield speaker, audience
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await speaker.close()


@pytest.fixture
def voice(tmp_path):
    with running_voice(tmp_path) as service:
        yield service


def run(coroutine):
    asyncio.run(asyncio.wait_for(coroutine, 60))


def test_items_are_released_when_their_position_was_heard(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            segment = speaker.begin(Utterance("a"))
            segment.line.put("begin", -1.0)
            speaker.write(segment, speech(400))
            segment.line.put("middle", 200.0)
            segment.line.put_last("end")
            await audience.until(lambda: "middle" in audience.released)
            assert not audience.ends
            speaker.end(segment)
            await audience.until(lambda: audience.ends)
            assert audience.released == ["begin", "middle", "end"]
            assert [(e.name, e.played_ms, e.interrupted, e.reason) for e in audience.ends] == [
                ("a", 400.0, False, "played")
            ]

    run(play())


def test_a_cut_releases_what_was_heard_and_nothing_else(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            segment = speaker.begin(Utterance("a"))
            speaker.write(segment, speech(3000))
            segment.line.put("early", 50.0)
            segment.line.put("late", 2500.0)
            await audience.until(lambda: "early" in audience.released)
            assert await speaker.cut()
            (ended,) = audience.ends
            assert ended.interrupted
            assert 50 <= ended.played_ms < 2500
            assert (audience.released, audience.dropped) == (["early"], ["late"])
            assert not await speaker.cut(), "there is nothing left"
            assert len(audience.ends) == 1
            assert not audience.stopped, "this cut was asked for"

    run(play())


@pytest.mark.parametrize("written", [0, 300])
def test_a_segment_that_is_cut_at_once_ends_once(voice, written):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            segment = speaker.begin(Utterance("a"))
            speaker.write(segment, speech(written))
            await speaker.cut()
            speaker.write(segment, speech(100))
            speaker.end(segment)
            assert [(e.played_ms, e.interrupted) for e in audience.ends] == [(0.0, True)]
            assert not await speaker.room(segment, 1.0)

    run(play())


def test_an_empty_segment_ends_as_played(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            speaker.end(speaker.begin(Utterance("empty")))
            await audience.until(lambda: audience.ends)
            assert [(e.played_ms, e.interrupted, e.reason) for e in audience.ends] == [(0.0, False, "played")]

    run(play())


def test_segments_queue_and_end_in_order(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            for name in "abc":
                segment = speaker.begin(Utterance(name))
                segment.line.put(f"begin {name}", -1.0)
                speaker.write(segment, speech(120))
                speaker.end(segment)
            await audience.until(lambda: len(audience.ends) == 3)
            assert [e.name for e in audience.ends] == ["a", "b", "c"]
            assert audience.released == ["begin a", "begin b", "begin c"]

    run(play())


def test_speech_that_cannot_be_interrupted_is_spoken_behind_what_was_cut(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            cut = speaker.begin(Utterance("cut"))
            speaker.write(cut, speech(2000))
            kept = speaker.begin(Utterance("kept"), interruptible=False)
            speaker.write(kept, speech(200))
            speaker.end(kept)
            await audience.until(lambda: cut.playhead.started)
            await speaker.cut()
            assert [e.name for e in audience.ends] == ["cut"]
            await audience.until(lambda: len(audience.ends) == 2)
            assert (audience.ends[1].name, audience.ends[1].played_ms, audience.ends[1].reason) == (
                "kept",
                200.0,
                "played",
            )

    run(play())


def test_a_cut_spares_speech_that_cannot_be_interrupted(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            kept = speaker.begin(Utterance("kept"), interruptible=False)
            speaker.write(kept, speech(500))
            speaker.end(kept)
            later = speaker.begin(Utterance("later"))
            speaker.write(later, speech(500))
            await audience.until(lambda: kept.playhead.started)
            await speaker.cut()
            assert [(e.name, e.interrupted) for e in audience.ends] == [("later", True)]
            await audience.until(lambda: len(audience.ends) == 2)
            assert (audience.ends[1].name, audience.ends[1].played_ms) == ("kept", 500.0)

    run(play())


def test_writing_waits_for_what_is_ahead_but_not_for_a_pause(voice):
    async def play():
        async with speaking(voice.endpoints[-1], ahead_ms=200) as (speaker, audience):
            segment = speaker.begin(Utterance("a"))
            speaker.write(segment, speech(1000))
            assert await speaker.room(segment, 10.0)
            assert segment.position_ms(asyncio.get_running_loop().time()) >= 750
            await speaker.pause()
            speaker.write(segment, speech(1000))
            async with asyncio.timeout(5):
                assert await speaker.room(segment, 0.05)
            await speaker.resume()
            speaker.end(segment)
            await audience.until(lambda: audience.ends)
            assert audience.ends[0].played_ms == 2000.0

    run(play())


def test_audio_without_a_name_ends_by_silence(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            segment = speaker.begin(Utterance(None))
            speaker.write(segment, speech(100))
            await audience.until(lambda: audience.ends)
            assert (audience.ends[0].name, audience.ends[0].played_ms) == (None, 100.0)

    run(play())


def test_a_supervisor_who_takes_the_floor_stops_the_speech(voice):
    async def play():
        endpoint = voice.endpoints[-1]
        async with speaking(endpoint) as (speaker, audience), connect_async(endpoint, role="agent") as ada:
            segment = speaker.begin(Utterance("a"))
            speaker.write(segment, speech(3000))
            await audience.until(lambda: segment.playhead.started)
            await ada.take_floor("drop")
            await audience.until(lambda: audience.stopped)
            assert [(e.name, e.interrupted, e.reason) for e in audience.ends] == [("a", True, "taken_over")]

    run(play())


def test_a_voice_that_is_lost_and_comes_back_loses_one_segment(tmp_path):
    async def restart():
        endpoint = f"ipc://{tmp_path}/voice.sock"
        first = running_voice(tmp_path)
        first.__enter__()
        async with speaking(endpoint, timeout_s=10.0) as (speaker, audience):
            segment = speaker.begin(Utterance("lost"))
            speaker.write(segment, speech(5000))
            await audience.until(lambda: segment.playhead.started)
            await asyncio.to_thread(first.__exit__, None, None, None)
            await audience.until(lambda: audience.ends)
            assert [(e.name, e.interrupted) for e in audience.ends] == [("lost", True)]
            assert len(audience.losses) == 1
            speaker.write(segment, speech(100))
            with running_voice(tmp_path):
                again = speaker.begin(Utterance("again"))
                speaker.write(again, speech(200))
                speaker.end(again)
                await audience.until(lambda: len(audience.ends) == 2)
                assert (audience.ends[1].name, audience.ends[1].played_ms) == ("again", 200.0)

    run(restart())


def test_a_voice_that_is_not_there_loses_the_segment_in_bounded_time(tmp_path):
    async def play():
        async with speaking(f"ipc://{tmp_path}/nobody.sock", timeout_s=0.2) as (speaker, audience):
            assert len(audience.losses) == 1
            speaker.begin(Utterance("unheard"))
            speaker.write(speaker.last, speech(100))
            await audience.until(lambda: audience.ends)
            assert [(e.name, e.reason) for e in audience.ends] == [("unheard", "lost")]

    run(play())


def test_closing_in_mid_segment_reports_it(voice):
    async def play():
        async with speaking(voice.endpoints[-1]) as (speaker, audience):
            segment = speaker.begin(Utterance("a"), interruptible=False)
            speaker.write(segment, speech(3000))
            await audience.until(lambda: segment.playhead.started)
            await speaker.close()
            assert [(e.name, e.interrupted) for e in audience.ends] == [("a", True)]

    run(play())


def test_a_framework_that_fails_to_take_one_report_gets_the_next(voice, caplog):
    class Failing(Audience):
        async def heard(self, item):
            await super().heard(item)
            raise RuntimeError("a bug of the framework")

    async def play():
        audience = Failing()
        speaker = Speaker(audience, rate_hz=RATE_HZ)
        await speaker.start(lambda: connect_async(voice.endpoints[-1], rate_hz=RATE_HZ))
        segment = speaker.begin(Utterance("a"))
        speaker.write(segment, speech(100))
        segment.line.put("x", 50.0)
        speaker.end(segment)
        await audience.until(lambda: audience.ends)
        await speaker.close()
        assert "failed to take what was heard" in caplog.text

    run(play())
