"""Framing, with a step that only copies: the number of frames that are due."""

import numpy as np
import pytest

from mien.motion.framing import StepStream

HOP = 4


def copying(delay_frames: int) -> StepStream:
    """Two frames per step, each the first sample of its hop."""

    def step(pcm: np.ndarray, out: np.ndarray) -> None:
        out[:, 0] = pcm[::HOP]

    return StepStream(step, step_samples=2 * HOP, frames_per_step=2, delay_frames=delay_frames, width=1)


def test_without_delay_the_frames_are_the_hops() -> None:
    stream, pcm = copying(0), np.arange(1, 25, dtype=np.int16)
    np.testing.assert_array_equal(stream.push(pcm)[:, 0], pcm[::HOP])
    assert len(stream.flush()) == 0


@pytest.mark.parametrize("samples", range(1, 20))
@pytest.mark.parametrize("delay_frames", [0, 1, 3])
def test_flush_returns_all_frames_due(samples: int, delay_frames: int) -> None:
    stream = copying(delay_frames)
    pushed = len(stream.push(np.ones(samples, dtype=np.int16)))
    assert pushed + len(stream.flush()) == -(-samples // HOP)


def test_a_long_push_is_not_cut_short() -> None:
    pcm = np.arange(8000, dtype=np.int16)
    np.testing.assert_array_equal(copying(0).push(pcm)[:, 0], pcm[::HOP])


def test_reset_drops_what_was_pending() -> None:
    stream = copying(0)
    stream.push(np.full(5, 9, dtype=np.int16))
    stream.reset()
    np.testing.assert_array_equal(stream.push(np.full(8, 3, dtype=np.int16))[:, 0], [3, 3])


def test_after_a_reset_the_delay_is_as_at_first() -> None:
    stream, pcm = copying(3), np.arange(64, dtype=np.int16)
    first = stream.push(pcm).copy()
    np.testing.assert_array_equal(first[:, 0], pcm[::HOP][3:])
    stream.reset()
    np.testing.assert_array_equal(stream.push(pcm), first)
