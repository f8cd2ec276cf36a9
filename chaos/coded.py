"""Speech whose every sample tells whose it is and where it lies in its turn, and the search for it in a recording.

A turn is a number. Its samples are an arithmetic progression modulo a prime, with a step that no other turn has: two
samples that follow each other give the turn, and with it the position, modulo PRIME samples (2 s at 16 kHz). No sample
is zero, so that silence is never speech, and a hostile client's constant samples (a step of zero) are nobody's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

RATE_HZ: Final = 16000
PRIME: Final = 32749
LEAST_STEP: Final = 1000  # up or down; above any step of a fade, so that none is taken for a turn
TURNS: Final = PRIME - 2 * LEAST_STEP  # how many numbers there are
SHORTEST: Final = 8  # samples in a row that are believed
_SPREAD: Final = 7919  # neighbouring turns get distant steps; a prime that does not divide TURNS
_OFFSET: Final = 10_473


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one turn in one piece. start: index in what was searched. position: of the first, modulo PRIME."""

    start: int
    length: int
    turn: int
    position: int


def step_of(turn: int) -> int:
    """The difference of neighbouring samples of a turn."""
    return LEAST_STEP + turn * _SPREAD % TURNS


def samples(turn: int, start: int, count: int) -> Pcm:
    """A turn's samples from position `start` on, int16 (count,), 1..PRIME."""
    at = np.arange(start, start + count, dtype=np.int64)
    return (1 + (turn * _OFFSET + step_of(turn) * at) % PRIME).astype(np.int16)


def find_runs(block: Pcm) -> list[Run]:
    """Every piece of at least SHORTEST samples of some turn, int16 (N,), in order."""
    if len(block) < SHORTEST:
        return []
    wide = block.astype(np.int64)
    steps = (wide[1:] - wide[:-1]) % PRIME
    steps[(wide[1:] < 1) | (wide[:-1] < 1) | (wide[1:] > PRIME)] = 0
    edges = np.flatnonzero(np.diff(steps)) + 1
    starts = np.concatenate(([0], edges))
    lengths = np.diff(np.concatenate((starts, [len(steps)]))) + 1
    believed = (lengths >= SHORTEST) & (steps[starts] >= LEAST_STEP) & (steps[starts] < PRIME - LEAST_STEP)
    return [
        _run(int(start), int(length), int(steps[start]), int(wide[start]))
        for start, length in zip(starts[believed], lengths[believed], strict=True)
    ]


def _run(start: int, length: int, step: int, first: int) -> Run:
    turn = (step - LEAST_STEP) * pow(_SPREAD, -1, TURNS) % TURNS
    position = (first - 1 - turn * _OFFSET) * pow(step, -1, PRIME) % PRIME
    return Run(start, length, turn, position)
