"""Lips after speech return to rest slowly; they stay parted in a gap between words."""

import numpy as np

from training.measure import Seen, see, shut
from training.rig import shapes
from training.targets import TimedPhone, articulate


def face(phones: list[TimedPhone], frames: int) -> Seen:
    motion = np.zeros((frames, 55), dtype=np.float32)
    motion[:, :52] = shapes(articulate(phones, frames))
    return see(motion, phones)


def test_lips_that_have_spoken_meet_a_moment_later() -> None:
    held = shut(face([("a", 0.2, 0.5)], 100))
    assert not held[46:54].any()
    assert held[60:].all()


def test_a_gap_as_short_as_a_stop_does_not_shut_them() -> None:
    assert not shut(face([("a", 0.2, 0.4), ("a", 0.52, 0.7)], 90))[24:66].any()


def test_a_pause_does() -> None:
    assert shut(face([("a", 0.2, 0.4), ("a", 0.8, 1.0)], 120))[50:70].all()


def test_before_speech_they_are_at_rest() -> None:
    assert shut(face([("a", 0.4, 0.6)], 80))[:30].all()


def test_a_closure_in_speech_stays_sharp() -> None:
    held = shut(face([("a", 0.2, 0.4), ("p", 0.4, 0.48), ("a", 0.48, 0.7)], 80))
    assert held[42:46].all()
    assert not held[25:36].any()
    assert not held[53:65].any()
