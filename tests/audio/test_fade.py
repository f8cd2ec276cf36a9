import numpy as np
import pytest

from mien.audio.fade import fade_out, falling


def loud(frames: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.full(frames, 32767, np.int16)


def test_a_fade_out_ends_in_silence_and_leaves_what_is_before_it() -> None:
    pcm = loud(1000)
    fade_out(pcm, 240)
    assert np.all(pcm[:760] == 32767)
    assert np.all(np.diff(pcm[760:].astype(int)) <= 0)
    assert 0 <= pcm[-1] < 10


@pytest.mark.parametrize("frames", [48, 240, 4800])
def test_neither_end_clicks(frames: int) -> None:
    """A straight ramp steps by full / frames and bends at both ends; this one steps by at most pi/2 of that."""
    pcm = np.concatenate((loud(50), loud(frames), np.zeros(50, np.int16)))
    fade_out(pcm[: 50 + frames], frames)
    steps = np.diff(pcm.astype(float))
    assert np.max(np.abs(steps)) <= 32767 / frames * np.pi / 2 + 1.5
    bends = np.diff(steps)
    assert np.max(np.abs(bends)) <= 32767 / frames**2 * np.pi**2 / 2 + 2.5


def test_a_fade_and_its_mirror_together_keep_the_loudness() -> None:
    assert np.max(np.abs(falling(480) + falling(480)[::-1] - 1)) <= 1e-6


def test_a_short_piece_is_faded_over_its_length() -> None:
    pcm = loud(10)
    fade_out(pcm, 240)
    assert pcm[0] > 32000
    assert pcm[-1] < 500


def test_nothing_is_a_fade_of_nothing() -> None:
    empty, kept = loud(0), loud(5)
    fade_out(empty, 240)
    fade_out(kept, 0)
    assert np.all(kept == 32767)


def test_negative_samples_fade_as_positive_ones_do() -> None:
    up, down = loud(200), -loud(200)
    fade_out(up, 200)
    fade_out(down, 200)
    assert np.array_equal(up, -down)


def test_it_works_on_a_part_of_a_larger_buffer() -> None:
    pcm = loud(300)
    fade_out(pcm[100:200], 100)
    assert np.all(pcm[:100] == 32767)
    assert np.all(pcm[200:] == 32767)
    assert pcm[199] < 10
