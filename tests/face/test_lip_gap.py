"""The lips of the drawn mesh meet on p, b and m: motion, director and morph together, on speech of known timing.

Shut is a gap below three quarters of a millimetre, which is two pixels where 1280 show 40 cm. The timing allows 40 ms
to either side of the phone: what people do not notice (Grant et al., 2004: 45 ms where the video leads).
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from mien.avatar.load import load_avatar
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, Pose, new_pose
from mien.face.behaviour.expressions import EMOTIONS
from mien.face.director import Director
from mien.face.offline import motion_frames, poses, prosody_frames
from mien.motion.base import MotionFrames, Pcm
from mien.motion.load import load_engine
from rigs.posed_face import DrawnLips, PosedFace
from rigs.timed_speech import VOICES, TimedPhone, say
from training.phones import from_arpabet
from training.rig import shapes
from training.targets import articulate

SENTENCES = ("Pepper makes people move.", "Please mind the platform.", "Above all, be brave.")
LONG = "Maybe my mum bought a big pepper map."
BILABIALS = ("p", "b", "m")
SHUT_MM = 0.75
NEAR_S = 0.040
MOST_PRESSED_MM = 0.8  # beyond their contact at rest
FPS = 60
MOTION_HZ = 100


@pytest.fixture(scope="module")
def lips() -> DrawnLips:
    return DrawnLips(PosedFace(load_avatar()))


def closures(gaps_mm: np.ndarray, phones: list[TimedPhone]) -> dict[str, float]:
    """The smallest gap, in mm, within 40 ms of each p, b and m."""
    at_s = np.arange(len(gaps_mm)) / FPS
    found = {}
    for phone in phones:
        if phone.name in BILABIALS:
            near = (at_s >= phone.start_s - NEAR_S) & (at_s <= phone.end_s + NEAR_S)
            found[f"{phone.name} at {phone.start_s:.2f} s"] = round(float(gaps_mm[near].min()), 2)
    return found


def open_ones(found: dict[str, float]) -> dict[str, float]:
    return {name: gap for name, gap in found.items() if gap >= SHUT_MM}


@cache
def said(text: str, voice: str) -> tuple[Pcm, list[TimedPhone]]:
    return say(text, voice)


def by_the_model(text: str, voice: str) -> tuple[Iterator[Pose], list[TimedPhone]]:
    """By the shipped int8 model and the director, chunk by chunk as in a conversation."""
    pcm, phones = said(text, voice)
    engine = load_engine(None)
    frames = motion_frames(engine, [pcm[at : at + 320] for at in range(0, len(pcm), 320)], lambda _: None)
    prosody = prosody_frames(pcm, engine.info.lookahead_ms)
    return poses(frames, prosody, engine.info.frame_hz, FPS, seed=1), phones


def by_the_targets(text: str, voice: str) -> tuple[MotionFrames, list[TimedPhone]]:
    """By the rules that generate the model's training labels, for the same phones."""
    _, phones = said(text, voice)
    timed = [(from_arpabet(phone.name), phone.start_s, phone.end_s) for phone in phones]
    count = int(phones[-1].end_s * MOTION_HZ)
    frames = np.zeros((count, 55), dtype=np.float32)
    frames[:, :52] = shapes(articulate(timed, count))
    return frames, phones


def directed(frames: MotionFrames, emotion: str) -> Iterator[Pose]:
    """With an emotion at full strength."""
    director, speech, out = Director(seed=1), new_pose(), np.zeros(CHANNEL_COUNT, np.float32)
    director.set_emotion(emotion, 1.0, 0)
    director.compose(0, "speaking", speech, out)
    after_fade_ns = 3 * 10**9
    for number in range(len(frames) * FPS // MOTION_HZ):
        speech[:55] = frames[min(len(frames) - 1, round(number * MOTION_HZ / FPS))]
        director.compose(after_fade_ns + number * 10**9 // FPS, "speaking", speech, out)
        yield out


def test_the_shipped_model_shuts_the_lips_on_all_but_one_p_b_and_m(lips: DrawnLips) -> None:
    # Version 7 leaves the m of "move" open by 2 mm, version 6 by 1; version 5 left that and the second p of "pepper".
    found: dict[str, float] = {}
    for text in SENTENCES:
        moved, phones = by_the_model(text, "rms")
        gaps_mm = lips.gaps_mm(moved)
        assert gaps_mm.max() > 5  # it speaks
        found |= {f"{text}: {name}": gap for name, gap in closures(gaps_mm, phones).items()}
    assert len(found) >= 12
    assert len(open_ones(found)) <= 1, open_ones(found)


def test_the_shipped_model_shuts_them_on_most_whoever_speaks(lips: DrawnLips) -> None:
    found: dict[str, float] = {}
    for voice in VOICES:
        for text in (*SENTENCES, LONG):
            moved, phones = by_the_model(text, voice)
            found |= {f"{voice}: {text}: {name}": gap for name, gap in closures(lips.gaps_mm(moved), phones).items()}
    assert len(found) > 80
    assert len(open_ones(found)) < 0.3 * len(found), open_ones(found)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_targets_shut_the_lips_on_every_p_b_and_m_in_every_mood(lips: DrawnLips, emotion: str) -> None:
    for text in (*SENTENCES, LONG):
        frames, phones = by_the_targets(text, "slt")
        assert not open_ones(closures(lips.gaps_mm(directed(frames, emotion)), phones)), text


@pytest.mark.parametrize("emotion", ["neutral", "happy"])
def test_lips_never_cross_while_they_speak(lips: DrawnLips, emotion: str) -> None:
    rest_mm = lips.gap_mm(new_pose())
    for text in (*SENTENCES, LONG):
        frames, _ = by_the_targets(text, "slt")
        assert lips.gaps_mm(directed(frames, emotion)).min() > rest_mm - MOST_PRESSED_MM


def test_a_jaw_that_hangs_would_be_noticed(lips: DrawnLips) -> None:
    frames, phones = by_the_targets(SENTENCES[0], "slt")
    frames[:, :52] *= 0.0
    frames[:, CHANNEL_INDEX["jawOpen"]] = 0.2
    assert open_ones(closures(lips.gaps_mm(directed(frames, "neutral")), phones))
