"""Measurements of a face on its mesh: how far lips part, how wide eyes are open, how far shapes reach.

Everything is in the file's units. A `Face` is the part of the mesh that viewers read: skin, brows and lashes, without
teeth and eyeballs.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.figure import Figure
from mien.avatar.bake.names import Matches
from mien.avatar.bake.submesh import role_of
from mien.avatar.gltf.scene import Surface

Floats = NDArray[np.float32]
# A strip along the middle of the face, in which lips are measured, and along the middle of an eye, in shares of width.
MIDDLE_OF_HEAD: Final = 0.05
MIDDLE_OF_EYE: Final = 0.3
# Shares of a shape's furthest movement: a vertex above the first moves with it, one below the second stays.
GOES, STAYS = 0.6, 0.3
# How near the shut lids must come, in widths of the eye.
SHUT, NEARLY = 0.09, 0.015
LEAST_POINTS: Final = 3
# The distance from the eyes to the mouth, in heights of an upright head, for files without eyes.
EYES_TO_MOUTH: Final = 0.33


@dataclass(frozen=True, kw_only=True)
class Face:
    """positions: (N, 3). deltas: what each target adds to them, (N, 3). skin: bool (N,), without brows and lashes.

    middle: x of the face's centre. head: its height. unit: the height from the mouth to the eyes, which all measures
    are compared with.
    """

    positions: Floats
    deltas: dict[str, Floats]
    skin: NDArray[np.bool_]
    middle: float
    head: float
    unit: float

    def moved(self, matches: Matches, shape: str) -> Floats:
        """What a shape adds to the skin at weight 1, (N, 3)."""
        total = np.zeros_like(self.positions)
        for target, weight, side in matches.get(shape, ()):
            if target in self.deltas:
                total += self.deltas[target] * np.float32(weight) * self._half(side)[:, None]
        return total

    def reach(self, matches: Matches, shape: str) -> float:
        """How far a shape moves the skin, in units of the face."""
        return float(np.linalg.norm(self.moved(matches, shape), axis=1).max(initial=0)) / self.unit

    def _half(self, side: int) -> Floats:
        if side == 0:
            return np.ones(len(self.positions), dtype=np.float32)
        return (side * (self.positions[:, 0] - self.middle) > 0).astype(np.float32)


def face_of(surfaces: list[Surface], sides: list[NDArray[np.int8]], matches: Matches, figure: Figure) -> Face:
    """The face of a figure. sides: of each surface's eye vertices."""
    roles = [role_of(surface.name, bool(surface.targets)) for surface in surfaces]
    chosen = [
        (surface, own == 0, role)
        for surface, own, role in zip(surfaces, sides, roles, strict=True)
        if surface.targets and role != "mouth"
    ] or [(surface, own == 0, "skin") for surface, own in zip(surfaces, sides, strict=True) if surface.targets]
    has_skin = any(role == "skin" for _, _, role in chosen)
    names = {name for surface, _, _ in chosen for name in surface.targets}
    deltas = {
        name: np.concatenate(
            [
                surface.targets[name][kept] if name in surface.targets else np.zeros((int(kept.sum()), 3), np.float32)
                for surface, kept, _ in chosen
            ]
        )
        for name in names
    }
    face = Face(
        positions=np.concatenate([surface.positions[kept] for surface, kept, _ in chosen]),
        deltas=deltas,
        skin=np.concatenate([np.full(int(kept.sum()), not has_skin or role == "skin") for _, kept, role in chosen]),
        middle=figure.middle[0],
        head=figure.head,
        unit=1.0,
    )
    return replace(face, unit=_unit(face, surfaces, sides, matches, figure))


def lips(face: Face, matches: Matches) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of vertices, one of the upper lip and one of the lower, that meet in the middle; empty if jawOpen has none.

    A pair is the closest of what stays and what goes with the jaw, as far forward as any.
    """
    jaw = face.moved(matches, "jawOpen")
    strip = face.skin & (np.abs(face.positions[:, 0] - face.middle) < MIDDLE_OF_HEAD * face.head)
    far = np.linalg.norm(jaw, axis=1)
    none = np.zeros(0, dtype=np.intp)
    most = float(far[strip].max(initial=0))
    if not most > 0:
        return none, none
    lower = np.nonzero(strip & (far > GOES * most))[0]
    upper = np.nonzero(strip & (far < STAYS * most))[0]
    if len(lower) < LEAST_POINTS or len(upper) < LEAST_POINTS:
        return none, none
    # What lies behind the front of the lower lip is the mouth's lining, or the throat.
    front = float(np.percentile(face.positions[lower, 2], 97)) - 0.12 * face.head
    lower, upper = (which[face.positions[which, 2] > front] for which in (lower, upper))
    if len(lower) < LEAST_POINTS or len(upper) < LEAST_POINTS:
        return none, none
    apart = np.linalg.norm(face.positions[lower][:, None] - face.positions[upper][None], axis=2)
    nearest = apart.argmin(axis=1)
    distance = apart[np.arange(len(lower)), nearest]
    chosen = np.argsort(distance - 0.5 * face.positions[lower, 2])[:LEAST_POINTS]
    return upper[nearest[chosen]], lower[chosen]


def lip_gap(face: Face, matches: Matches, weights: dict[str, float]) -> float:
    """How much further apart the lips are than at rest, in units of the face. weights: of shapes."""
    upper, lower = lips(face, matches)
    if not len(upper):
        return 0.0
    moved = face.positions + sum(
        (face.moved(matches, shape) * np.float32(weight) for shape, weight in weights.items()),
        start=np.zeros_like(face.positions),
    )
    # Signed: lips that cross each other are less than shut.
    rest = float((face.positions[upper, 1] - face.positions[lower, 1]).mean())
    return (float((moved[upper, 1] - moved[lower, 1]).mean()) - rest) / face.unit


def lid_travel(face: Face, matches: Matches, shape: str) -> float:
    """The weight of a blink at which the lids meet, 0 if it cannot be measured: 1 where a file closes them exactly."""
    blink = face.moved(matches, shape)
    far = np.where(face.skin, np.linalg.norm(blink, axis=1), 0)
    most = float(far.max(initial=0))
    if not most > 0:
        return 0.0
    going = np.nonzero(far > GOES * most)[0]
    at = face.positions[going]
    center, width = float(np.median(at[:, 0])), float(np.ptp(face.positions[far > STAYS * most, 0]))
    column = going[np.abs(at[:, 0] - center) < MIDDLE_OF_EYE * width]
    if len(column) < LEAST_POINTS:
        return 0.0
    lowest, front = float(face.positions[column, 1].min()), float(face.positions[column, 2].min()) - 0.3 * width
    below = (face.positions[:, 1] < lowest) & (face.positions[:, 1] > lowest - 1.5 * width)
    near = face.skin & (np.abs(face.positions[:, 0] - center) < MIDDLE_OF_EYE * width)
    still = np.nonzero(near & (far < STAYS * most) & below & (face.positions[:, 2] > front))[0]
    if len(still) < LEAST_POINTS:
        return 0.0
    edge = column[np.argsort(face.positions[column, 1])[: max(LEAST_POINTS, len(column) // 4)]]
    weights = np.arange(0.3, 2.01, 0.05)
    gaps = np.array([_lid_gap(face.positions, blink, edge, still, weight) for weight in weights])
    if gaps.min() > SHUT * width:
        return 0.0
    return float(weights[np.nonzero(gaps <= gaps.min() + NEARLY * width)[0][0]])


def _lid_gap(positions: Floats, blink: Floats, edge: NDArray[np.intp], still: NDArray[np.intp], weight: float) -> float:
    upper, lower = (positions[which] + blink[which] * np.float32(weight) for which in (edge, still))
    apart = np.linalg.norm(upper[:, None, 1:] - lower[None, :, 1:], axis=2)
    return float(np.median(apart.min(axis=1)))


def _unit(
    face: Face, surfaces: list[Surface], sides: list[NDArray[np.int8]], matches: Matches, figure: Figure
) -> float:
    usual = EYES_TO_MOUTH * figure.head
    eyes = [surface.positions[own != 0] for surface, own in zip(surfaces, sides, strict=True) if (own != 0).any()]
    _, lower = lips(face, matches)
    if not eyes or not len(lower):
        return usual
    cloud = np.concatenate(eyes)
    height = float((cloud[:, 1].min() + cloud[:, 1].max()) / 2 - face.positions[lower, 1].mean())
    return float(np.clip(height, 0.5 * usual, 2.0 * usual))
