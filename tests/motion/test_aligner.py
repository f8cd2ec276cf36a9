"""Alignment of words to likelihoods that a test makes up."""

import numpy as np
import pytest

from mien.motion.aligner import WINDOW, Aligner
from mien.motion.guidance import MOST_WORDS, AlignedWord
from mien.motion.phone_chain import IS_OTHER, IS_SHUT, NEAR_SHUT
from mien.motion.phone_classes import INDEX, NAMES, SILENCE

A, M, T, S = (INDEX[name] for name in ("a", "m", "t d", "s z"))
FRAMES = 8  # of a phone
MAMA, TASA = AlignedWord((M, A, M, A)), AlignedWord((T, A, S, A))


class Heard:
    """An aligner that hears clear phones."""

    def __init__(self, *words: AlignedWord) -> None:
        self.aligner, self.frame = Aligner(), 0
        self.aligner.add(words)

    def hear(self, *kinds: int, frames: int = FRAMES) -> np.ndarray:
        """The views after each frame of these phones."""
        views = []
        for kind in np.repeat(kinds, frames):
            likelihoods = np.full(len(NAMES), 0.3, np.float32)
            likelihoods[kind] = 1.0
            self.aligner.step(likelihoods, self.frame)
            self.frame += 1
            views.append(self.aligner.views.copy())
        return np.array(views)


def test_closures_are_where_the_text_and_the_sound_have_them() -> None:
    views = Heard(MAMA).hear(M, A, M, A)
    middles = views[FRAMES // 2 :: FRAMES, IS_SHUT]
    assert (middles > 0.5).tolist() == [True, False, True, False]
    assert views[:, IS_OTHER].max() < 0.3


def test_a_doubtful_sound_is_decided_by_the_text() -> None:
    heard = Heard(AlignedWord((A, M, A)))
    heard.hear(A)
    likelihoods = np.full(len(NAMES), 0.3, np.float32)
    likelihoods[[M, INDEX["n"]]] = 0.9, 1.0  # rather n, says the sound
    for _ in range(FRAMES):
        heard.aligner.step(likelihoods, heard.frame)
        heard.frame += 1
    assert heard.aligner.views[IS_SHUT] > 0.7


def test_another_text_is_recognised_within_a_few_phones() -> None:
    views = Heard(*[MAMA] * 5).hear(T, S, T, S, T, S, T, S)
    assert views[-1, IS_OTHER] > 0.8
    assert views[2 * FRAMES :, IS_OTHER].min() > 0.5


def test_what_follows_words_that_were_not_said_is_found_again() -> None:
    heard = Heard(TASA, AlignedWord((INDEX["f v"],) * 3), MAMA, TASA, TASA)
    heard.hear(T, A, S, A)
    views = heard.hear(SILENCE, M, A, M, A, T, A, S, A)
    assert views[-1, IS_OTHER] < 0.2


def test_long_texts_are_followed_in_a_bounded_window() -> None:
    words = [MAMA, TASA] * 60
    heard = Heard(*words)
    for _ in range(55):
        heard.hear(M, A, M, A, T, A, S, A)
    assert abs(heard.aligner.position - 110) <= 1
    assert heard.aligner.views[IS_OTHER] < 0.2
    assert len(heard.aligner._now) < WINDOW * 12


def test_text_in_pieces_is_one_text() -> None:
    whole, pieces = Heard(MAMA, TASA, MAMA), Heard(MAMA)
    for heard in (whole, pieces):
        heard.hear(M, A)
    pieces.aligner.add([TASA])
    pieces.aligner.add([MAMA])
    for heard in (whole, pieces):
        heard.hear(M, A, T, A, S, A, M)
    assert pieces.aligner.views[IS_SHUT] > 0.5
    assert pieces.aligner.views == pytest.approx(whole.aligner.views, abs=0.05)


def test_times_decide_between_words_that_sound_the_same() -> None:
    timed = AlignedWord((A, M, A), ((1.0, 1.3),) * 3)
    heard = Heard(timed)
    views = heard.hear(A, M, A)
    assert views[:, IS_SHUT].max() < 0.1  # a second too early
    assert views[:, NEAR_SHUT].max() < 0.5


def test_ten_thousand_words_are_cut_and_counted() -> None:
    aligner = Aligner()
    aligner.add([MAMA] * 10_000)
    assert aligner.dropped == 10_000 - MOST_WORDS
    aligner.reset()
    assert not aligner.active


def test_sound_that_nothing_explains_stays_finite() -> None:
    heard = Heard(MAMA)
    for frame in range(2000):
        heard.aligner.step(np.full(len(NAMES), 1e-6, np.float32), frame)
    assert np.isfinite(heard.aligner.views).all()
    assert 0 <= heard.aligner.views.min() <= heard.aligner.views.max() <= 1.001
