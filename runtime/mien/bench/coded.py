"""Coded speech: each sample pair identifies its turn with its position, so that a recording can be decoded.

A turn is a number. Its samples are an arithmetic progression modulo a prime, with a step unique to the turn: two
consecutive samples identify the turn, and with it the position modulo PRIME samples (2 s at 16 kHz). No sample is zero,
so silence is never taken for speech; a hostile client's constant samples have a step of zero and belong to no turn.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

RATE_HZ: Final = 16000
PRIME: Final = 32749
LEAST_STEP: Final = 1000  # in either direction; larger than any step of a fade, so that no fade is taken for a turn
TURNS: Final = PRIME - 2 * LEAST_STEP  # number of turns
SHORTEST: Final = 8  # shortest run that is accepted
_SPREAD: Final = 7919  # a prime that does not divide TURNS: neighbouring turns get distant steps
_OFFSET: Final = 10_473


@dataclass(frozen=True, slots=True)
class Run:
    """Contiguous samples of one turn. start: index in the searched sound. position: in the turn, modulo PRIME."""

    start: int
    length: int
    turn: int
    position: int


def step_of(turn: int) -> int:
    """The difference between consecutive samples of a turn."""
    return LEAST_STEP + turn * _SPREAD % TURNS


def samples(turn: int, start: int, count: int) -> Pcm:
    """A turn's samples from position `start` on, int16 (count,), 1..PRIME."""
    at = np.arange(start, start + count, dtype=np.int64)
    return (1 + (turn * _OFFSET + step_of(turn) * at) % PRIME).astype(np.int16)


def find_runs(block: Pcm) -> list[Run]:
    """All runs of at least SHORTEST samples of any turn in int16 (N,), in order."""
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
