"""Shapes that a file lacks, derived from bones or from similar shapes."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.figure import Figure
from mien.avatar.bake.names import Matches
from mien.avatar.gltf.scene import Surface

# Shape, source, weight. The first closes the lips over an open jaw; eyelids narrow or widen.
DERIVED: Final = (
    ("mouthClose", "jawOpen", -1.0),
    *((f"eyeSquint{side}", f"eyeBlink{side}", 0.3) for side in ("Left", "Right")),
    *((f"eyeWide{side}", f"eyeBlink{side}", -0.12) for side in ("Left", "Right")),
    ("mouthPucker", "mouthFunnel", 0.7),
    ("mouthFunnel", "mouthPucker", 0.7),
)
JAW_TURN_RAD: Final = math.radians(20.0)
# How far flat, drawn eyes turn: the usual VRM range maps. Further, an iris would leave its white.
GAZE_YAW_RAD: Final = math.radians(10.0)
GAZE_PITCH_RAD: Final = math.radians(8.0)
# Depth over width below which an eye is flat. An eyeball is about 1, a hemisphere 0.5.
BALL_DEPTH: Final = 0.38


def add_derived(matches: Matches) -> dict[str, str]:
    """Add the missing shapes that others can stand in for to `matches`. Returns each with its source."""
    made = {}
    for shape, source, weight in DERIVED:
        if shape not in matches and source in matches and source not in made:
            matches[shape] = [(target, weight * share, side) for target, share, side in matches[source]]
            made[shape] = source
    return made


def add_jaw(surfaces: list[Surface], matches: Matches, jaw: NDArray[np.bool_], pivot: NDArray[np.float64]) -> bool:
    """Derive jawOpen from a jaw bone. jaw: a mask of the bone and its descendants. False if it moves nothing."""
    name, moved = "(jaw bone)", False
    turn = rotation(JAW_TURN_RAD, 0.0)
    for surface in surfaces:
        share = surface.bones.share(jaw)
        if share.max(initial=0) > 0.05:
            surface.targets[name] = turned(surface.positions, pivot, turn) * share[:, None]
            moved = True
    if moved:
        matches["jawOpen"] = [(name, 1.0, 0)]
    return moved


def is_ball(surfaces: list[Surface], sides: list[NDArray[np.int8]]) -> bool:
    """Whether the eyes are eyeballs, rather than irises drawn on cards."""
    for side in (1, -1):
        clouds = [surface.positions[own == side] for surface, own in zip(surfaces, sides, strict=True)]
        cloud = np.concatenate(clouds)
        if len(cloud):
            span = np.ptp(cloud, axis=0)
            if span[2] < BALL_DEPTH * max(span[0], span[1]):
                return False
    return True


def add_gaze(
    surfaces: list[Surface],
    sides: list[NDArray[np.int8]],
    matches: Matches,
    joints: tuple[NDArray[np.float64] | None, NDArray[np.float64] | None],
    figure: Figure,
) -> list[str]:
    """Derive eyeLook shapes for flat eyes that no target moves; return them. joints: of the eye bones, left first."""
    made = []
    for side, label, joint in ((1, "Left", joints[0]), (-1, "Right", joints[1])):
        cloud = np.concatenate([surface.positions[own == side] for surface, own in zip(surfaces, sides, strict=True)])
        if not len(cloud):
            continue
        pivot = joint if joint is not None else cloud.mean(axis=0) - (0, 0, 0.12 * figure.head)
        ways = (("Up", -1, 0), ("Down", 1, 0), ("Out", 0, side), ("In", 0, -side))
        for way, pitch, yaw in ways:
            shape = f"eyeLook{way}{label}"
            if _moves(surfaces, sides, side, matches.get(shape, [])):
                continue
            turn = rotation(pitch * GAZE_PITCH_RAD, yaw * GAZE_YAW_RAD)
            for surface, own in zip(surfaces, sides, strict=True):
                if (own == side).any():
                    surface.targets[f"(gaze) {shape}"] = np.where(
                        (own == side)[:, None], turned(surface.positions, pivot, turn), np.float32(0)
                    )
            matches.setdefault(shape, []).append((f"(gaze) {shape}", 1.0, 0))
            made.append(shape)
    return made


def _moves(
    surfaces: list[Surface], sides: list[NDArray[np.int8]], side: int, binds: list[tuple[str, float, int]]
) -> bool:
    return any(
        float(np.abs(surface.targets[target][own == side]).max(initial=0)) > 0
        for surface, own in zip(surfaces, sides, strict=True)
        for target, _, _ in binds
        if target in surface.targets
    )


def rotation(pitch: float, yaw: float) -> NDArray[np.float64]:
    """A rotation matrix (3, 3). Positive pitch looks down, positive yaw towards +x."""
    sp, cp, sy, cy = math.sin(pitch), math.cos(pitch), math.sin(yaw), math.cos(yaw)
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    turn: NDArray[np.float64] = about_y @ about_x
    return turn


def turned(
    positions: NDArray[np.float32], pivot: NDArray[np.float64], turn: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What a rotation about `pivot` adds to positions, (V, 3)."""
    arm = positions - pivot
    return (arm @ turn.T - arm).astype(np.float32)
