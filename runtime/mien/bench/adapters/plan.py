"""The seeded script of the adapters' benchmark."""

from typing import Final

import numpy as np

from mien.bench.adapters.driver import Segment, Word
from mien.bench.coded import samples

WORD_MS: Final = 300
SHORTEST_MS: Final = 600
LONGEST_MS: Final = 3000
GAPS_MS: Final = (0, 0, 100, 400, 1500)  # silences between two segments
CHUNKS_MS: Final = (10, 20, 40, 100, 400)


def turn_of(number: int) -> int:
    """The coded turn of a segment."""
    return number + 1


def make_plan(seed: int, count: int, rate_hz: int, can_pause: bool) -> list[tuple[float, Segment]]:
    """(silence before it in ms, segment) for each of `count` segments: a third interrupted, some paced, some paused.

    The face is lost in one of twenty. The same seed gives the same plan for each adapter of one rate.
    """
    rng = np.random.default_rng(seed)
    return [(float(rng.choice(GAPS_MS)), _segment(rng, number, rate_hz, can_pause)) for number in range(count)]


def plain_plan(count: int, first: int, rate_hz: int) -> list[tuple[float, Segment]]:
    """Segments numbered from `first` on, pushed in one burst with a silence before each: for the first sound."""
    return [(400.0, _plain(number, 900, 20, rate_hz)) for number in range(first, first + count)]


def _segment(rng: np.random.Generator, number: int, rate_hz: int, can_pause: bool) -> Segment:
    length_ms = int(rng.integers(SHORTEST_MS, LONGEST_MS))
    kind, cut, stop = rng.random(3)
    plain = _plain(number, length_ms, int(rng.choice(CHUNKS_MS)), rate_hz)
    interrupted = kind < 0.33
    paused = can_pause and 0.33 <= kind < 0.45
    return Segment(
        number=number,
        pcm=plain.pcm,
        words=plain.words,
        chunk_ms=plain.chunk_ms,
        paced=bool(rng.random() < 0.3),
        interrupt_after_ms=float(cut * (length_ms + 200)) if interrupted else None,
        pause_after_ms=float(stop * length_ms) if paused else None,
        pause_ms=float(rng.integers(50, 800)) if paused else 0.0,
        lose_face=bool(rng.random() < 0.05),
    )


def _plain(number: int, length_ms: int, chunk_ms: int, rate_hz: int) -> Segment:
    pcm = samples(turn_of(number), 0, length_ms * rate_hz // 1000)
    words = tuple(
        Word(f"w{number}-{index}", start_ms, min(start_ms + WORD_MS, length_ms))
        for index, start_ms in enumerate(range(0, length_ms, WORD_MS))
    )
    return Segment(number, pcm, words, chunk_ms)
