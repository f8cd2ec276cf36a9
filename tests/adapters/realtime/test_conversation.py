"""The bridge against a server whose every message openai's types accept: speech, interruptions, what was heard."""

import asyncio

import pytest

from adapters.realtime.rig import MS, run, speech, talking
from rigs.services import running_voice


def test_an_answer_is_heard_whole_and_not_truncated(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            item = await talk.speak(400, text="Good morning")
            await talk.until(lambda: talk.heard)
            (heard,) = talk.heard
            assert (heard.item, heard.cut, heard.reason) == (item, False, "played")
            assert heard.played_ms == pytest.approx(400, abs=1)
            assert heard.received_ms == 400
            assert not talk.server.of("conversation.item.truncate")

    run(talk())


def test_the_session_is_asked_for_with_the_settings(tmp_path):
    async def talk():
        settings = {"instructions": "Be brief.", "voice": "cedar", "key": "secret"}
        async with talking(tmp_path, server={"key": "secret"}, settings=settings) as talk:
            (update,) = talk.server.of("session.update")
            assert update["session"]["instructions"] == "Be brief."
            assert update["session"]["audio"]["output"] == {
                "format": {"type": "audio/pcm", "rate": 24000},
                "voice": "cedar",
            }
            assert talk.server.handshakes[0].path.endswith("?model=gpt-realtime")

    run(talk())


def test_an_interruption_truncates_at_what_was_heard(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            item = await talk.speak(10_000)
            await talk.playing(200)
            await talk.server.user_started()
            await talk.until(lambda: talk.server.of("conversation.item.truncate"))
            (truncation,) = talk.server.of("conversation.item.truncate")
            (heard,) = talk.heard_of(item)
            assert (truncation["item_id"], truncation["content_index"]) == (item, 0)
            assert truncation["audio_end_ms"] == heard.end_ms == int(heard.played_ms)
            assert 200 <= heard.end_ms < 9000
            assert heard.cut

    run(talk())


def test_late_sound_of_an_interrupted_item_is_dropped(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            item = await talk.speak(5000, end=False)
            await talk.playing(100)
            await talk.server.user_started()
            for _ in range(20):
                await talk.server.speak(item, speech(100))
            after = await talk.speak(200)
            await talk.until(lambda: talk.heard_of(after))
            assert [heard.item for heard in talk.heard] == [item, after]
            assert talk.heard_of(after)[0].played_ms == pytest.approx(200, abs=1)
            assert len(talk.server.of("conversation.item.truncate")) == 1
            assert talk.said == []

    run(talk())


def test_a_truncation_never_exceeds_what_was_received(tmp_path):
    """The stream stands still with everything heard, and only then the customer speaks."""

    async def talk():
        async with talking(tmp_path) as talk:
            item = await talk.speak(300, end=False)
            await talk.playing(250)
            await asyncio.sleep(0.2)  # the rest is heard; how much of it a stalled turn reports is the voice's affair
            await talk.server.user_started()
            await talk.until(lambda: talk.server.of("conversation.item.truncate"))
            assert talk.server.of("conversation.item.truncate")[0]["audio_end_ms"] <= 300
            assert talk.heard_of(item)[0].end_ms <= 300
            assert talk.said == []

    run(talk())


def test_two_interruptions_report_each_item_once(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            first = await talk.speak(5000)
            second = await talk.speak(5000)
            await talk.playing(100)
            await talk.server.user_started()
            await talk.server.user_started()
            await talk.until(lambda: len(talk.heard) == 2)
            await talk.until(lambda: len(talk.server.of("conversation.item.truncate")) == 2)
            assert {heard.item for heard in talk.heard} == {first, second}
            assert talk.heard_of(second)[0].end_ms == 0
            await talk.server.user_stopped()
            await talk.speak(100)
            await talk.until(lambda: len(talk.heard) == 3)

    run(talk())


def test_an_answer_that_is_begun_before_the_old_one_is_silent_is_not_cancelled(tmp_path):
    """A network that stood still delivers the interruption and the next answer together."""

    async def talk():
        async with talking(tmp_path) as talk:
            old = await talk.speak(5000, end=False)
            await talk.playing(100)
            await talk.server.user_started()
            await talk.server.user_stopped()
            new = await talk.speak(300, end=False)
            await talk.until(lambda: talk.heard_of(old))
            await talk.server.end_item(new)
            await talk.server.finish()
            await talk.until(lambda: talk.heard_of(new))
            assert talk.heard_of(new)[0].reason == "played"
            assert [message["item_id"] for message in talk.server.of("conversation.item.truncate")] == [old]
            assert not talk.server.of("response.cancel")

    run(talk())


def test_an_interruption_of_nothing_does_nothing(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.server.user_started()
            await talk.speak(100)
            await talk.until(lambda: talk.heard)
            assert not talk.server.of("conversation.item.truncate")

    run(talk())


def test_items_without_sound_are_no_turns(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.speak(0, text="only text")
            await talk.server.begin()
            await talk.server.begin_item()
            await talk.server.finish("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
            after = await talk.speak(100)
            await talk.until(lambda: talk.heard)
            await talk.until(lambda: talk.heard_of(after))
            assert [heard.reason for heard in talk.heard] == ["empty", "empty", "played"]

    run(talk())


def test_samples_that_are_cut_in_two_by_a_delta_are_whole(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.server.begin()
            item = await talk.server.begin_item()
            whole = speech(100)
            for start in range(0, len(whole), 333):
                await talk.server.speak(item, whole[start : start + 333])
            await talk.server.end_item(item)
            await talk.server.finish()
            await talk.until(lambda: talk.heard)
            assert talk.heard[0].played_ms == pytest.approx(100, abs=1)

    run(talk())


def test_an_answer_longer_than_the_voices_buffer_does_not_delay_an_interruption(tmp_path):
    async def talk():
        async with talking(tmp_path, voice={"voice": {"max_buffer_ms": 1000}}) as talk:
            item = await talk.speak(20_000)
            await talk.playing(200)
            await talk.server.user_started()
            await talk.until(lambda: talk.heard)
            assert talk.heard_of(item)[0].end_ms < 10_000

    run(talk())


def test_a_voice_that_is_restarted_in_mid_answer_loses_one_item_and_speaks_the_next(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            item = await talk.speak(20_000)
            await talk.playing(200)
            talk.voice.stop()
            await talk.until(lambda: talk.heard)
            assert talk.heard[0].cut
            assert talk.heard[0].end_ms >= 100
            await talk.until(lambda: talk.server.of("conversation.item.truncate"))
            await talk.until(lambda: not talk.agent.connected)
            with running_voice(tmp_path):
                await talk.until(lambda: talk.agent.connected)
                after = await talk.speak(100)
                await talk.until(lambda: talk.heard_of(after))
                assert talk.heard_of(after)[0].reason == "played"
            assert [heard.item for heard in talk.heard] == [item, after]

    run(talk())


def test_closing_in_mid_answer_reports_it_once(tmp_path):
    kept = []

    async def talk():
        async with talking(tmp_path, on_heard=kept.append) as talk:
            await talk.speak(10_000, end=False)
            await talk.playing(100)

    run(talk())
    (heard,) = kept
    assert heard.cut
    assert heard.end_ms >= 100


def test_a_local_interruption_truncates_and_cancels_the_answer(tmp_path):
    """The voice's own barge-in stopped the turn; the service has heard nothing yet."""

    async def talk():
        async with talking(tmp_path) as talk:
            item = await talk.speak(5000, end=False)
            await talk.playing(150)
            await talk.agent.interrupt()
            await talk.until(lambda: talk.server.of("response.cancel"))
            (truncation,) = talk.server.of("conversation.item.truncate")
            assert truncation["item_id"] == item
            assert truncation["audio_end_ms"] >= 150
            assert talk.said == []

    run(talk())


def test_sound_of_any_length_of_bytes_is_counted_in_whole_samples(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.server.begin()
            item = await talk.server.begin_item()
            await talk.server.speak(item, speech(100)[:-1])
            await talk.server.user_started()
            await talk.until(lambda: talk.heard)
            assert talk.heard[0].received_ms < 100
            assert talk.heard[0].received_ms * MS == pytest.approx(100 * MS - 2)

    run(talk())


def test_the_transcript_guides_the_lips(tmp_path, guided):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.speak(400, text="Good morning. ")
            await talk.until(lambda: talk.heard)
        return [word.phones for word in guided]

    assert run(talk()) == ["Good", "morning."]
