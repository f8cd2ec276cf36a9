from itertools import permutations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.audio.resample import Resampler
from mien.core.wire import RATES_HZ

PAIRS = list(permutations(RATES_HZ, 2))
SPEECH_PAIRS = [(rate_hz, to_hz) for to_hz in (48000, 16000) for rate_hz in (8000, 16000, 22050, 24000, 44100, 48000)]


def convert(pcm: Pcm, from_hz: int, to_hz: int, chunk: int = 0) -> Pcm:
    resampler = Resampler(from_hz, to_hz)
    size = chunk or max(1, len(pcm))
    pieces = [resampler.push(pcm[start : start + size]) for start in range(0, len(pcm), size)]
    return np.concatenate([*pieces, resampler.flush()])


def tone(tone_hz: float, rate_hz: int, seconds: float = 0.25, phase: float = 0.3) -> NDArray[np.float64]:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return 16000 * np.sin(2 * np.pi * tone_hz * times + phase)


def to_pcm(signal: NDArray[np.float64]) -> Pcm:
    return np.rint(signal).astype(np.int16)


def noise(frames: int, seed: int = 1) -> Pcm:
    return np.random.default_rng(seed).integers(-32768, 32767, frames, dtype=np.int16, endpoint=True)


def level_db(signal: NDArray[np.float64]) -> float:
    """RMS, in dB over a rounding step."""
    return float(20 * np.log10(np.sqrt(np.mean(signal**2)) + 1e-9))


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_tone_comes_out_as_the_same_tone_at_the_same_time(from_hz: int, to_hz: int) -> None:
    """The reference is the tone sampled at the other rate: it reveals any shift, distortion, alias or image."""
    tone_hz = 0.40 * min(from_hz, to_hz)
    out = convert(to_pcm(tone(tone_hz, from_hz)), from_hz, to_hz)
    truth = tone(tone_hz, to_hz)
    middle = slice(len(truth) // 4, 3 * len(truth) // 4)
    wrong = out[: len(truth)][middle] - truth[middle]
    assert level_db(truth[middle]) - level_db(wrong) > 75


@pytest.mark.parametrize(("from_hz", "to_hz"), SPEECH_PAIRS)
@pytest.mark.parametrize("tone_hz", [100, 1000, 4000, 7000])
def test_the_speech_band_is_clean(from_hz: int, to_hz: int, tone_hz: int) -> None:
    if tone_hz > 0.44 * min(from_hz, to_hz):
        tone_hz = int(0.44 * min(from_hz, to_hz))
    out = convert(to_pcm(tone(tone_hz, from_hz)), from_hz, to_hz)
    truth = tone(tone_hz, to_hz)
    middle = slice(len(truth) // 4, 3 * len(truth) // 4)
    assert level_db(truth[middle]) - level_db(out[: len(truth)][middle] - truth[middle]) > 75


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48000, 16000), (44100, 16000), (22050, 16000), (48000, 8000)])
def test_what_the_lower_rate_cannot_carry_is_taken_out(from_hz: int, to_hz: int) -> None:
    tone_hz = 0.54 * to_hz
    out = convert(to_pcm(tone(tone_hz, from_hz)), from_hz, to_hz)
    middle = out[len(out) // 4 : 3 * len(out) // 4].astype(np.float64)
    assert level_db(16000 * np.ones(1)) - level_db(middle) > 70


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_an_impulse_stays_where_it_was(from_hz: int, to_hz: int) -> None:
    at = from_hz // 20
    pcm = np.zeros(from_hz // 10, np.int16)
    pcm[at] = 30000
    out = convert(pcm, from_hz, to_hz).astype(np.float64)
    assert abs(int(np.argmax(np.abs(out))) - at * to_hz / from_hz) <= 0.5
    centre = np.sum(out**2 * np.arange(len(out))) / np.sum(out**2)
    assert centre == pytest.approx(at * to_hz / from_hz, abs=0.05)


@pytest.mark.parametrize(("from_hz", "to_hz"), SPEECH_PAIRS)
def test_it_agrees_with_soxr_at_its_best(from_hz: int, to_hz: int) -> None:
    if from_hz == to_hz:
        return
    low_hz = min(from_hz, to_hz)
    speech = sum(tone(part * low_hz, from_hz, phase=part * 9) / 8 for part in (0.01, 0.03, 0.1, 0.2, 0.3, 0.41))
    ours = convert(to_pcm(np.asarray(speech)), from_hz, to_hz).astype(np.float64)
    theirs = soxr.resample(np.asarray(speech), from_hz, to_hz, quality="VHQ")
    middle = slice(len(ours) // 4, 3 * len(ours) // 4)
    assert np.max(np.abs(ours[middle] - theirs[: len(ours)][middle])) < 2.5


@pytest.mark.parametrize(("from_hz", "to_hz"), [*PAIRS, (16000, 16000)])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 31, 441, 1000, 4097])
def test_the_length_is_exact(from_hz: int, to_hz: int, frames: int) -> None:
    exact = frames * to_hz / from_hz
    assert len(convert(noise(frames), from_hz, to_hz, chunk=100)) == int(exact + 0.5)


@settings(max_examples=80, deadline=None)
@given(pair=st.sampled_from(PAIRS), cuts=st.lists(st.integers(0, 3000), max_size=12), frames=st.integers(0, 3000))
def test_it_does_not_matter_how_the_speech_was_cut(pair: tuple[int, int], cuts: list[int], frames: int) -> None:
    pcm = noise(frames)
    resampler = Resampler(*pair)
    pieces = [resampler.push(piece) for piece in np.split(pcm, sorted(min(cut, frames) for cut in cuts))]
    assert np.array_equal(np.concatenate([*pieces, resampler.flush()]), convert(pcm, *pair))


@pytest.mark.parametrize("pair", [(16000, 48000), (22050, 48000), (48000, 16000)])
def test_a_long_burst_is_the_same_as_many_chunks(pair: tuple[int, int]) -> None:
    pcm = noise(2 * pair[0])
    assert np.array_equal(convert(pcm, *pair), convert(pcm, *pair, chunk=pair[0] // 50))


@pytest.mark.parametrize("pair", PAIRS)
def test_sound_is_held_back_for_the_lookahead_only(pair: tuple[int, int]) -> None:
    from_hz, to_hz = pair
    resampler = Resampler(*pair)
    assert 0 < resampler.lookahead_ms < 4.1
    given = 0
    for fed in range(1, from_hz // 50):
        given += len(resampler.push(np.ones(1, np.int16)))
        lag_s = fed / from_hz - given / to_hz
        assert lag_s <= resampler.lookahead_ms / 1000 + 1e-9


def test_the_next_turn_starts_afresh() -> None:
    resampler = Resampler(22050, 48000)
    first, second = noise(1234, seed=2), noise(777, seed=3)
    resampler.push(first)
    resampler.flush()
    assert np.array_equal(np.concatenate([resampler.push(second), resampler.flush()]), convert(second, 22050, 48000))


@pytest.mark.parametrize("pair", SPEECH_PAIRS)
def test_full_scale_never_wraps_around(pair: tuple[int, int]) -> None:
    square = np.where(np.arange(2000) // 50 % 2, 32767, -32768).astype(np.int16)
    out = convert(square, *pair)
    positions = np.arange(len(out)) * pair[0] / pair[1]
    inside = np.abs(positions % 50 - 25) < 5
    expected_sign = np.where(positions[inside] // 50 % 2, 1, -1)
    assert np.array_equal(np.sign(out[inside]), expected_sign)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_constant_stays_constant(pair: tuple[int, int]) -> None:
    out = convert(np.full(2000, 20000, np.int16), *pair)
    edge = 64 * max(pair) // pair[0]
    assert np.all(out[edge:-edge] == 20000)


def test_equal_rates_pass_without_a_copy() -> None:
    resampler = Resampler(16000, 16000)
    pcm = noise(320)
    assert resampler.push(pcm) is pcm
    assert len(resampler.flush()) == 0
    assert resampler.lookahead_ms == 0


def test_the_input_is_left_alone_and_not_kept() -> None:
    resampler = Resampler(16000, 48000)
    pcm = noise(320)
    before = pcm.copy()
    first = resampler.push(pcm)
    assert np.array_equal(pcm, before)
    pcm[:] = 0
    whole = np.concatenate([first, resampler.flush()])
    assert np.array_equal(whole, convert(before, 16000, 48000))


@pytest.mark.parametrize("pair", [(16001, 48000), (48000, 96000), (0, 16000)])
def test_other_rates_are_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="Hz is not supported; choose one of 8000, 11025"):
        Resampler(*pair)
