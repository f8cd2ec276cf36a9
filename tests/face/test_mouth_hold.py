"""Speech takes the mouth quickly, keeps it for a quarter of a second, releases it slowly."""

import pytest

from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.face.behaviour.mouth_hold import MouthHold


def held_at(times_s: list[float], *, until_s: float, speaking: bool = False) -> list[float]:
    """hold at the times, of speech that opens the jaw until until_s. Stepped at 100 Hz."""
    mouth, speech, found = MouthHold(), new_pose(), []
    for step in range(round(max(times_s) * 100) + 1):
        at_s = step / 100
        speech[CHANNEL_INDEX["jawOpen"]] = 0.5 if at_s <= until_s else 0.0
        mouth.at(at_s, speech, speaking)
        if any(abs(at_s - wanted) < 1e-9 for wanted in times_s):
            found.append(mouth.hold)
    return found


def test_speech_takes_the_mouth_within_eighty_ms() -> None:
    assert held_at([0.04, 0.08, 0.5], until_s=1.0) == pytest.approx([0.5, 1.0, 1.0], abs=0.02)


def test_it_keeps_the_mouth_for_a_quarter_of_a_second_and_gives_it_back_in_three_tenths() -> None:
    held = held_at([1.0, 1.2, 1.24, 1.4, 1.54, 2.0], until_s=1.0)
    assert held == pytest.approx([1.0, 1.0, 1.0, 0.47, 0.0, 0.0], abs=0.04)


def test_while_the_state_speaks_a_mouth_that_rests_is_still_the_speechs() -> None:
    assert held_at([1.0, 3.0], until_s=0.0, speaking=True) == [1.0, 1.0]


def test_a_models_silence_is_no_movement() -> None:
    mouth, speech = MouthHold(), new_pose()
    speech[CHANNEL_INDEX["jawOpen"]] = 0.029
    for step in range(100):
        mouth.at(step / 100, speech, False)
    assert mouth.hold == 0.0
    speech[CHANNEL_INDEX["jawOpen"]] = 0.031
    mouth.at(1.01, speech, False)
    assert mouth.hold > 0.0
