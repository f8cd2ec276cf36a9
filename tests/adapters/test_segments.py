"""The pure parts of what the LiveKit adapters share: audio, words and formats of a segment."""

import numpy as np
import pytest

from mien.adapters.segments.mono import MonoStream
from mien.adapters.segments.segment import Segment
from mien.adapters.segments.words import Words, join_words

MS = 48  # bytes of a ms at 24 kHz


def segment():
    return Segment(1, 24000)


def test_audio_is_read_from_any_frame_and_forgotten_when_it_was_heard():
    pcm = np.arange(2400, dtype=np.int16).tobytes()
    held = Segment(1, 24000)
    held.append(pcm)
    assert held.read(0, 10) == pcm[:20]
    held.forget(100)
    assert held.pushed_frames == 2400
    assert held.read(100, 5) == pcm[200:210]
    assert held.read(2398, 100) == pcm[-4:]
    held.forget(5000)
    assert held.read(2400, 10) == b""
    held.append(pcm[:2])
    assert held.read(2400, 10) == pcm[:2]


@pytest.mark.parametrize("ended", ["end", "cleared", "over"])
def test_audio_after_the_end_is_not_kept(ended):
    held = segment()
    held.append(bytes(100 * MS))
    if ended == "end":
        held.end()
    else:
        setattr(held, ended, True)
    held.append(bytes(100 * MS))
    assert held.pushed_ms == 100
    assert not held.takes_audio


def test_a_position_lies_within_what_was_pushed():
    held = segment()
    held.append(bytes(100 * MS))
    assert held.to_frames(50) == 1200
    assert held.to_frames(1e9) == 2400
    assert held.to_frames(-1) == 0


def test_words_without_an_end_last_until_the_next():
    words = Words()
    words.add("Hi ", 0, None)
    words.add("there", 200, None)
    assert [tuple(word) for word in words.known()] == [("Hi ", 0, 200)]
    words.finish()
    assert words.known(1)[0].start_ms == 200
    assert words.known(1)[0].end_ms == 200 + 5 * 62


def test_words_with_only_an_end_begin_where_the_last_one_ended():
    words = Words()
    words.add("Hi", None, 150)
    words.add("  ", None, 200)
    words.add("there", None, 400)
    assert [tuple(word) for word in words.known()] == [("Hi", 0, 150), ("there", 150, 400)]


def test_a_word_is_heard_when_half_of_it_was():
    words = Words()
    words.add("one ", 0, 100)
    words.add("two", 100, 300)
    assert [word.text for word in words.heard(49)] == []
    assert [word.text for word in words.heard(199)] == ["one "]
    assert join_words(words.heard(200)) == "one two"


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["one", "two"], "one two"),
        (["one ", "two"], "one two"),
        (["one", " two", "."], "one two."),
        (["你", "好"], "你好"),
        ([], ""),
    ],
)
def test_words_read_as_text(texts, joined):
    words = Words()
    for number, text in enumerate(texts):
        words.add(text, number * 100, number * 100 + 100)
    assert join_words(words.known()) == joined


def test_mono_at_the_same_rate_passes_unchanged():
    pcm = np.random.default_rng(1).integers(-30000, 30000, 480, np.int16).tobytes()
    stream = MonoStream(24000)
    assert stream.convert(pcm, 24000, 1) + stream.flush() == pcm


def test_stereo_at_48_khz_has_the_same_length_and_the_mean_of_both_channels():
    stream = MonoStream(24000)
    left_right = np.stack([np.full(4800, 1000, np.int16), np.full(4800, 3000, np.int16)], axis=1)
    pcm = b"".join(stream.convert(block.tobytes(), 48000, 2) for block in np.split(left_right, 10)) + stream.flush()
    samples = np.frombuffer(pcm, np.int16)
    assert len(samples) == 2400
    assert abs(int(samples[1200]) - 2000) <= 2


def test_the_format_may_change_within_a_segment():
    stream = MonoStream(24000)
    pcm = stream.convert(bytes(960), 24000, 1) + stream.convert(bytes(3840), 48000, 2) + stream.flush()
    assert len(pcm) == 960 + 960
    assert stream.convert(b"\x01\x00\x02", 24000, 1) == b"\x01\x00"
