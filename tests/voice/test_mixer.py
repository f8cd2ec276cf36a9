"""Volume and joins, sample by sample."""

import numpy as np
import pytest

from mien.voice.mixer import Mixer

FADE = 80


def ones(frames, level=10_000):
    return np.full(frames, level, np.int16)


def spoken(mixer, frames, *, joins=False):
    pcm = ones(frames)
    mixer.speech(pcm, joins=joins)
    return pcm


def filled(mixer, frames):
    pcm = ones(frames, 77)
    mixer.filler(pcm)
    return pcm


def test_speech_at_full_volume_is_left_as_it_is():
    assert np.array_equal(spoken(Mixer(FADE, 48000), 100), ones(100))


def test_a_volume_is_reached_in_as_many_frames_as_asked_for_and_kept():
    mixer = Mixer(FADE, 48000)
    mixer.set_volume(0.5, 100)
    pcm = np.concatenate([spoken(mixer, 30), spoken(mixer, 30), spoken(mixer, 80)]).astype(int)
    wanted = 10_000 * (1 - 0.005 * np.arange(1, 101))
    assert pcm[:100] == pytest.approx(wanted, abs=1.5)
    assert np.all(pcm[100:] == 5000)


def test_a_volume_goes_up_too_and_may_turn_around_on_the_way():
    mixer = Mixer(FADE, 48000)
    mixer.set_volume(0.0, 100)
    assert spoken(mixer, 50)[-1] == pytest.approx(5000, abs=2)
    mixer.set_volume(1.0, 50)
    pcm = spoken(mixer, 60)
    assert pcm[0] == pytest.approx(5100, abs=2)
    assert np.all(np.diff(pcm.astype(int)) >= 0)
    assert pcm[-1] == 10_000
    assert np.array_equal(spoken(mixer, 5), ones(5))


@pytest.mark.parametrize("gain", [0.0, 0.25, 1.0])
def test_a_volume_without_a_fade_is_there_with_the_first_frame(gain):
    mixer = Mixer(FADE, 48000)
    mixer.set_volume(0.5, 0)
    assert np.all(spoken(mixer, 3) == 5000)
    mixer.set_volume(gain, 0)
    assert np.all(spoken(mixer, 3) == 10_000 * gain)


def test_the_volume_that_is_set_already_may_be_set_again():
    mixer = Mixer(FADE, 48000)
    mixer.set_volume(0.5, 0)
    spoken(mixer, 3)
    mixer.set_volume(0.5, 100)
    assert np.all(spoken(mixer, 200) == 5000)


def test_silence_decays_from_where_the_speech_stopped_once():
    mixer = Mixer(FADE, 48000)
    spoken(mixer, 10)
    pcm = np.concatenate([filled(mixer, 30), filled(mixer, 30), filled(mixer, 60)]).astype(int)
    assert pcm[0] == pytest.approx(10_000, abs=10)
    assert pcm[FADE // 2] == pytest.approx(5000, abs=120)
    assert np.all(np.diff(pcm[:FADE]) <= 0)
    assert np.all(np.abs(np.diff(pcm)) <= 10_000 * np.pi / 2 / FADE + 2)
    assert np.all(pcm[FADE:] == 0)
    assert np.all(filled(mixer, 20) == 0)


def test_before_the_first_speech_there_is_silence():
    assert np.all(filled(Mixer(FADE, 48000), 200) == 0)


def test_speech_that_goes_on_after_silence_comes_up_and_speech_that_goes_on_after_speech_does_not():
    mixer = Mixer(FADE, 48000)
    up = spoken(mixer, 200, joins=True).astype(int)
    assert up[0] < 20
    assert up[FADE // 2] == pytest.approx(5000, abs=120)
    assert np.all(np.diff(up[:FADE]) >= 0)
    assert np.all(up[FADE:] == 10_000)


@pytest.mark.parametrize("block", [1, 2, 7, FADE - 1, FADE])
def test_a_join_takes_its_time_however_short_the_blocks_are(block):
    """A first block of two frames had the whole rise in it: a click (found by make chaos, seed 21)."""
    whole = spoken(Mixer(FADE, 48000), 200, joins=True)
    mixer = Mixer(FADE, 48000)
    parts = [spoken(mixer, block, joins=at == 0) for at in range(0, 200 - block, block)]
    assert np.array_equal(np.concatenate(parts), whole[: len(parts) * block])


def test_a_rise_that_filler_cut_short_does_not_go_on_in_what_follows():
    mixer = Mixer(FADE, 48000)
    spoken(mixer, 10, joins=True)
    filled(mixer, 200)
    assert np.array_equal(spoken(mixer, 20), ones(20))


def test_a_faded_block_ends_in_silence_and_the_fade_is_as_long_as_was_said():
    mixer = Mixer(FADE, 48000)
    pcm = ones(50)
    mixer.fade_out(pcm)
    assert pcm[0] > 9_900
    assert abs(int(pcm[-1])) < 20
    assert mixer.fade_frames == FADE


def test_nothing_is_nothing():
    mixer = Mixer(FADE, 48000)
    mixer.set_volume(0.5, 10)
    assert len(spoken(mixer, 0)) == 0
    assert len(filled(mixer, 0)) == 0
    assert spoken(mixer, 10)[-1] == 5000


def test_ducking_multiplies_with_the_volume_and_has_a_fade_of_its_own():
    mixer = Mixer(FADE, 48000)
    mixer.set_volume(0.5, 0)
    mixer.duck(0.2, 100)
    pcm = np.concatenate([spoken(mixer, 30), spoken(mixer, 100)]).astype(int)
    assert pcm[:100] == pytest.approx(5000 * (1 - 0.008 * np.arange(1, 101)), abs=2.5)
    assert np.all(np.abs(pcm[100:] - 1000) <= 1)
    mixer.set_volume(1.0, 0)
    assert np.all(np.abs(spoken(mixer, 50)[1:].astype(int) - 2000) <= 1)
    mixer.duck(1.0, 0)
    assert np.array_equal(spoken(mixer, 50), ones(50))


def test_after_ducking_speech_is_left_as_it_is():
    mixer = Mixer(FADE, 48000)
    mixer.duck(0.1, 10)
    spoken(mixer, 7)
    mixer.duck(1.0, 10)
    spoken(mixer, 10)
    assert np.array_equal(spoken(mixer, 100), ones(100))


def test_what_was_prepared_last_is_remembered():
    mixer = Mixer(FADE, 48000)
    assert not mixer.after_filler
    filled(mixer, 10)
    assert mixer.after_filler
    spoken(mixer, 10)
    assert not mixer.after_filler
