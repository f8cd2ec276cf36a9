"""The engine of the degraded level."""

import numpy as np

from mien.core.pose import CHANNEL_INDEX
from mien.motion.load import load_envelope

JAW = CHANNEL_INDEX["jawOpen"]


def tone(seconds: float, amplitude: float) -> np.ndarray:
    at = np.arange(int(16_000 * seconds)) / 16_000
    return np.asarray(np.sin(2 * np.pi * 200 * at) * amplitude * 32767, dtype=np.int16)


def test_the_jaw_follows_loudness() -> None:
    engine = load_envelope()
    loud, soft, silent = (engine.push(tone(0.4, a))[-1, JAW] for a in (0.5, 0.2, 0.0))
    assert loud > 0.4
    assert loud > soft + 0.1 > silent + 0.1
    assert silent == 0


def test_a_quiet_speaker_opens_the_mouth_as_far() -> None:
    engine = load_envelope()
    loud = engine.push(tone(0.4, 0.5))[-1, JAW]
    engine.reset()
    quiet = engine.push(tone(0.4, 0.02))[-1, JAW]
    assert abs(loud - quiet) < 0.05


def test_an_offset_is_no_loudness() -> None:
    assert load_envelope().push(np.full(8000, 9000, dtype=np.int16))[20:].max() == 0
