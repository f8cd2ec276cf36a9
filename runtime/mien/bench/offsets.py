"""Pure arithmetic on what was recorded: pictures (the face's trace) against sound (the voice's anchors)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import Anchor
from mien.core.pose import CHANNEL_INDEX, SPEECH_INDICES
from mien.units import NS_PER_MS

NEAR_NS = 40 * NS_PER_MS  # an anchor says nothing of a moment farther away than two anchor periods
GAP_SHAPES = (
    "jawOpen",
    "mouthClose",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
)
VISIBLE_CHANGE = 0.02  # of a blend shape's whole range: the least that is called motion


@dataclass(frozen=True, slots=True)
class Pictures:
    """The face's trace: visible_ns, media_ns (-1: no speech), epoch int64 (N,), poses float32 (N, CHANNEL_COUNT)."""

    visible_ns: NDArray[np.int64]
    media_ns: NDArray[np.int64]
    epoch: NDArray[np.int64]
    poses: NDArray[np.float32]


def read_pictures(path: Path) -> Pictures:
    """Read a trace that mien-face --trace wrote."""
    with np.load(path) as arrays:
        return Pictures(arrays["visible_ns"], arrays["media_ns"], arrays["epoch"], arrays["poses"])


def offsets_ms(pictures: Pictures, anchors: list[Anchor]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pose shown minus audio heard at the instant at which each picture was seen, in ms, and those instants in ns.

    Only pictures with speech that have an anchor of running speech nearby count.
    """
    running = [a for a in anchors if a.phase == "speaking"]
    if not running:
        return np.zeros(0, np.int64), np.zeros(0)
    at = np.array([a.at_ns for a in running])
    order = np.argsort(at, kind="stable")
    at, media = at[order], np.array([a.media_ns for a in running])[order]
    until, epoch = np.array([a.until_ns for a in running])[order], np.array([a.epoch for a in running])[order]
    nearest = _nearest(at, pictures.visible_ns)
    gap = pictures.visible_ns - at[nearest]
    heard = media[nearest] + gap
    counts = (pictures.media_ns > 0) & (pictures.epoch == epoch[nearest]) & (np.abs(gap) < NEAR_NS)
    counts &= (heard > 0) & (heard < until[nearest])
    return pictures.visible_ns[counts], (pictures.media_ns - heard)[counts] / NS_PER_MS


def first_motion_ns(pictures: Pictures, since_ns: int, until_ns: int) -> int | None:
    """When, after since_ns, the mouth was first seen to have left the pose that it had then; None if it never did."""
    rows = np.flatnonzero((pictures.visible_ns >= since_ns) & (pictures.visible_ns < until_ns))
    if not len(rows):
        return None
    rest = pictures.poses[max(0, rows[0] - 1)][SPEECH_INDICES]
    moved = np.abs(pictures.poses[rows][:, SPEECH_INDICES] - rest).max(axis=1) > VISIBLE_CHANGE
    speaking = pictures.media_ns[rows] >= 0
    found = np.flatnonzero(moved & speaking)
    return int(pictures.visible_ns[rows[found[0]]]) if len(found) else None


def last_sound_ns(anchors: list[Anchor], epoch: int, played_ms: float) -> int | None:
    """When media time `played_ms` of an epoch was heard, by its last anchor of running speech."""
    running = [a for a in anchors if a.epoch == epoch and a.phase == "speaking"]
    return running[-1].at_ns + round(played_ms * NS_PER_MS) - running[-1].media_ns if running else None


def mouth_closed_ns(pictures: Pictures, since_ns: int) -> int | None:
    """When, after since_ns, the lips were first seen shut (no gap above 0.05) to stay so for five pictures."""
    rows = np.flatnonzero(pictures.visible_ns >= since_ns)
    shut = lip_gap(pictures.poses[rows]) < 0.05
    stays = np.flatnonzero(np.convolve(shut, np.ones(5), "valid") == 5) if len(rows) >= 5 else shut[:0]
    return int(pictures.visible_ns[rows[stays[0]]]) if len(stays) else None


def lip_gap(poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the lips are apart, of the jaw's range, float32 (N,): jaw less mouthClose, and the lips' own part."""
    jaw, close, *lips = (poses[:, CHANNEL_INDEX[name]] for name in GAP_SHAPES)
    gap: NDArray[np.float32] = jaw - close + 0.25 * np.sum(lips, axis=0)
    return gap


def _nearest(sorted_ns: NDArray[np.int64], wanted_ns: NDArray[np.int64]) -> NDArray[np.intp]:
    right = np.clip(np.searchsorted(sorted_ns, wanted_ns), 1, max(1, len(sorted_ns) - 1))
    right = np.minimum(right, len(sorted_ns) - 1)
    left = np.maximum(right - 1, 0)
    closer = wanted_ns - sorted_ns[left] <= sorted_ns[right] - wanted_ns
    return np.where(closer, left, right)
