"""The states of a few words as arrays: a left-to-right hidden Markov model for forced alignment.

Each word has an optional pause before it, two states for each phone, and one state for whatever else is said in its
place (`other`). Any state of a word leads to its `other` with a small probability, and from there speech goes on with
the next word. So the text may differ from what is said: abbreviations, numbers, words that are left out or added.
Phones may be skipped. Likelihoods: Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.motion.guidance import SOFT, AlignedWord
from mien.motion.phone_classes import INDEX, SILENCE

OTHER: Final = SOFT + 1  # the pseudo-class of speech that the text does not explain
KINDS: Final = OTHER + 1
FRAME_HZ: Final = 100

# Columns of `Chain.views`: the probability that the state is one of these.
IS_OTHER, IS_SILENT, IS_SHUT, NEAR_SHUT, IS_BITTEN = range(5)
VIEWS: Final = 5

STAY: Final = 0.6  # of half a phone from frame to frame
SKIP: Final = 0.05
PAUSE: Final = 0.15
PAUSE_STAYS: Final = 0.92
LEAVE: Final = 0.03  # from `other` into the next word
ADVANCE: Final = 0.04  # from `other` to that of the next word
ENTER: Final = 3e-4  # from any state of a word to its `other`
EARLY_S: Final = 0.15  # how far given times may be wrong
LATE_S: Final = 0.25

_PREDECESSORS: Final = 4
_SHUT: Final = (INDEX["p b"], INDEX["m"])
_MAY_SHUT: Final = (*_SHUT, SOFT)

Floats = NDArray[np.float32]


class Chain:
    """The chain of some words. All arrays have one entry a state, those of transitions four.

    kinds: the class of a state. sources, weights: where a state is entered from, and with which probability. views:
    float32 (states, VIEWS). word_starts: the first state of each word, then that of the pause after the last. others:
    each word's `other`, after the one that precedes all words. earliest, latest: in frames, where times are given.
    """

    def __init__(self, words: Sequence[AlignedWord]) -> None:
        self._kinds: list[int] = []
        self._sources: list[list[tuple[int, float]]] = []
        self._windows: list[tuple[float, float]] = []
        self.timed = any(word.times for word in words)
        other = self._add(OTHER, [(0, 1 - LEAVE)])
        self.word_starts: list[int] = []
        self.others = [other]
        end: int | None = None
        for word in words:
            self.word_starts.append(len(self._kinds))
            end = self._word(word, end, other)
            other = self._add(OTHER, [(len(self._kinds), 1 - LEAVE - ADVANCE), (other, ADVANCE)])
            self.others.append(other)
        self.word_starts.append(len(self._kinds))
        last = [(end, 1 - STAY)] if end is not None else []
        self._add(SILENCE, [(len(self._kinds), 1.0), *last, (other, 0.3 * LEAVE)])
        self.count = len(self._kinds)
        self.kinds = np.array(self._kinds, dtype=np.intp)
        self.sources, self.weights = self._transitions()
        self.views = self._views()
        self.into_other = np.array(self.others[1:], dtype=np.intp)
        self.segments = np.array(self.word_starts[:-1], dtype=np.intp)
        windows = np.array(self._windows, dtype=np.float32)
        self.earliest, self.latest = windows[:, 0].copy(), windows[:, 1].copy()

    def start(self) -> Floats:
        """The probabilities before the first frame, float32 (states + 1,): the last one is always 0."""
        probability = np.zeros(self.count + 1, dtype=np.float32)
        probability[:2] = 0.1, 0.9
        return probability

    def anywhere(self) -> Floats:
        """The probabilities when speech has been going on for an unknown part of the text."""
        probability = np.zeros(self.count + 1, dtype=np.float32)
        probability[self.others] = 1 / len(self.others)
        return probability

    def _add(self, kind: int, sources: list[tuple[int, float]], window: tuple[float, float] | None = None) -> int:
        self._kinds.append(kind)
        self._sources.append(sources)
        self._windows.append(window or (-np.inf, np.inf))
        return len(self._kinds) - 1

    def _word(self, word: AlignedWord, before: int | None, other: int) -> int:
        """Add the states of a word. before: the last state of the word before. Returns the last state."""
        pause = len(self._kinds)
        into = [(before, PAUSE * (1 - STAY))] if before is not None else []
        self._add(SILENCE, [(pause, PAUSE_STAYS), (other, 0.3 * LEAVE), *into])
        ends = [pause]
        for number, kind in enumerate(word.classes):
            own = len(self._kinds)
            window = _window(word, number)
            if number == 0:
                entry = [(pause, 1 - PAUSE_STAYS), (other, 0.7 * LEAVE)]
                entry += [(before, (1 - PAUSE) * (1 - STAY))] if before is not None else []
            elif number == 1:
                entry = [(ends[-1], (1 - STAY) * (1 - SKIP)), (pause, (1 - PAUSE_STAYS) * SKIP)]
            else:
                entry = [(ends[-1], (1 - STAY) * (1 - SKIP)), (ends[-2], (1 - STAY) * SKIP)]
            self._add(kind, [(own, STAY), *entry], window)
            ends.append(self._add(kind, [(own + 1, STAY), (own, 1 - STAY)], window))
        return ends[-1]

    def _transitions(self) -> tuple[NDArray[np.intp], Floats]:
        sources = np.full((_PREDECESSORS, self.count), self.count, dtype=np.intp)
        weights = np.zeros((_PREDECESSORS, self.count), dtype=np.float32)
        for state, found in enumerate(self._sources):
            for row, (source, weight) in enumerate(found):
                sources[row, state], weights[row, state] = source, weight
        return sources, weights

    def _views(self) -> Floats:
        views = np.zeros((self.count, VIEWS), dtype=np.float32)
        views[:, IS_OTHER] = self.kinds == OTHER
        views[:, IS_SILENT] = self.kinds == SILENCE
        views[:, IS_SHUT] = np.isin(self.kinds, _SHUT)
        views[:, IS_BITTEN] = self.kinds == INDEX["f v"]
        # Half of a neighbour is about 40 ms: a closure may begin or end in it.
        spoken = np.flatnonzero((self.kinds != OTHER) & (self.kinds != SILENCE))
        shut = np.isin(self.kinds[spoken], _MAY_SHUT)
        near = shut.copy()
        near[:-1] |= shut[1:]
        near[1:] |= shut[:-1]
        views[spoken, NEAR_SHUT] = near
        return views


def _window(word: AlignedWord, number: int) -> tuple[float, float] | None:
    if not word.times:
        return None
    start_s, end_s = word.times[number]
    return (start_s - EARLY_S) * FRAME_HZ, (end_s + LATE_S) * FRAME_HZ
