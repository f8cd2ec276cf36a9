"""Volume and joins: what each sample becomes, whatever blocks it comes in."""

import numpy as np
import pytest

from mien.voice.mixer import Mixer

FADE = 8


def mixed(blocks, mixer, **how):
    done = []
    for block in blocks:
        pcm = np.array(block, dtype=np.int16)
        mixer.speech(pcm, **({"joins": False} | how))
        done.append(pcm)
    return np.concatenate(done)


@pytest.mark.parametrize("cut", [100, 1, 7, 33])
def test_volume_goes_straight_to_its_mark_in_so_many_frames_and_stays(cut):
    mixer = Mixer(FADE, 1000)
    mixer.set_volume(0.25, 50)
    heard = mixed(np.split(np.full(100, 10_000), range(cut, 100, cut)), mixer)
    wanted = 10_000 * np.concatenate([1 - 0.75 * np.arange(1, 51) / 50, np.full(50, 0.25)])
    np.testing.assert_allclose(heard, wanted, atol=2)
    mixer.set_volume(1.0, 10)
    heard = mixed([np.full(20, 10_000)], mixer)
    np.testing.assert_allclose(heard[:10], 10_000 * (0.25 + 0.075 * np.arange(1, 11)), atol=2)
    assert (heard[10:] == 10_000).all()


def test_at_once_is_with_the_next_sample_and_no_volume_is_silence():
    mixer = Mixer(FADE, 100)
    mixer.set_volume(0.0, 0)
    assert not mixed([np.full(5, 9000)], mixer).any()
    mixer.set_volume(0.5, 0)
    assert (mixed([np.full(5, 9000)], mixer) == 4500).all()
    assert (mixed([np.full(5, 9000)], mixer) == 4500).all()


def test_a_new_mark_is_gone_to_from_where_the_volume_is():
    mixer = Mixer(FADE, 100)
    mixer.set_volume(0.0, 10)
    mixed([np.full(5, 10_000)], mixer)
    mixer.set_volume(1.0, 5)
    np.testing.assert_allclose(mixed([np.full(6, 10_000)], mixer), [6000, 7000, 8000, 9000, 10_000, 10_000], atol=2)


def test_at_full_volume_no_sample_is_touched():
    loud = np.array([32767, -32768, 1, 0, -1], np.int16)
    np.testing.assert_array_equal(mixed([loud], Mixer(FADE, 100)), loud)
    assert len(mixed([[]], Mixer(FADE, 100))) == 0


@pytest.mark.parametrize("cuts", [[20], [3, 17], [1] * 20])
def test_speech_that_stops_decays_from_its_last_sample_once(cuts):
    mixer = Mixer(FADE, 100)
    assert mixer.fade_frames == FADE
    mixed([[500, 8000]], mixer)
    blocks = [np.full(count, 77, np.int16) for count in cuts]
    for block in blocks:
        mixer.filler(block)
    tail = np.concatenate(blocks)
    assert 7600 < tail[0] < 8000
    assert (np.diff(tail[:FADE]) < 0).all()
    assert 0 <= tail[FADE - 1] < 400
    assert not tail[FADE:].any()


def test_filler_before_any_speech_is_silent_and_so_is_what_follows_a_tail():
    mixer, block = Mixer(FADE, 100), np.full(20, 77, np.int16)
    mixer.filler(block)
    assert not block.any()
    mixed([[-6000]], mixer)
    first, second = np.full(20, 77, np.int16), np.full(20, 77, np.int16)
    mixer.filler(first)
    mixer.filler(second)
    assert first[0] < -5500
    assert not second.any()


def test_the_tail_has_the_volume_that_the_speech_had():
    mixer, block = Mixer(FADE, 100), np.full(20, 77, np.int16)
    mixer.set_volume(0.5, 0)
    mixed([[8000]], mixer)
    mixer.filler(block)
    assert 3700 < block[0] < 4000


def test_speech_that_goes_on_after_filler_comes_up_and_keeps_its_length():
    joined = mixed([np.full(20, 8000)], Mixer(FADE, 100), joins=True)
    assert joined[0] < 400
    assert (np.diff(joined[:FADE]) > 0).all()
    assert (joined[FADE:] == 8000).all()
    short = mixed([np.full(3, 8000)], Mixer(FADE, 100), joins=True)
    assert len(short) == 3
    assert short[0] < short[1] < short[2] <= 8000


def test_an_interrupt_brings_a_whole_block_down():
    block = np.full(40, 8000, np.int16)
    Mixer(FADE, 100).fade_out(block)
    assert block[0] > 7900
    assert block[-1] < 100
    assert (np.diff(block) <= 0).all()
