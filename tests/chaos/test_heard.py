"""The oracle of the sound, on recordings with faults that were put in."""

import numpy as np
import pytest

from chaos.heard import Heard
from mien.bench.coded import PRIME, RATE_HZ, samples

FADE = 16
NS_PER_S = 1_000_000_000


class Rig:
    """A recording that is handed over in pieces."""

    def __init__(self, cuts=997):
        self.wrong = []
        self.heard = Heard(FADE, lambda *what: self.wrong.append(what))
        self.cuts = cuts

    def turn(self, number, sent=100_000):
        self.heard.begin(number, f"bot-{number}")
        self.heard.sent(number, sent)

    def play(self, *parts):
        sound = np.concatenate([np.asarray(part, np.int16) for part in parts])
        for at in range(0, len(sound), self.cuts):
            self.heard.take(sound[at : at + self.cuts])
        self.heard.take(np.zeros(100, np.int16))

    @property
    def kinds(self):
        """Each kind once: a fault that lies in several pieces is told of each."""
        return list(dict.fromkeys(f"{oracle} {about}" for oracle, about, _ in self.wrong))


def silence(count):
    return np.zeros(count, np.int16)


def faded_in(pcm):
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)
    pcm = pcm.copy()
    pcm[:FADE] = (pcm[:FADE] * ramp).astype(np.int16)
    return pcm


@pytest.mark.parametrize("cuts", [1, 7, 64, 997, 16000])
def test_a_whole_turn_in_pieces_of_any_size_is_whole(cuts):
    rig = Rig(cuts)
    rig.turn(1)
    rig.play(silence(300), samples(1, 0, 3000), silence(200))
    assert rig.wrong == []
    assert rig.heard.heard_ms(1) == 3000 * 1000 / RATE_HZ


def test_a_turn_longer_than_the_code_is_counted_on():
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 2 * PRIME + 500))
    assert rig.wrong == []
    assert rig.heard.heard_ms(1) == (2 * PRIME + 500) * 1000 / RATE_HZ


def test_a_join_that_fades_in_is_no_loss():
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 1000), silence(500), faded_in(samples(1, 1000, 1000)))
    assert rig.wrong == []
    assert rig.heard.heard_ms(1) == 2000 * 1000 / RATE_HZ


@pytest.mark.parametrize("hole", [1, 5, FADE, 17, 400])
def test_a_hole_is_noticed(hole):
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 1000), samples(1, 1000 + hole, 1000))
    assert rig.kinds == ["sound lost"]


@pytest.mark.parametrize("hole", [1, 5, 400])
def test_a_hole_at_a_join_is_noticed(hole):
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 1000), silence(300), faded_in(samples(1, 1000 + hole, 1000)))
    assert rig.kinds == ["sound lost"]


def test_a_beginning_that_is_missing_is_noticed():
    rig = Rig()
    rig.turn(1)
    rig.play(silence(100), samples(1, 160, 1000))
    assert rig.kinds == ["sound lost"]


@pytest.mark.parametrize("again", [1, 100, 900])
def test_samples_that_come_twice_are_noticed(again):
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 1000), samples(1, 1000 - again, 500))
    assert rig.kinds == ["sound repeated"]


def test_sound_of_a_turn_that_nobody_sent_is_noticed():
    rig = Rig()
    rig.play(samples(9, 0, 500))
    assert rig.kinds == ["sound strange"]


def test_sound_after_a_turns_end_is_noticed():
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 500))
    rig.heard.close(1)
    rig.play(samples(1, 500, 500))
    assert rig.kinds == ["sound strange"]


def test_more_than_was_sent_is_noticed():
    rig = Rig()
    rig.turn(1, sent=400)
    rig.play(samples(1, 0, 500))
    assert rig.kinds == ["sound invented"]


def test_a_turn_that_comes_again_behind_another_is_noticed():
    rig = Rig()
    rig.turn(1)
    rig.turn(2)
    rig.play(samples(1, 0, 500), samples(2, 0, 500), samples(1, 500, 500))
    assert rig.kinds == ["sound order"]


def test_hostile_constants_between_are_nobodys_business():
    rig = Rig()
    rig.turn(1)
    rig.play(np.full(400, 100), samples(1, 0, 500), np.full(400, 100))
    assert rig.wrong == []


@pytest.mark.parametrize(("received_s", "wrong"), [(2.5, []), (2.11, []), (2.05, ["played_ms early"])])
def test_a_claim_may_not_come_before_the_sound(received_s, wrong):
    rig = Rig()
    rig.heard.restart(opened_ns=1 * NS_PER_S)
    rig.turn(1)
    rig.heard.claim(1, played_ms=1120.0, received_ns=int(received_s * NS_PER_S))  # heard at 2.12 s of the clock
    rig.play(samples(1, 0, 2 * RATE_HZ))
    assert rig.kinds == wrong


def test_a_killed_voice_leaves_nothing_to_compare():
    rig = Rig()
    rig.turn(1)
    rig.play(samples(1, 0, 500))
    rig.heard.forget()
    rig.heard.restart(0)
    rig.turn(2)
    rig.play(samples(2, 0, 500))
    assert rig.wrong == []
    assert rig.heard.heard_ms(1) is None
