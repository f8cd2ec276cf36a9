"""How loud speech was since somebody last looked."""

import math

import numpy as np
import pytest

from mien.voice.level_meter import SILENCE_DBFS, LevelMeter


def level_meter(*blocks, on=True):
    made = LevelMeter()
    made.on = on
    for block in blocks:
        made.add(np.array(block, dtype=np.int16))
    return made


def test_it_tells_the_mean_power_and_the_largest_sample_of_all_blocks():
    rms, peak = level_meter([16384, -16384], [0, 0, 0, 0, 0, 0]).read()
    assert peak == -6.0
    assert rms == pytest.approx(20 * math.log10(0.25), abs=0.05)


@pytest.mark.parametrize(("sample", "peak"), [(-32768, 0.0), (32767, 0.0), (-3277, -20.0), (1, -90.3)])
def test_full_scale_is_0_and_a_negative_sample_counts_alike(sample, peak):
    assert level_meter([0, sample, 0]).read()[1] == peak
    assert level_meter([sample] * 3).read() == (peak, peak)


def test_reading_begins_anew():
    read = level_meter([20000] * 4)
    assert read.read()[1] > -5
    assert read.read() == (SILENCE_DBFS, SILENCE_DBFS)
    read.add(np.array([328, 328], np.int16))
    assert read.read() == (-40.0, -40.0)


def test_silence_no_samples_and_nobody_looking_are_100_below():
    assert SILENCE_DBFS == -100.0
    assert (
        level_meter([0, 0]).read() == level_meter([]).read() == level_meter([9000], on=False).read() == (-100.0, -100.0)
    )
