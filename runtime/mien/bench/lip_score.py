"""Scores of facial motion against phone-aligned speech, from what is visible alone.

The figures are those of the project's measure (../shared/speech/lipscore.py). Of the face it reads
    gap       jawOpen - mouthClose + half the mean of lower-down and upper-up + .3 mouthFunnel
    bite      mouthRollLower - mouthRollUpper
    rounding  the larger of mouthPucker and mouthFunnel
and none of the model's own labels. Everything is on a grid of 10 ms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bench import lip_phones as phones
from mien.bench.lip_phones import FREE, FV, OPEN, REST, ROUND, SPREAD

Curve = NDArray[np.float64]
Mask = NDArray[np.bool_]
Figures = dict[str, float]

NEAR: Final = 4  # frames: 40 ms, in which an event counts as simultaneous
LEAST_SILENCE: Final = 20  # frames; of a silence the first and last 80 ms are transitions
EDGE: Final = 8
LAGS: Final = range(-20, 41)
ROLLS: Final = (0.29, 0.37, 0.46, 0.54, 0.63, 0.71)  # shares of a prompt by which its motion is rolled, for chance
USED: Final = (
    "jawOpen",
    "mouthClose",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "mouthFunnel",
    "mouthPucker",
    "mouthRollLower",
    "mouthRollUpper",
)


@dataclass(frozen=True, slots=True)
class Visible:
    """What is seen of a mouth, each (frames,). kind: REST, FV, ROUND, OPEN or SPREAD."""

    jaw: Curve
    rounding: Curve
    kind: NDArray[np.int_]

    def shifted(self, lag: int) -> "Visible":
        """Earlier by `lag` frames; the ends are held."""
        at = np.clip(np.arange(len(self.jaw)) + lag, 0, len(self.jaw) - 1)
        return Visible(self.jaw[at], self.rounding[at], self.kind[at])

    def rolled(self, share: float) -> "Visible":
        """Rolled by a share of its length."""
        by = int(share * len(self.jaw))
        return Visible(np.roll(self.jaw, by), np.roll(self.rounding, by), np.roll(self.kind, by))


@dataclass(frozen=True, slots=True)
class Prompt:
    """One recording: its phones by frame, what they ask for, and what was seen."""

    track: NDArray[np.str_]
    wanted: NDArray[np.int_]
    height: Curve
    seen: Visible


@dataclass(frozen=True, slots=True)
class Score:
    """lag_ms: by how much the jaw trails the speech. delivered, lag_removed: the figures with and without that lag.
    chance: the figures of the same motion, rolled in time."""

    lag_ms: int
    delivered: Figures
    lag_removed: Figures
    chance: Figures
    prompts: int
    bilabials: int


def see(curves: Mapping[str, Curve], time_s: Curve, frames: int) -> Visible:
    """What is visible of blend shapes 0..1, each (rows,), shown at time_s (rows,), on a grid of `frames` frames."""
    at_s = np.arange(frames) / phones.GRID_HZ
    nothing = np.zeros(len(time_s))
    shape = {name: np.interp(at_s, time_s, curves.get(name, nothing)) for name in USED}
    lips = (
        shape["mouthLowerDownLeft"]
        + shape["mouthLowerDownRight"]
        + shape["mouthUpperUpLeft"]
        + shape["mouthUpperUpRight"]
    )
    gap = shape["jawOpen"] - shape["mouthClose"] + 0.25 * lips + 0.3 * shape["mouthFunnel"]
    bite = shape["mouthRollLower"] - shape["mouthRollUpper"]
    rounding = np.maximum(shape["mouthPucker"], shape["mouthFunnel"])
    tests = [(bite > 0.25) & (gap < 0.35), gap < 0.08, rounding > 0.35, shape["jawOpen"] > 0.35]
    return Visible(shape["jawOpen"], rounding, np.select(tests, [FV, REST, ROUND, OPEN], SPREAD))


def prompt_of(track: NDArray[np.str_], seen: Visible) -> Prompt:
    """A prompt from its phones by frame."""
    return Prompt(track, phones.classes(track), phones.jaw_curve(track), seen)


def score(prompts: Sequence[Prompt]) -> Score:
    """Score some recordings together. Raises ValueError without any, or with only silence."""
    if not any((prompt.track != phones.SILENCE).any() for prompt in prompts):
        raise ValueError("no speech to score: the alignment holds only silence")
    lag = _lag(prompts)
    rolled = [_figures(prompts, [prompt.seen.rolled(share) for prompt in prompts]) for share in ROLLS]
    return Score(
        lag_ms=lag * 1000 // phones.GRID_HZ,
        delivered=_figures(prompts, [prompt.seen for prompt in prompts]),
        lag_removed=_figures(prompts, [prompt.seen.shifted(lag) for prompt in prompts]),
        chance={key: float(np.mean([one[key] for one in rolled])) for key in rolled[0]},
        prompts=len(prompts),
        bilabials=sum(len(runs(np.isin(prompt.track, phones.BILABIAL))) for prompt in prompts),
    )


def _figures(prompts: Sequence[Prompt], seen: Sequence[Visible]) -> Figures:
    pairs = list(zip(prompts, seen, strict=True))
    hits, closures, explained, shown = np.sum([_closures(*pair) for pair in pairs], axis=0)
    bitten, bites = np.sum([_bites(*pair) for pair in pairs], axis=0)
    recall, precision = hits / max(1, closures), explained / max(1, shown)
    spoken = [prompt.track != phones.SILENCE for prompt in prompts]
    jaw = np.concatenate([view.jaw[mask] for mask, (_, view) in zip(spoken, pairs, strict=True)])
    height = np.concatenate([prompt.height[mask] for mask, prompt in zip(spoken, prompts, strict=True)])
    track = np.concatenate([prompt.track for prompt in prompts])
    rounding = np.concatenate([view.rounding for view in seen])
    accuracy, balanced = _classes_right(pairs)
    return {
        "bilabial_recall": float(recall),
        "bilabial_precision": float(precision),
        "bilabial_f1": float(2 * recall * precision / max(1e-9, recall + precision)),
        "fv_recall": float(bitten / max(1, bites)),
        "jaw_r": _correlation(jaw, height),
        "vowel_rho": _vowel_rho(pairs),
        "round_auc": auc(rounding[np.isin(track, phones.ROUNDED)], rounding[np.isin(track, phones.UNROUNDED)]),
        "acc5": accuracy,
        "bal5": balanced,
        "still": _stillness(pairs),
    }


def _closures(prompt: Prompt, seen: Visible) -> tuple[int, int, int, int]:
    """(p b m whose lips were shut, p b m, shut lips that a phone explains, shut lips in speech)."""
    wanted, silent = np.isin(prompt.track, phones.BILABIAL), prompt.track == phones.SILENCE
    shut = seen.kind == REST
    near = _widened(wanted | silent | (prompt.track == phones.APPROXIMANT))
    in_speech = [(start, end) for start, end in runs(shut) if silent[start:end].mean() <= 0.5]
    explained = sum(bool(near[start:end].any()) for start, end in in_speech)
    return (*events(wanted, shut), explained, len(in_speech))


def _bites(prompt: Prompt, seen: Visible) -> tuple[int, int]:
    return events(np.isin(prompt.track, phones.LABIODENTAL), seen.kind == FV)


def events(wanted: Mask, shown: Mask) -> tuple[int, int]:
    """(runs of `wanted` within NEAR of something shown, runs)."""
    asked = runs(wanted)
    return sum(bool(shown[max(0, start - NEAR) : end + NEAR].any()) for start, end in asked), len(asked)


def _classes_right(pairs: Sequence[tuple[Prompt, Visible]]) -> tuple[float, float]:
    """(share of frames in the right class, mean of that share over the classes)."""
    wanted = np.concatenate([prompt.wanted for prompt, _ in pairs])
    shown = np.concatenate([view.kind for _, view in pairs])[wanted != FREE]
    wanted = wanted[wanted != FREE]
    right = wanted == shown
    shares = [float(right[wanted == kind].mean()) if (wanted == kind).any() else 0.0 for kind in range(FREE)]
    return float(right.mean()), float(np.mean(shares))


def _vowel_rho(pairs: Sequence[tuple[Prompt, Visible]]) -> float:
    """Rank correlation of the jaw in each vowel with the vowel's openness."""
    heights: list[float] = []
    ranks: list[float] = []
    for prompt, view in pairs:
        for vowel, openness in phones.OPENNESS.items():
            spoken = runs(prompt.track == vowel)
            heights += [float(view.jaw[start:end].mean()) for start, end in spoken]
            ranks += [openness] * len(spoken)
    return _correlation(_ranked(np.array(heights)), _ranked(np.array(ranks)))


def _stillness(pairs: Sequence[tuple[Prompt, Visible]]) -> float:
    """Movement of the jaw in long silences, relative to speech: 0 is still."""
    still: list[Curve] = []
    moving: list[Curve] = []
    for prompt, view in pairs:
        silent = prompt.track == phones.SILENCE
        step = np.abs(np.diff(view.jaw, prepend=view.jaw[:1]))
        moving.append(step[~silent])
        still += [step[start + EDGE : end - EDGE] for start, end in runs(silent) if end - start >= LEAST_SILENCE]
    if not still:
        return 0.0
    return float(np.concatenate(still).mean() / max(1e-9, float(np.concatenate(moving).mean())))


def _lag(prompts: Sequence[Prompt]) -> int:
    """The lag in frames at which the jaw fits the phones best."""
    height = np.concatenate([prompt.height for prompt in prompts])

    def fit(lag: int) -> float:
        return _correlation(np.concatenate([prompt.seen.shifted(lag).jaw for prompt in prompts]), height)

    return max(LAGS, key=fit)


def runs(mask: Mask) -> list[tuple[int, int]]:
    """(first frame, frame after the last) of each run of a mask."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _widened(mask: Mask) -> Mask:
    """The mask with NEAR frames more on either side of each run."""
    if not len(mask):
        return mask
    return np.asarray(np.convolve(mask, np.ones(2 * NEAR + 1), "full")[NEAR : NEAR + len(mask)] > 0)


def _ranked(values: Curve) -> Curve:
    """Ranks from 0 on; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[inverse], dtype=np.float64)


def _correlation(one: Curve, other: Curve) -> float:
    """Pearson's r; 0 where either stands still."""
    if len(one) < 2 or not np.std(one) > 0 or not np.std(other) > 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def auc(positive: Curve, negative: Curve) -> float:
    """The probability that a positive is larger than a negative; .5 where there are none of either."""
    if not len(positive) or not len(negative):
        return 0.5
    ranks = _ranked(np.concatenate((positive, negative)))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) - 1) / 2) / (len(positive) * len(negative)))
