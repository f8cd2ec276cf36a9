"""The store between a client's rate and another: what comes out, and how much work a step of it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.audio.resample import Resampler
from mien.core.wire import RATES_HZ
from mien.voice.pcm import ResampledQueue

SLICE_MS = 20  # the usual chunk of a TTS engine


def noise(frames, seed=1):
    return np.random.default_rng(seed).integers(-32768, 32767, frames, dtype=np.int16, endpoint=True)


def at_once(pcm, from_hz, to_hz):
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(pcm), resampler.flush()])


def take(queue, frames):
    out = np.zeros(frames, np.int16)
    return out[: queue.take_into(out)]


@settings(max_examples=150, deadline=None)
@given(
    from_hz=st.sampled_from(RATES_HZ),
    to_hz=st.sampled_from((48000, 44100, 16000)),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=20),
)
def test_whatever_is_pushed_and_taken_when_the_frames_are_those_of_one_go(from_hz, to_hz, steps):
    queue, pushed, taken = ResampledQueue(from_hz, to_hz), [np.zeros(0, np.int16)], []
    eager, worked_out = Resampler(from_hz, to_hz), 0
    for push, frames in steps:
        if push:
            pushed.append(noise(frames, seed=len(pushed)))
            queue.push(pushed[-1])
            worked_out += len(eager.push(pushed[-1]))
        else:
            there = len(queue)
            taken.append(take(queue, frames))
            assert len(taken[-1]) == min(frames, there)
        assert queue.total == worked_out
        assert len(queue) == worked_out - sum(map(len, taken))
    queue.end()
    whole = at_once(np.concatenate(pushed), from_hz, to_hz)
    assert queue.total == len(whole)
    taken.append(take(queue, len(queue) + 1))
    assert np.array_equal(np.concatenate(taken), whole)
    assert len(queue) == 0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(16000, 48000), (48000, 16000), (16000, 16000)])
def test_taking_resamples_no_more_than_is_taken_and_a_slice(monkeypatch, from_hz, to_hz):
    worked = []
    push = Resampler.push
    monkeypatch.setattr(Resampler, "push", lambda self, pcm: worked.append(len(pcm)) or push(self, pcm))
    queue = ResampledQueue(from_hz, to_hz)
    queue.push(noise(10 * from_hz))
    assert worked == []
    for _ in range(20):
        worked.clear()
        assert len(take(queue, to_hz // 200)) == to_hz // 200
        assert sum(worked) * 1000 / from_hz <= 5 + SLICE_MS
    assert len(queue) > 9 * to_hz


def test_single_samples_are_gathered_into_slices(monkeypatch):
    """A client may send a sample a message; a product of matrices for each would hold the loop up."""
    worked = []
    push = Resampler.push
    monkeypatch.setattr(Resampler, "push", lambda self, pcm: worked.append(len(pcm)) or push(self, pcm))
    queue, pcm = ResampledQueue(16000, 48000), noise(1600)
    for sample in np.split(pcm, len(pcm)):
        queue.push(sample)
    queue.end()
    taken = take(queue, 10**4)
    assert worked == [16 * SLICE_MS] * 5
    assert np.array_equal(taken, at_once(pcm, 16000, 48000))


def test_what_was_taken_can_be_put_back():
    queue, pcm = ResampledQueue(24000, 16000), noise(2400)
    queue.push(pcm)
    queue.end()
    before = len(queue)
    chunks = [take(queue, 320), take(queue, 100)]
    queue.prepend(chunks)
    assert (len(queue), queue.total) == (before, before)
    assert np.array_equal(take(queue, 10**4), at_once(pcm, 24000, 16000))


@pytest.mark.parametrize("ended", [False, True])
def test_nothing_is_left_of_what_was_cleared(ended):
    queue = ResampledQueue(16000, 48000)
    queue.push(noise(16000))
    take(queue, 500)
    if ended:
        queue.end()
    queue.clear()
    queue.end()
    assert len(queue) == 0
    assert len(take(queue, 100)) == 0
    queue.prepend([noise(7)])
    assert np.array_equal(take(queue, 100), noise(7))
