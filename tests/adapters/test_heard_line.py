"""What waits for a position: frames between the audio, and words with times of their own."""

from mien.adapters.heard.line import LONGEST_HALF_MS, UNKNOWN_HALF_MS, HeardLine, word_heard_ms
from mien.adapters.heard.playhead import BEFORE_MS, TRUSTED_S, Playhead
from mien.adapters.heard.words import WordClock


def test_items_between_the_audio_are_released_at_their_position_in_order():
    line = HeardLine()
    line.put("started", -1.0)
    line.put("first", 20.0)
    line.put("second", 40.0)
    assert line.due(BEFORE_MS) == ["started"]
    assert line.due(19.9) == []
    assert line.due(40.0) == ["first", "second"]


def test_a_word_is_heard_at_half_of_the_way_to_the_next():
    assert word_heard_ms(100, 300) == 200
    assert word_heard_ms(100, 5000) == 100 + LONGEST_HALF_MS
    assert word_heard_ms(100, None) == 100 + UNKNOWN_HALF_MS


def test_words_keep_their_order_and_nothing_overtakes_a_word():
    line = HeardLine()
    line.put_timed("hello", 0.0, word=True)
    line.put_timed("progress of hello", 0.0, word=False)
    line.put_timed("there", 200.0, word=True)
    line.put_timed("end", 200.0, word=False)
    assert line.due(99.0) == []
    assert line.due(100.0) == ["hello", "progress of hello"]
    assert line.due(299.0) == []
    assert line.due(300.0) == ["there", "end"]


def test_a_word_that_comes_late_is_sorted_in():
    line = HeardLine()
    line.put_timed("b", 200.0, word=True)
    line.put_timed("a", 0.0, word=True)
    assert line.due(1000.0) == ["a", "b"]


def test_finish_takes_everything_with_the_last_items_behind():
    line = HeardLine()
    line.put_last("stopped")
    line.put("between", 50.0)
    line.put_timed("word", 900.0, word=True)
    assert line.finish() == ["word", "between", "stopped"]
    assert line.finish() == []
    assert line.next_ms() is None


def test_later_hands_words_over_to_the_next_turn_of_a_long_segment():
    line = HeardLine()
    line.put_timed("early", 100.0, word=True)
    line.put_timed("late", 700.0, word=True)
    assert line.later(600.0) == [("late", 700.0, True)]
    assert line.finish() == ["early"]


def test_a_playhead_extrapolates_a_report_but_not_for_long():
    playhead = Playhead()
    assert playhead.ms(9.0, 1000) == BEFORE_MS
    playhead.start(10.0)
    assert round(playhead.ms(10.1, 1000)) == 100
    assert playhead.ms(10.1, 60) == 60, "no more than was sent"
    assert round(playhead.ms(99.0, 1000)) == TRUSTED_S * 1000
    playhead.report(250.0, 10.2)
    assert round(playhead.ms(10.25, 1000)) == 300


def test_a_playhead_stands_still_in_a_pause_and_in_a_stall():
    playhead = Playhead()
    playhead.start(10.0)
    playhead.pause(10.1)
    assert round(playhead.ms(11.0, 1000)) == 100
    playhead.report(105.0, 11.0)
    assert playhead.ms(12.0, 1000) == 105
    playhead.resume(12.0)
    assert round(playhead.ms(12.05, 1000)) == 155
    playhead.stall(180.0)
    assert playhead.stalled
    assert playhead.ms(13.0, 1000) == 180
    playhead.report(180.0, 13.1)
    assert playhead.stalled, "the voice reports in a stall too"
    playhead.report(200.0, 13.3)
    assert not playhead.stalled


def test_a_report_without_advance_stops_the_extrapolation():
    playhead = Playhead()
    playhead.start(10.0)
    playhead.report(200.0, 10.2)
    playhead.report(200.0, 10.4)
    assert playhead.ms(10.6, 1000) == 200


def test_a_turn_that_waits_behind_another_has_not_started():
    playhead = Playhead()
    playhead.report(0.0, 10.0)
    assert not playhead.started


def test_words_count_from_their_segments_first_audio():
    words = WordClock()
    assert words.position_ms("a", 5_000_000_000) is None
    words.audio("a", 5_000_000_000)
    words.audio("a", 6_000_000_000)
    assert words.position_ms("a", 5_250_000_000) == 250
    assert words.position_ms("a", 4_000_000_000) == 0


def test_words_of_a_segment_made_ahead_count_from_the_last_word_before_it():
    words = WordClock()
    words.audio("a", 5_000_000_000)
    words.word(7_000_000_000)
    words.audio("b", 5_100_000_000)
    assert words.position_ms("b", 7_300_000_000) == 300
    words.interrupted()
    words.audio("c", 5_200_000_000)
    assert words.position_ms("c", 5_300_000_000) == 100


def test_words_that_cannot_be_interrupted_still_count_after_an_interruption():
    words = WordClock()
    words.word(7_000_000_000, interruptible=False)
    words.word(8_000_000_000)
    words.interrupted()
    words.audio("b", 5_000_000_000)
    assert words.position_ms("b", 7_100_000_000) == 100
