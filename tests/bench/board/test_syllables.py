"""The test speech: the same on every board, and the mouth moves to it."""

import numpy as np

from mien.bench.board.syllables import RATE_HZ, syllables
from mien.bench.offsets import VISIBLE_CHANGE, lip_gap
from mien.core.pose import SPEECH_INDICES
from mien.face.offline import motion_frames
from mien.motion.load import load_engine


def test_it_is_the_same_every_time_and_differs_by_seed() -> None:
    assert np.array_equal(syllables(1.2, 3), syllables(1.2, 3))
    assert not np.array_equal(syllables(1.2, 3), syllables(1.2, 4))


def test_it_begins_at_once_and_has_closures() -> None:
    speech = syllables(2.4, 1)
    assert abs(len(speech) / RATE_HZ - 2.4) < 0.2
    blocks = np.abs(speech[: len(speech) // 320 * 320].reshape(-1, 320)).max(axis=1)
    assert blocks[0] > blocks.max() / 10
    assert (blocks < blocks.max() / 10).sum() >= 5


def test_the_mouth_moves_soon_and_closes_in_between() -> None:
    engine = load_engine(None)
    for seed in range(4):
        engine.reset()
        frames = motion_frames(engine, [syllables(2.2, seed)], lambda _: None)
        mouth = frames[:, [index for index in SPEECH_INDICES if index < frames.shape[1]]]
        moved = np.abs(mouth - mouth[0]).max(axis=1) > VISIBLE_CHANGE
        assert 0 < moved.argmax() < 0.25 * engine.info.frame_hz
        gap = lip_gap(frames)
        assert gap.max() > 0.3
        assert gap.min() < 0.1
