"""The parts of the conversation benchmark that need no running system."""

import numpy as np
import pytest

from mien.bench.conversation import _wire_rows
from mien.bench.long_session import talk_for_hours
from rigs.voice_rig import tone


def test_simulated_hours_finish_every_turn_without_drift():
    result = talk_for_hours(0.5, [tone(700), tone(1300)], lambda _: None)
    assert result.begun == result.finished > 120
    assert np.abs(np.array(result.late_ms)).max() <= 60
    assert np.median(result.late_ms[-50:]) == pytest.approx(np.median(result.late_ms[:50]), abs=2)


def test_opus_is_a_fraction_of_pcm_on_the_wire():
    pcm, opus = _wire_rows([tone(2000)])
    assert 32_000 < pcm.value < 36_000
    assert opus.value < pcm.value / 5
