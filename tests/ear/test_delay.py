"""The delay finder: lags on either side, a loopback, what it must not take for one."""

import numpy as np
import pytest

from ear.ear_signals import babble, hiss, pcm, room, through
from mien.ear.delay import DelayFinder


def found(near, far):
    finder = DelayFinder()
    for at in range(0, len(far) - 319, 320):
        finder.block(pcm(near[at : at + 320]), pcm(far[at : at + 320]))
    return finder


@pytest.mark.parametrize("lag", [-1500, -40, 0, 128, 2600])
def test_a_lag_on_either_side_is_found(lag):
    far = babble(4, seed=5) * 0.5
    near = np.roll(through(far, room(travel=0)), lag) * 0.3 + hiss(4, -60)
    assert found(near, far).lag == pytest.approx(lag, abs=2)


def test_unrelated_speech_has_no_lag():
    assert found(babble(4, pitch_hz=180, seed=9) * 0.3, babble(4, seed=5) * 0.5).lag is None


def test_a_silent_far_end_says_nothing():
    assert found(babble(3) * 0.3, np.zeros(48000)).lag is None


@pytest.mark.parametrize("lag", [0, 333, 1200])
def test_the_speakers_own_loopback_is_recognised(lag):
    far = babble(6, seed=6) * 0.5
    assert found(np.roll(far, lag) * 0.7, far).loopback


def test_a_microphone_in_a_room_is_no_loopback():
    far = babble(6, seed=6) * 0.5
    assert not found(through(far, room(rt60_s=0.15)), far).loopback
    assert not found(through(far, room(rt60_s=0.15)) + hiss(6, -40), far).loopback


def test_a_pause_of_the_kiosk_within_what_is_compared_is_no_copy():
    far = babble(4, seed=6) * 0.5
    far[19_800:29_000] = 0.0  # all of the third look's middle
    assert not found(np.roll(far, 128) * 0.3, far).loopback
