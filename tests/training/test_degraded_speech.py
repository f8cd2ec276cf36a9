"""The codec keeps the timing of speech, so that labels stay valid."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.augment import degrade, opus

RATE_HZ = 16_000


def syllables(seconds: float = 4.0) -> NDArray[np.float64]:
    """A buzz at 120 Hz through two resonances, in syllables of random length."""
    rng = np.random.default_rng(0)
    count = int(seconds * RATE_HZ)
    pulses = np.zeros(count)
    pulses[:: RATE_HZ // 120] = 1
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    formants = sum(1 / (1 + ((hz - centre) / 90) ** 2) for centre in (600, 1400, 2500))
    gates = np.repeat(rng.random(int(seconds * 10)) > 0.4, RATE_HZ // 10)
    voice = np.fft.irfft(np.fft.rfft(pulses) * formants, count) * gates
    return np.asarray(0.7 * voice / np.abs(voice).max())


def lag(one: NDArray[np.float64], other: NDArray[np.float64]) -> int:
    """The lag of the second sound in samples, by the peak of the cross-correlation."""
    size = 2 * len(one)
    products = np.fft.irfft(np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size), size)
    at = int(np.argmax(products))
    return at if at < len(one) else at - size


@pytest.mark.parametrize("bitrate", [12_000, 20_000, 32_000])
def test_opus_keeps_time(bitrate: int) -> None:
    spoken = syllables()
    heard = opus(spoken, bitrate)
    assert len(heard) == len(spoken)
    assert abs(lag(spoken, heard)) <= 8  # half a millisecond
    assert not np.allclose(spoken, heard, atol=0.001)


def test_every_change_keeps_time() -> None:
    spoken = syllables(2.0)
    envelope = np.convolve(np.abs(spoken), np.ones(160) / 160, "same")
    for seed in range(40):
        heard = degrade(spoken, np.random.default_rng(seed)).astype(np.float64)
        assert len(heard) == len(spoken)
        heard_envelope = np.convolve(np.abs(heard - np.median(heard)), np.ones(160) / 160, "same")
        assert abs(lag(envelope - envelope.mean(), heard_envelope - heard_envelope.mean())) < 0.01 * RATE_HZ
