"""Streaming alignment of a turn's text to its sound: an exact forward filter over a window of the text.

The memory is bounded: a window of words, and at most MOST_WORDS words of text.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.motion.guidance import MOST_WORDS, SOFT, AlignedWord
from mien.motion.phone_chain import ENTER, OTHER, VIEWS, Chain
from mien.motion.phone_classes import INDEX

WINDOW: Final = 20  # words
_BEHIND: Final = 4  # words kept before the one that is spoken
_MOVE_AT: Final = 10  # the word of the window at which it moves on
_LOOK_EVERY: Final = 16  # frames
_OTHER_LIKELIHOOD: Final = 0.5  # of `other`, relative to the likeliest class
_OUTSIDE: Final = 1e-4  # the factor outside given times
_SOFT_AS: Final = np.array([INDEX["p b"], INDEX["f v"], INDEX["w"]])
# A window in which no state explains the sound would underflow.
_LEAST: Final = 1e-30

Floats = NDArray[np.float32]


class Aligner:
    """Follows one turn. views: what the last frame's state probably is (see phone_chain), float32 (VIEWS,)."""

    def __init__(self) -> None:
        self._row = np.zeros(OTHER + 1, dtype=np.float32)
        self.views = np.zeros(VIEWS, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Discard the turn and its text."""
        self._words: list[AlignedWord] = []
        self._first = 0  # the window's first word
        self._dropped = 0  # words of the text that did not fit
        self._stepped = 0
        self._chain: Chain | None = None
        self.views[:] = 0

    @property
    def active(self) -> bool:
        """Whether the turn has a text."""
        return self._chain is not None

    @property
    def dropped(self) -> int:
        """Words that exceeded MOST_WORDS."""
        return self._dropped

    @property
    def position(self) -> int:
        """The number of the word that is probably spoken."""
        return self._first + self._spoken() if self._chain else 0

    def add(self, words: Sequence[AlignedWord], *, anywhere: bool = False) -> None:
        """Add text to the turn. anywhere: the first step will not be the turn's beginning."""
        room = MOST_WORDS - len(self._words)
        self._dropped += max(0, len(words) - room)
        self._words += words[:room]
        if not self._words:
            return
        if self._chain is None:
            chain = Chain(self._words[:WINDOW])
            self._use(chain, chain.anywhere() if anywhere else chain.start())
        elif self._chain_words < WINDOW:
            self._move(self._first)

    def step(self, likelihoods: Floats, frame: int) -> None:
        """Advance by a frame of 10 ms. likelihoods: of the classes, relative, float32 (classes,). frame: its number."""
        assert self._chain is not None
        row = self._row
        row[:SOFT] = likelihoods
        row[SOFT] = max(likelihoods[_SOFT_AS].tolist())
        row[OTHER] = _OTHER_LIKELIHOOD * float(np.maximum.reduce(likelihoods))
        self._filter(row, frame)
        np.dot(self._now, self._chain.views, out=self.views)
        self._stepped += 1
        if self._stepped % _LOOK_EVERY == 0 and (spoken := self._spoken()) >= _MOVE_AT:
            self._move(self._first + spoken - _BEHIND)

    def _filter(self, row: Floats, frame: int) -> None:
        chain, now = self._chain, self._now
        assert chain is not None
        np.take(self._probability, chain.sources, out=self._entered)
        np.multiply(self._entered, chain.weights, out=self._entered)
        np.add.reduce(self._entered, axis=0, out=now)
        now[chain.into_other] += ENTER * np.add.reduceat(self._probability[:-1], chain.segments)
        np.multiply(now, row[chain.kinds], out=now)
        if chain.timed:
            now[(chain.earliest > frame) | (chain.latest < frame)] *= _OUTSIDE
        np.multiply(now, 1 / max(_LEAST, float(np.add.reduce(now))), out=now)
        self._probability[:-1] = now

    def _use(self, chain: Chain, probability: Floats) -> None:
        self._chain, self._probability = chain, probability
        self._now = probability[:-1].copy()
        self._entered = np.empty(chain.sources.shape, dtype=np.float32)

    @property
    def _chain_words(self) -> int:
        return len(self._chain.into_other) if self._chain else 0

    def _spoken(self) -> int:
        """The window's word that has the middle of the probability."""
        assert self._chain is not None
        sums = np.cumsum(np.add.reduceat(self._now, self._chain.segments))
        return int(np.searchsorted(sums, 0.5 * float(sums[-1])))

    def _move(self, first: int) -> None:
        """Let the window begin at another word, at or after its first."""
        before = self._chain
        assert before is not None
        passed = first - self._first
        chain = Chain(self._words[first : first + WINDOW])
        probability = np.zeros(chain.count + 1, dtype=np.float32)
        # The states of the shared words are in the same order. What lies before them is `other` before the first word.
        start = before.word_starts[passed]
        shared = min(before.count - start, chain.count - 1)
        probability[1 : 1 + shared] = self._probability[start : start + shared]
        probability[0] = float(self._probability[:start].sum())
        probability *= 1 / max(_LEAST, float(probability.sum()))
        self._first = first
        self._use(chain, probability)
