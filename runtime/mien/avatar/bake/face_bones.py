"""ARKit shapes made from the joints of a face that has no blend shapes: lids, lip corners, lips, brows.

The jaw's own joint makes jawOpen in `derived_shapes`. Amounts are rough; `calibration` measures what they do.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.anatomy import Anatomy, words
from mien.avatar.bake.derived_shapes import rotation, turned
from mien.avatar.bake.names import Matches
from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.nodes import Nodes, descendants
from mien.avatar.gltf.scene import Surface

LEFT: Final = frozenset({"l", "left", "lft", "lf"})
RIGHT: Final = frozenset({"r", "right", "rgt", "rt"})
UPPER: Final = frozenset({"upper", "up", "top", "t", "upr", "uppr", "u"})
LOWER: Final = frozenset({"lower", "low", "bottom", "b", "lwr", "btm", "bot", "down"})
LID_TURN_RAD: Final = math.radians(32.0)
# The joints' movement at weight 1 in heights from mouth to eyes: (kind, outwards, up, forward) for each shape and side.
MOVES: Final[dict[str, tuple[tuple[str, float, float, float], ...]]] = {
    "mouthSmile*": (("corner", 0.06, 0.13, -0.05),),
    "mouthFrown*": (("corner", 0.01, -0.10, -0.01),),
    "mouthStretch*": (("corner", 0.10, -0.01, -0.04),),
    "mouthUpperUp*": (("upper lip", 0.0, 0.07, 0.02),),
    "mouthLowerDown*": (("lower lip", 0.0, -0.07, 0.01),),
    "browInnerUp": (("inner brow", 0.0, 0.11, 0.01), ("brow", 0.0, 0.08, 0.01)),
    "browOuterUp*": (("outer brow", 0.0, 0.11, 0.01), ("brow", 0.0, 0.10, 0.01)),
    "browDown*": (("inner brow", -0.02, -0.08, 0.01), ("outer brow", 0.0, -0.04, 0.0), ("brow", -0.01, -0.08, 0.01)),
    "mouthPucker": (("corner", -0.16, 0.0, 0.09), ("upper lip", 0.0, 0.0, 0.08), ("lower lip", 0.0, 0.0, 0.08)),
    "mouthFunnel": (("corner", -0.11, 0.0, 0.06), ("upper lip", 0.0, 0.03, 0.06), ("lower lip", 0.0, -0.03, 0.06)),
}
EYES_TO_MOUTH_OF_EYES: Final = 1.0  # in distances between the eyes, where no joint of the mouth is known


@dataclass(frozen=True, slots=True)
class FaceJoint:
    """One joint of a face. side: 1 the avatar's left, -1 its right, 0 the middle."""

    node: int
    kind: str
    side: int


def find_face_joints(glb: Glb) -> list[FaceJoint]:
    """The joints of lids, lips and brows, by the words of their names."""
    skinned = {joint for skin in glb.json.skins for joint in skin.joints}
    found = []
    for index in sorted(skinned & set(range(len(glb.json.nodes)))):
        name = glb.json.nodes[index].name.split(":")[-1]
        kind, side = kind_of(name)
        if kind:
            found.append(FaceJoint(index, kind, side))
    return found


def kind_of(name: str) -> tuple[str, int]:
    """What a joint moves ("upper lid", "corner", "inner brow", ...; "" for anything else) and its side."""
    spoken = [part for word in words(name) for part in _divided(word)]
    has = frozenset(spoken)
    side = 1 if has & LEFT else -1 if has & RIGHT else 0
    if has & {"lid", "eyelid", "lids", "eyelids"}:
        return ("lower lid" if has & LOWER else "upper lid"), side
    if has & {"brow", "eyebrow", "brows", "eyebrows"}:
        place = "inner " if has & {"inner", "in", "medial"} else "outer " if has & {"outer", "out", "lateral"} else ""
        return f"{place}brow", side
    if has & {"lip", "lips", "mouth"}:
        if has & {"corner", "corners"}:
            return "corner", side
        if has & UPPER:
            return "upper lip", side
        if has & LOWER:
            return "lower lip", side
    return "", side


def _divided(word: str) -> tuple[str, ...]:
    """A word that joins two: "upperlid" is upper, lid."""
    for end in ("eyelid", "eyebrow", "corner", "lid", "lip", "brow"):
        start = word.removesuffix(end)
        if start and start != word and word not in ("eyelid", "eyebrow"):
            return (start, end)
    return (word,)


def add_from_joints(
    surfaces: list[Surface], matches: Matches, joints: list[FaceJoint], nodes: Nodes, bones: Anatomy
) -> dict[str, str]:
    """Add the missing shapes that joints can make to `surfaces` and `matches`. Returns each with its source."""
    unit = _unit(joints, nodes, bones)
    if not unit > 0:
        return {}
    made = _blinks(surfaces, matches, joints, nodes, bones)
    for pattern, moves in MOVES.items():
        for side in (1, -1) if pattern.endswith("*") else (0,):
            shape = pattern.replace("*", "Left" if side > 0 else "Right")
            if shape not in matches and _moved(surfaces, shape, moves, side, joints, nodes, unit):
                matches[shape] = [(_name(shape), 1.0, 0)]
                made[shape] = "the joints of the face"
    return made


def _name(shape: str) -> str:
    return f"(joints) {shape}"


def _moved(
    surfaces: list[Surface],
    shape: str,
    moves: tuple[tuple[str, float, float, float], ...],
    side: int,
    joints: list[FaceJoint],
    nodes: Nodes,
    unit: float,
) -> bool:
    any_ = False
    known = {joint.kind for joint in joints}
    for kind, outward, up, forward in moves:
        if kind == "brow" and {"inner brow", "outer brow"} & known:
            continue  # a rig with inner and outer joints has them for this
        for joint in joints:
            if joint.kind == kind and (side in (0, joint.side) or joint.side == 0):
                by = np.array([outward * joint.side, up, forward]) * unit
                any_ |= _add(surfaces, shape, descendants(nodes.parents, {joint.node}), lambda _, by=by: by)
    return any_


def _blinks(
    surfaces: list[Surface], matches: Matches, joints: list[FaceJoint], nodes: Nodes, bones: Anatomy
) -> dict[str, str]:
    made = {}
    for side, label, eye in ((1, "Left", bones.eyes[0]), (-1, "Right", bones.eyes[1])):
        shape = f"eyeBlink{label}"
        if shape in matches:
            continue
        moved = False
        for kind, turn_rad in (("upper lid", LID_TURN_RAD), ("lower lid", -0.2 * LID_TURN_RAD)):
            for joint in joints:
                if (joint.kind, joint.side) == (kind, side):
                    pivot = nodes.worlds[eye if eye != -1 else joint.node][:3, 3]
                    turn = rotation(turn_rad, 0.0)
                    moved |= _add(
                        surfaces,
                        shape,
                        descendants(nodes.parents, {joint.node}),
                        lambda at, pivot=pivot, turn=turn: turned(at, pivot, turn),
                    )
        if moved:
            matches[shape] = [(_name(shape), 1.0, 0)]
            made[shape] = "the joints of the lids"
    return made


def _add(surfaces: list[Surface], shape: str, mask: NDArray[np.bool_], delta: object) -> bool:
    """Add what moves with the joints of `mask` to a shape. delta: from positions (V, 3) to deltas (V, 3) or (3,)."""
    assert callable(delta)
    any_ = False
    for surface in surfaces:
        share = surface.bones.share(mask)
        if share.max(initial=0) > 0.05:
            known = surface.targets.get(_name(shape), np.zeros_like(surface.positions))
            surface.targets[_name(shape)] = (known + delta(surface.positions) * share[:, None]).astype(np.float32)
            any_ = True
    return any_


def _unit(joints: list[FaceJoint], nodes: Nodes, bones: Anatomy) -> float:
    """The height from the mouth to the eyes, by the joints; 0 where they do not say."""
    eyes = [nodes.worlds[eye][:3, 3] for eye in bones.eyes if eye != -1]
    eyes = eyes or [nodes.worlds[joint.node][:3, 3] for joint in joints if "lid" in joint.kind]
    mouth = [nodes.worlds[joint.node][:3, 3] for joint in joints if joint.kind in ("corner", "upper lip", "lower lip")]
    if not eyes:
        return 0.0
    level = np.mean(eyes, axis=0)[1]
    if mouth:
        return float(max(level - np.mean(mouth, axis=0)[1], 0.0))
    across = [at[0] for at in eyes]
    return float(max(across) - min(across)) * EYES_TO_MOUTH_OF_EYES
