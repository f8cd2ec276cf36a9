"""The store of frames: first in, first out, whatever the chunks, and as large as its frames."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core import wire
from mien.voice.pcm import BLOCK_FRAMES, PcmQueue
from mien.voice.publisher import SpeechPublisher
from mien.voice.turn import Turn
from mien.voice.turn_queue import receive
from rigs.voice_rig import VoiceRig

SIZES = st.one_of(
    st.integers(0, 5),
    st.integers(0, 3 * BLOCK_FRAMES),
    st.sampled_from([BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1]),
)
DOINGS = st.one_of(
    st.tuples(st.just("push"), SIZES),
    st.tuples(st.just("take"), SIZES),
    st.tuples(st.just("put_back"), SIZES),
    st.tuples(st.just("clear"), st.just(0)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(DOINGS, max_size=40))
def test_it_gives_back_what_was_pushed_in_order(doings):
    queue, model, number = PcmQueue(), [], 0
    for doing, size in doings:
        if doing == "push":
            pcm = np.arange(number, number + size).astype(np.int16)
            number += size
            queue.push(pcm)
            model += pcm.tolist()
        elif doing == "clear":
            queue.clear()
            model = []
        else:
            out = np.full(size, -1, np.int16)
            count = queue.take_into(out)
            assert count == min(size, len(model))
            assert out[:count].tolist() == model[:count]
            assert np.all(out[count:] == -1)
            if doing == "put_back":
                half = count // 2
                queue.prepend([out[:half], out[half:count]])
            else:
                model = model[count:]
        assert len(queue) == len(model)
    assert queue.take_all().tolist() == model
    assert len(queue) == 0


def test_large_chunks_are_not_copied_and_small_ones_are_the_callers_again():
    queue = PcmQueue()
    large, small = np.zeros(BLOCK_FRAMES, np.int16), np.zeros(BLOCK_FRAMES - 1, np.int16)
    queue.push(large)
    queue.push(small)
    large[:] = small[:] = 7
    assert queue.take_all().tolist() == [7] * BLOCK_FRAMES + [0] * (BLOCK_FRAMES - 1)


def test_nothing_put_back_is_nothing():
    queue = PcmQueue()
    queue.prepend([])
    queue.prepend([np.zeros(0, np.int16)])
    assert len(queue) == 0
    assert len(queue._blocks) == 0


def grown_bytes(work):
    tracemalloc.start()
    try:
        kept = work()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept is not None
    return grown


def chunks_of(sizes):
    turn = Turn(name="t", owner=b"a", rate_hz=16000, sink_rate_hz=48000, now_ns=0)
    for size in sizes:
        receive(turn, np.frombuffer(bytes(2 * size), np.int16), 0)
    return turn


@pytest.mark.parametrize(
    "sizes",
    [
        [1] * 50_000,
        [20] * 2_500,
        [BLOCK_FRAMES - 1, 1] * 200,
        [BLOCK_FRAMES, 1] * 200,
        [BLOCK_FRAMES - 1, 2, BLOCK_FRAMES] * 100,
    ],
    ids=lambda sizes: str(sizes[:3]),
)
def test_a_turn_takes_memory_by_its_samples_and_not_by_its_chunks(sizes):
    """Twice, for the device and for the face: two bytes a sample, and at most as much again for what holds them."""
    grown = grown_bytes(lambda: chunks_of(sizes)) - grown_bytes(lambda: chunks_of([]))
    assert grown <= 2 * 2 * sum(sizes) * 2


def test_a_flood_of_single_samples_into_a_paused_turn_stays_small():
    rig = VoiceRig()
    rig.hello()
    rig.say(wire.Pause())

    def flood():
        for seq in range(5_000):
            rig.audio("t", seq, np.zeros(1, np.int16))
        return rig

    rig.handler.limits.take = lambda *_: True
    assert grown_bytes(flood) <= 150_000
    assert rig.errors() == []


def test_speech_that_is_remembered_for_a_held_turn_is_bounded_by_its_samples():
    turn = chunks_of([16000])
    publisher = SpeechPublisher(None, 1000)
    publisher._block = np.zeros(4, np.int16)

    def publish():
        for _ in range(4000):
            publisher._take(turn)
        return turn

    assert grown_bytes(publish) <= 100_000
    turn.hold()
    assert turn.feed.published_frames == 0
    assert len(turn.speech) == 16000
