"""The parts of the conversation's benchmark that need no running system."""

import numpy as np
import pytest

from mien.bench.conversation import _wire_rows, jaw_closed_ns
from mien.bench.long_session import talk_for_hours
from mien.bench.offsets import Pictures
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX
from rigs.voice_rig import tone


def test_simulated_hours_finish_every_turn_without_drift():
    result = talk_for_hours(1, [tone(700), tone(1300)], lambda _: None)
    assert result.begun == result.finished > 240
    assert np.abs(np.array(result.late_ms)).max() <= 60
    assert np.median(result.late_ms[-50:]) == pytest.approx(np.median(result.late_ms[:50]), abs=2)


def test_opus_is_a_fraction_of_pcm_on_the_wire():
    pcm, opus = _wire_rows([tone(2000)])
    assert 32_000 < pcm.value < 36_000
    assert opus.value < pcm.value / 5


def test_the_jaw_counts_as_closed_when_it_stays_so():
    poses = np.zeros((30, CHANNEL_COUNT), np.float32)
    poses[:10, CHANNEL_INDEX["jawOpen"]] = 0.5
    poses[12, CHANNEL_INDEX["jawOpen"]] = 0.3
    times = np.arange(30) * 33_000_000
    pictures = Pictures(times, times, np.zeros(30, np.int64), poses)
    assert jaw_closed_ns(pictures, 0) == times[13]
    poses[-1, CHANNEL_INDEX["jawOpen"]] = 0.5
    assert jaw_closed_ns(pictures, int(times[26])) is None
