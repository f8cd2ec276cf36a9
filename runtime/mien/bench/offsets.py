"""Pure arithmetic on recordings: the face's frames against the voice's anchors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import Anchor
from mien.core.pose import CHANNEL_INDEX, SPEECH_INDICES
from mien.units import NS_PER_MS

NEAR_NS = 40 * NS_PER_MS  # two anchor periods: beyond that an anchor is not evidence
GAP_SHAPES = (
    "jawOpen",
    "mouthClose",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
)
VISIBLE_CHANGE = 0.02  # of a blend shape's range: the smallest change that counts as motion


@dataclass(frozen=True, slots=True)
class FrameTrace:
    """The face's trace: visible_ns, media_ns (-1: no speech), epoch int64 (N,), poses float32 (N, CHANNEL_COUNT)."""

    visible_ns: NDArray[np.int64]
    media_ns: NDArray[np.int64]
    epoch: NDArray[np.int64]
    poses: NDArray[np.float32]


def read_trace(path: Path) -> FrameTrace:
    """Read a trace that mien-face --trace wrote."""
    with np.load(path) as arrays:
        return FrameTrace(arrays["visible_ns"], arrays["media_ns"], arrays["epoch"], arrays["poses"])


def offsets_ms(trace: FrameTrace, anchors: list[Anchor]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each frame with speech, the instant at which it became visible, in ns, and its A/V offset in ms.

    The offset is the media time of the pose minus that of the audio heard at that instant. Frames without an anchor of
    running speech nearby are skipped.
    """
    running = [a for a in anchors if a.phase == "speaking"]
    if not running:
        return np.zeros(0, np.int64), np.zeros(0)
    at = np.array([a.at_ns for a in running])
    order = np.argsort(at, kind="stable")
    at, media = at[order], np.array([a.media_ns for a in running])[order]
    until, epoch = np.array([a.until_ns for a in running])[order], np.array([a.epoch for a in running])[order]
    nearest = _nearest(at, trace.visible_ns)
    gap = trace.visible_ns - at[nearest]
    heard = media[nearest] + gap
    counts = (trace.media_ns > 0) & (trace.epoch == epoch[nearest]) & (np.abs(gap) < NEAR_NS)
    counts &= (heard > 0) & (heard < until[nearest])
    return trace.visible_ns[counts], (trace.media_ns - heard)[counts] / NS_PER_MS


def first_motion_ns(trace: FrameTrace, since_ns: int, until_ns: int) -> int | None:
    """The time in since_ns..until_ns at which the mouth visibly left its initial pose; None if it did not."""
    rows = np.flatnonzero((trace.visible_ns >= since_ns) & (trace.visible_ns < until_ns))
    if not len(rows):
        return None
    rest = trace.poses[max(0, rows[0] - 1)][SPEECH_INDICES]
    moved = np.abs(trace.poses[rows][:, SPEECH_INDICES] - rest).max(axis=1) > VISIBLE_CHANGE
    speaking = trace.media_ns[rows] >= 0
    found = np.flatnonzero(moved & speaking)
    return int(trace.visible_ns[rows[found[0]]]) if len(found) else None


def last_sound_ns(anchors: list[Anchor], epoch: int, played_ms: float) -> int | None:
    """The time at which `played_ms` of an epoch was heard, by the epoch's last anchor of running speech."""
    running = [a for a in anchors if a.epoch == epoch and a.phase == "speaking"]
    return running[-1].at_ns + round(played_ms * NS_PER_MS) - running[-1].media_ns if running else None


def mouth_closed_ns(trace: FrameTrace, since_ns: int) -> int | None:
    """The time after since_ns at which the lips closed (gap below 0.05) for five frames or more; None if never."""
    rows = np.flatnonzero(trace.visible_ns >= since_ns)
    shut = lip_gap(trace.poses[rows]) < 0.05
    stays = np.flatnonzero(np.convolve(shut, np.ones(5), "valid") == 5) if len(rows) >= 5 else shut[:0]
    return int(trace.visible_ns[rows[stays[0]]]) if len(stays) else None


def lip_gap(poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """The gap between the lips, in units of the jaw's range, float32 (N,): jaw minus mouthClose plus lip shapes."""
    jaw, close, *lips = (poses[:, CHANNEL_INDEX[name]] for name in GAP_SHAPES)
    gap: NDArray[np.float32] = jaw - close + 0.25 * np.sum(lips, axis=0)
    return gap


def _nearest(sorted_ns: NDArray[np.int64], wanted_ns: NDArray[np.int64]) -> NDArray[np.intp]:
    right = np.clip(np.searchsorted(sorted_ns, wanted_ns), 1, max(1, len(sorted_ns) - 1))
    right = np.minimum(right, len(sorted_ns) - 1)
    left = np.maximum(right - 1, 0)
    closer = wanted_ns - sorted_ns[left] <= sorted_ns[right] - wanted_ns
    return np.where(closer, left, right)
