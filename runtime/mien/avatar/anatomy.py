"""Where head, neck and eyes are in a scene: by VRM's humanoid bones, by the names of joints, or by shape."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.avatar.glb import Glb
from mien.avatar.scene import Scene, Surface

_EYE = re.compile(
    r"(?<![a-z])eye(?!brow|lash|lid|line|shadow|glass|_?brow|_?lash|_?lid)|eyeball|iris|cornea|sclera", re.I
)
_NO_EYE = re.compile(r"brow|lash|lid|liner|glass|shadow|wear|occlu|eyes?_?line", re.I)


@dataclass(kw_only=True)
class Anatomy:
    """Node indices (-1: unknown) of the head, neck and eye joints."""

    head: int
    neck: int
    eyes: tuple[int, int]


def find_anatomy(glb: Glb) -> Anatomy:
    """VRM's humanoid map where there is one, else names as exporters give them."""
    bones = _humanoid(glb)
    names = [node.name for node in glb.json.nodes]

    def named(pattern: str) -> int:
        hits = [i for i, name in enumerate(names) if re.search(pattern, name, re.I) and glb.json.nodes[i].mesh is None]
        return min(hits, key=lambda i: len(names[i])) if hits else -1

    return Anatomy(
        head=bones.get("head", named(r"(?:^|[\W_:])head$|^head|[_:]head$")),
        neck=bones.get("neck", named(r"(?:^|[\W_:])neck\d*$|^neck")),
        eyes=(
            bones.get("leftEye", named(r"left_?eye$|eye_?l$|eye[._ ]?left$|l_faceeye$")),
            bones.get("rightEye", named(r"right_?eye$|eye_?r$|eye[._ ]?right$|r_faceeye$")),
        ),
    )


def _humanoid(glb: Glb) -> dict[str, int]:
    count = len(glb.json.nodes)
    new = dig(glb.json.extensions, "VRMC_vrm", "humanoid", "humanBones")
    old = dig(glb.json.extensions, "VRM", "humanoid", "humanBones")
    pairs = []
    if isinstance(new, dict):
        pairs = [(name, entry.get("node")) for name, entry in new.items() if isinstance(entry, dict)]
    elif isinstance(old, list):
        pairs = [(entry.get("bone"), entry.get("node")) for entry in old if isinstance(entry, dict)]
    return {name: node for name, node in pairs if isinstance(name, str) and type(node) is int and 0 <= node < count}


def dig(value: object, *keys: str) -> object:
    """value[key][key]..., or None where a level is missing or no object."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def below(parents: list[int], top: int) -> NDArray[np.bool_]:
    """Which nodes hang under `top`, itself included."""
    under = np.zeros(len(parents), dtype=bool)
    for start in range(len(parents)):
        at = start
        while at not in (-1, top):
            at = parents[at]
        under[start] = at == top and top != -1
    return under


def eye_sides(surface: Surface, anatomy: Anatomy) -> NDArray[np.int8]:
    """For each vertex 1 (left eyeball), -1 (right eyeball) or 0: by its joint, else by the surface's name."""
    sides = np.zeros(len(surface.positions), dtype=np.int8)
    for side, joint in zip((1, -1), anatomy.eyes, strict=True):
        if joint != -1:
            sides[surface.joints == joint] = side
    if sides.any() or not _EYE.search(surface.name) or _NO_EYE.search(surface.name):
        return sides
    middle = surface.positions[:, 0]
    if middle.min() > 0 or middle.max() < 0:
        sides[:] = 1 if middle.mean() > 0 else -1
        return sides
    return np.where(middle > 0, 1, -1).astype(np.int8)


def faces_backward(glb: Glb) -> bool:
    """VRM 0.x looks along -Z; glTF and VRM 1.0 along +Z."""
    return "VRM" in glb.json.extensions and "VRMC_vrm" not in glb.json.extensions


def head_joints(scene: Scene, anatomy: Anatomy) -> NDArray[np.bool_]:
    """Which nodes turn with the head."""
    return below(scene.parents, anatomy.head)
