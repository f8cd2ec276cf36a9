"""How loud the speech is."""

import numpy as np
import pytest

from mien.voice.meter import SILENCE_DBFS, Meter


def test_off_it_measures_nothing():
    meter = Meter()
    meter.add(np.full(100, 10_000, np.int16))
    assert meter.read() == (SILENCE_DBFS, SILENCE_DBFS)


def test_it_adds_up_what_came_since_the_last_reading():
    meter = Meter()
    meter.on = True
    meter.add(np.full(100, 16384, np.int16))
    meter.add(np.full(300, -8192, np.int16))
    meter.add(np.zeros(0, np.int16))
    rms = 20 * np.log10(np.sqrt((100 * 0.5**2 + 300 * 0.25**2) / 400))
    assert meter.read() == (pytest.approx(rms, abs=0.06), -6.0)
    assert meter.read() == (SILENCE_DBFS, SILENCE_DBFS)


@pytest.mark.parametrize(("level", "dbfs"), [(-32768, 0.0), (3277, -20.0), (1, -90.3), (0, SILENCE_DBFS)])
def test_it_is_relative_to_full_scale(level, dbfs):
    meter = Meter()
    meter.on = True
    meter.add(np.full(10, level, np.int16))
    assert meter.read() == (dbfs, dbfs)
