"""The figures of the model card: visible articulation compared with timed phones.

Visible are the gap between the lips, the lower lip under the teeth, rounding and the jaw, all derived from the blend
shapes. Phone classes are those of phones.py. There are 100 frames a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.bench.lip_score import NEAR, auc, events, runs
from mien.core.pose import CHANNEL_INDEX

from .phones import INDEX, PHONES, SILENCE
from .targets import TimedPhone, class_track

_LABIAL = (INDEX["p b"], INDEX["m"])
_BITE = INDEX["f v"]
_ROUND = tuple(INDEX[name] for name in ("ɔ o", "u", "w", "y ø"))
_UNROUND = tuple(INDEX[name] for name in ("i", "ɪ", "e", "ɛ", "a", "ə"))
_HEIGHT = np.array([phone.jaw for phone in PHONES])


@dataclass(slots=True)
class Seen:
    """One recording: its phone track and the visible articulation."""

    track: NDArray[np.uint8]
    gap: NDArray[np.float32]
    bite: NDArray[np.float32]
    rounding: NDArray[np.float32]
    jaw: NDArray[np.float32]


def see(frames: NDArray[np.float32], phones: Sequence[TimedPhone]) -> Seen:
    """Derive the visible articulation from motion frames (n, 55) and the spoken phones."""

    def shape(name: str) -> NDArray[np.float32]:
        return frames[:, CHANNEL_INDEX[name]]

    pairs = ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
    lips = sum(shape(name) for name in pairs) / 4
    gap = shape("jawOpen") - shape("mouthClose") + lips + 0.3 * shape("mouthFunnel")
    return Seen(
        class_track(phones, len(frames)), gap, shape("mouthRollLower") - shape("mouthRollUpper"),
        np.maximum(shape("mouthPucker"), shape("mouthFunnel")), shape("jawOpen"),
    )  # fmt: skip


def figures(seen: Sequence[Seen]) -> dict[str, float]:
    """Recall and precision of closures, recall of bites, correlation of the jaw, AUC of rounding, stillness, lag."""
    closed = np.array([_closures(one) for one in seen]).sum(axis=0)
    bites = np.array([events(one.track == _BITE, bitten(one)) for one in seen]).sum(axis=0)
    recall, precision = closed[0] / max(1, closed[1]), closed[2] / max(1, closed[3])
    jaw, height = np.concatenate([one.jaw for one in seen]), np.concatenate([_heights(one) for one in seen])
    track = np.concatenate([one.track for one in seen])
    rounding, spoken = np.concatenate([one.rounding for one in seen]), track != SILENCE
    return {
        "bilabial_recall": recall,
        "bilabial_precision": precision,
        "bilabial_f1": 2 * recall * precision / max(1e-9, recall + precision),
        "fv_recall": bites[0] / max(1, bites[1]),
        "jaw_r": float(np.corrcoef(jaw[spoken], height[spoken])[0, 1]),
        "round_auc": _auc(rounding[np.isin(track, _ROUND)], rounding[np.isin(track, _UNROUND)]),
        "lag_ms": 10.0 * _lag(jaw, height),
    }


def interval(seen: Sequence[Seen], draws: int = 60) -> dict[str, tuple[float, float]]:
    """95% intervals of the figures, by bootstrap over recordings (Efron)."""
    draw = np.random.default_rng(0)
    tables = [figures([seen[i] for i in draw.integers(0, len(seen), len(seen))]) for _ in range(draws)]
    return {
        key: (float(np.quantile([t[key] for t in tables], 0.025)), float(np.quantile([t[key] for t in tables], 0.975)))
        for key in tables[0]
    }


def shut(seen: Seen) -> NDArray[np.bool_]:
    """The frames in which the lips meet and the teeth are not on the lip."""
    return np.asarray((seen.gap < 0.08) & ~bitten(seen))


def bitten(seen: Seen) -> NDArray[np.bool_]:
    """The frames in which the upper teeth are on the lower lip."""
    return np.asarray((seen.bite > 0.25) & (seen.gap < 0.35))


def _closures(seen: Seen) -> tuple[int, int, int, int]:
    wanted = np.isin(seen.track, _LABIAL)
    hit, count = events(wanted, shut(seen))
    silent = seen.track == SILENCE
    near = np.convolve(wanted | silent, np.ones(2 * NEAR + 1), "same") > 0
    shown = [(s, e) for s, e in runs(shut(seen)) if silent[s:e].mean() <= 0.5]
    return hit, count, sum(bool(near[s:e].any()) for s, e in shown), len(shown)


def _heights(seen: Seen) -> NDArray[np.float64]:
    bell = np.exp(-0.5 * (np.arange(-12, 13) / 4) ** 2)
    padded = np.pad(_HEIGHT[seen.track], 12, mode="edge")
    return np.convolve(padded, bell / bell.sum(), "valid")


def _auc(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> float:
    if not len(positive) or not len(negative):
        return float("nan")
    return auc(positive.astype(np.float64), negative.astype(np.float64))


def _lag(jaw: NDArray[np.float32], height: NDArray[np.float64], reach: int = 15) -> int:
    inner = slice(reach, len(jaw) - reach)
    return max(range(-reach, reach), key=lambda lag: float(np.corrcoef(np.roll(jaw, -lag)[inner], height[inner])[0, 1]))
