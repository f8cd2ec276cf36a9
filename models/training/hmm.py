"""A flat-start monophone GMM-HMM in numpy, for forced alignment.

Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989): Viterbi training from uniform segments, with
three states per phone and optional pauses between words.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOP_S, PAUSE = 0.005, ""
_STAY, _MOVE = np.log(0.7), np.log(0.3)
_VARIANCE_FLOOR = 0.05

Matrix = NDArray[np.float32]
Floating = NDArray[np.floating[Any]]


@dataclass(slots=True)
class Chain:
    """The state sequence of an utterance. owner: the phone instance of each state. skips: (to, from) pairs."""

    states: NDArray[np.intp]
    phones: list[str]
    owner: NDArray[np.intp]
    skip_to: NDArray[np.intp]
    skip_from: NDArray[np.intp]


def chain(words: list[list[str]], state_ids: dict[tuple[str, int], int]) -> Chain:
    """Words of phones -> pause, word, optional pause, word, ..., pause."""
    phones, skips = [PAUSE], []
    for index, word in enumerate(words):
        phones += [*word, PAUSE]
        if index < len(words) - 1:
            skips.append((len(phones) * 3, len(phones) * 3 - 4))
    states = [state_ids[phone, part] for phone in phones for part in range(3)]
    return Chain(
        np.array(states), phones, np.repeat(np.arange(len(phones)), 3),
        np.array([to for to, _ in skips], dtype=np.intp), np.array([start for _, start in skips], dtype=np.intp),
    )  # fmt: skip


@dataclass(slots=True)
class Mixture:
    """Diagonal Gaussians: means, variances (k, d), weights (k,)."""

    means: Floating
    variances: Floating
    weights: NDArray[np.float64]
    _cache: tuple[Floating, Floating, Floating] | None = field(default=None, repr=False)

    def parts(self, frames: Matrix, squares: Matrix) -> Matrix:
        """Log likelihood of each frame in each component, weights included: (n, k)."""
        if self._cache is None:
            precision = 1 / self.variances
            weight = np.log(self.weights) - 0.5 * (np.log(2 * np.pi * self.variances) + self.means**2 * precision).sum(
                axis=1
            )
            self._cache = (precision.T.copy(), (self.means * precision).T.copy(), weight.astype(np.float32))
        inverse, scaled, constant = self._cache
        return np.asarray(constant - 0.5 * (squares @ inverse) + frames @ scaled)

    def refit(self, frames: Matrix) -> "Mixture":
        """One step of expectation maximisation."""
        parts = self.parts(frames, frames**2)
        share = np.exp(parts - _log_sum(parts)[:, None])
        count = share.sum(axis=0) + 1e-6
        means = (share.T @ frames) / count[:, None]
        variances = np.maximum((share.T @ frames**2) / count[:, None] - means**2, _VARIANCE_FLOOR)
        return Mixture(means, variances, np.maximum(count / count.sum(), 1e-3).astype(np.float64))

    def split(self) -> "Mixture":
        """Split every component in two, slightly apart."""
        step = 0.2 * np.sqrt(self.variances)
        return Mixture(
            np.vstack([self.means + step, self.means - step]),
            np.vstack([self.variances, self.variances]),
            np.concatenate([self.weights, self.weights]) / 2,
        )


def single(frames: Matrix) -> Mixture:
    """One Gaussian over the frames."""
    return Mixture(frames.mean(axis=0)[None], np.maximum(frames.var(axis=0), _VARIANCE_FLOOR)[None], np.ones(1))


def log_likelihoods(mixtures: list[Mixture], frames: Matrix) -> Matrix:
    """(n, d) frames -> (n, states)."""
    squares = frames**2
    return np.stack([_log_sum(mixture.parts(frames, squares)) for mixture in mixtures], axis=1)


def viterbi(links: Chain, likelihood: Matrix) -> tuple[NDArray[np.intp], float]:
    """State log likelihoods (n, all states) -> the position in the chain of each frame, and the mean log likelihood."""
    local = likelihood[:, links.states]
    count, positions = local.shape
    best = np.full(positions, -1e30)
    best[0] = local[0, 0]
    steps = np.zeros((count, positions), dtype=np.int8)
    came, moved = np.empty(positions), np.empty(positions)
    moved[0] = -1e30
    for frame in range(1, count):
        np.add(best, _STAY, out=came)
        np.add(best[:-1], _MOVE, out=moved[1:])
        np.greater(moved, came, out=steps[frame], casting="unsafe")
        np.maximum(came, moved, out=came)
        if len(links.skip_to):
            jumped = best[links.skip_from] + _MOVE
            better = jumped > came[links.skip_to]
            steps[frame, links.skip_to[better]] = 2
            came[links.skip_to[better]] = jumped[better]
        np.add(came, local[frame], out=best)
    return _backtrack(links, steps), float(best[-1]) / count


def _backtrack(links: Chain, steps: NDArray[np.int8]) -> NDArray[np.intp]:
    jumps = dict(zip(links.skip_to.tolist(), links.skip_from.tolist(), strict=True))
    path = np.empty(len(steps), dtype=np.intp)
    position = len(links.states) - 1
    for frame in range(len(steps) - 1, -1, -1):
        path[frame] = position
        step = steps[frame, position]
        position = position if step == 0 else position - 1 if step == 1 else jumps[position]
    return path


def _log_sum(values: Matrix) -> Matrix:
    top = values.max(axis=1, keepdims=True)
    return np.asarray((top + np.log(np.exp(values - top).sum(axis=1, keepdims=True)))[:, 0])
