"""Co-speech gestures: nods, brows, phrase ends, questions."""

import random

import numpy as np
import pytest

from mien.core.pose import CHANNEL_INDEX, Pose, new_pose
from mien.face.behaviour.prosody_gestures import ProsodyGestures
from mien.face.director import Director
from mien.motion.prosody import EFFORT, PITCH, RISE, STRESS, VOICE
from mien.units import NS_PER_S

NOD, YAW, ROLL, BROW = (CHANNEL_INDEX[name] for name in ("headPitch", "headYaw", "headRoll", "browInnerUp"))
CHEEK = CHANNEL_INDEX["cheekSquintLeft"]


def how(*, stress: float = 0, pitch: float = 0, effort: float = 0, voice: float = 1, rise: float = 0) -> np.ndarray:
    row = np.zeros(5, dtype=np.float32)
    row[[STRESS, PITCH, EFFORT, VOICE, RISE]] = stress, pitch, effort, voice, rise
    return row


def stressed(time_s: float) -> np.ndarray:
    return how(stress=0.9 if 1.0 <= time_s < 1.14 else 0.0)


def course(rows, *, seconds: float = 2.5, fps: float = 60, vigour: float = 1.0, seed: int = 1) -> np.ndarray:
    """Poses by a ProsodyGestures alone. rows(time_s): the prosody at that time, None for silence."""
    gestures, poses = ProsodyGestures(random.Random(seed)), []
    for number in range(int(seconds * fps)):
        gestures.at(number / fps, rows(number / fps), vigour)
        pose = new_pose()
        gestures.add_to(pose)
        poses.append(pose)
    return np.array(poses)


def test_a_stressed_syllable_is_a_nod_and_a_brow_that_come_and_go() -> None:
    for seed in range(8):
        poses = course(stressed, seed=seed)
        apex = int(poses[:, NOD].argmax())
        assert 1.08 < apex / 60 < 1.30
        assert 0.02 < poses[apex, NOD] < 0.08
        assert poses[apex - 6 : apex + 6, BROW].max() > 0.08
        assert abs(poses[-1, NOD]) < 0.004
        assert poses[-1, BROW] < 0.02


def test_the_head_goes_up_with_the_melody_and_comes_down_with_it() -> None:
    high, low = course(lambda _: how(pitch=0.8)), course(lambda _: how(pitch=-0.8))
    assert high[-1, NOD] < -0.02
    assert low[-1, NOD] > 0.02
    assert high[-1, BROW] > low[-1, BROW] + 0.1


def test_the_cheeks_go_with_effort() -> None:
    assert course(lambda _: how(effort=1.0))[-1, CHEEK] > 0.15 > 0.02 > course(lambda _: how())[-1, CHEEK]


def test_it_hardly_matters_how_many_frames_there_are() -> None:
    slow, fast = course(stressed, fps=30), course(stressed, fps=120)[::4]
    np.testing.assert_allclose(slow[:, [NOD, YAW, ROLL]], fast[:, [NOD, YAW, ROLL]], atol=0.012)


def test_an_interrupt_lets_the_head_come_to_rest_without_a_jump() -> None:
    poses = course(lambda t: how(stress=1.0, pitch=0.9, effort=1.0) if t < 1.2 else None)
    assert np.abs(np.diff(poses[:, [NOD, YAW, ROLL]], axis=0)).max() < 0.015
    assert np.abs(poses[-1]).max() < 0.02


def test_phrases_are_noticed_once_each_and_with_their_rise() -> None:
    gestures, begun, ended, rises = ProsodyGestures(random.Random(1)), 0, 0, []
    for number in range(300):
        time_s = number / 60
        row = how(rise=0.8 if time_s > 1.6 else 0.0) if time_s % 2.5 < 2.0 else how(voice=0.0)
        gestures.at(time_s, row, 1.0)
        begun, ended = begun + gestures.phrase_began, ended + gestures.phrase_ended
        rises += [gestures.rose] if gestures.phrase_ended else []
    assert (begun, ended) == (2, 2)
    assert rises == pytest.approx([0.8, 0.8])


def act(rows, *, emotion: str = "neutral", seconds: float = 3.0, seed: int = 2) -> np.ndarray:
    """The same through the director, with the speech pose at rest."""
    director, out, poses = Director(seed=seed), new_pose(), []
    director.set_emotion(emotion, 1.0, 0)
    for number in range(int(seconds * 50)):
        row = rows(number / 50)
        state = "idle" if row is None else "speaking"
        director.compose(number * NS_PER_S // 50, state, new_pose(), out, row)
        poses.append(out.copy())
    return np.array(poses)


def test_a_turn_that_ends_on_a_rise_is_a_question_on_the_face() -> None:
    def asked(rise: float) -> np.ndarray:
        return act(lambda t: how(rise=rise if t > 0.9 else 0.0) if t < 1.2 else None)

    question, statement = asked(0.9), asked(0.0)
    waiting = slice(75, 95)
    assert (question - statement)[waiting, BROW].min() > 0.2
    assert np.abs((question - statement)[waiting, ROLL]).min() > 0.025
    np.testing.assert_allclose(question[-1, BROW], statement[-1, BROW], atol=0.02)


def test_emotion_decides_how_large_the_movements_are() -> None:
    def nod(emotion: str) -> float:
        quiet = act(lambda _: how(), emotion=emotion)
        return float((act(stressed, emotion=emotion) - quiet)[:, NOD].max())

    assert nod("sad") < 0.75 * nod("neutral") < 0.75 * nod("excited")


def test_speech_without_prosody_has_no_nods_and_no_nods_outlast_speech() -> None:
    def still(poses: np.ndarray) -> Pose:
        return np.abs(np.diff(poses[:, NOD])).max()

    assert still(act(lambda _: how(), seconds=6)) < 0.004
    assert still(act(stressed)) > 0.004
