"""The bones that matter for a face, found in VRM's humanoid map or by the names that exporters use."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.scene import Surface
from mien.avatar.gltf.schema import dig

_RIG: Final = r"(?:mixamorig\d*|ccbase|jbip|jadj|jsec|def|bip0?0?1?|valvebiped|bone|c|armature)?"
_NAMES: Final = {
    "head": rf"{_RIG}c?head(?:01|0|1|x)?",
    "neck": rf"{_RIG}c?neck(?:01|1|0|x|lower|twist01)?",
    "jaw": rf"{_RIG}c?(?:jaw|jawroot|lowerjaw|mandible|jawbone|jawmaster)(?:01|0)?",
    "leftEye": rf"{_RIG}(?:lefteye(?:ball)?|eye(?:ball)?(?:01)?(?:l|left)|l(?:face)?eye(?:ball)?)",
    "rightEye": rf"{_RIG}(?:righteye(?:ball)?|eye(?:ball)?(?:01)?(?:r|right)|r(?:face)?eye(?:ball)?)",
    "leftUpperArm": rf"{_RIG}(?:(?:left|l)(?:upper)?arm|(?:upper)?arm(?:01)?(?:l|left)|(?:left|l)shldr)",
    "rightUpperArm": rf"{_RIG}(?:(?:right|r)(?:upper)?arm|(?:upper)?arm(?:01)?(?:r|right)|(?:right|r)shldr)",
}
_EYE: Final = re.compile(r"^(?:eyes?|eyeballs?|iris|irises|cornea|corneas|sclera|pupils?|eyewhites?|eyehighlights?)$")
_NO_EYE: Final = frozenset(
    [
        "brow",
        "brows",
        "eyebrow",
        "eyebrows",
        "lash",
        "lashes",
        "eyelash",
        "eyelashes",
        "lid",
        "lids",
        "eyelid",
        "eyelids",
        "line",
        "liner",
        "eyeline",
        "glasses",
        "shadow",
        "wear",
        "ao",
        "blend",
        "wet",
        "meniscus",
        "occlusion",
        "tear",
        "tearline",
        "tears",
        "extra",
        "socket",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Node indices, -1 where unknown. arms: the upper arms that were found, up to two."""

    head: int
    neck: int
    jaw: int
    eyes: tuple[int, int]
    arms: tuple[int, ...]


def find_anatomy(glb: Glb) -> Anatomy:
    """Find the bones. VRM's humanoid map takes precedence over names."""
    bones = {**_named(glb), **_humanoid(glb)}
    arms = tuple(bones[name] for name in ("leftUpperArm", "rightUpperArm") if name in bones)
    return Anatomy(
        head=bones.get("head", -1),
        neck=bones.get("neck", -1),
        jaw=bones.get("jaw", -1),
        eyes=(bones.get("leftEye", -1), bones.get("rightEye", -1)),
        arms=arms,
    )


def _named(glb: Glb) -> dict[str, int]:
    joints = {joint for skin in glb.json.skins for joint in skin.joints}
    found: dict[str, int] = {}
    for index, node in enumerate(glb.json.nodes):
        if node.mesh is not None:
            continue
        key = re.sub(r"[^0-9a-z]", "", node.name.split(":")[-1].lower())
        for bone, pattern in _NAMES.items():
            # Prefer a joint of a skin: another node of the same name may be a rig control that moves nothing.
            better = bone not in found or (index in joints and found[bone] not in joints)
            if len(key) < 60 and better and re.fullmatch(pattern, key):
                found[bone] = index
    return found


def _humanoid(glb: Glb) -> dict[str, int]:
    count = len(glb.json.nodes)
    new = dig(glb.json.extensions, "VRMC_vrm", "humanoid", "humanBones")
    old = dig(glb.json.extensions, "VRM", "humanoid", "humanBones")
    pairs: list[tuple[object, object]] = []
    if isinstance(new, dict):
        pairs = [(name, dig(entry, "node")) for name, entry in new.items()]
    elif isinstance(old, list):
        pairs = [(dig(entry, "bone"), dig(entry, "node")) for entry in old]
    return {name: node for name, node in pairs if isinstance(name, str) and type(node) is int and 0 <= node < count}


def words(name: str) -> list[str]:
    """The words of a name, in lower case: "N00_FaceEyeline Wolf3D_Hair" is n, 00, face, eyeline, wolf, 3, d, hair."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def eye_sides(surface: Surface, anatomy: Anatomy, middle: float, by_name: bool = True) -> NDArray[np.int8]:
    """int8 (V,): 1 for a vertex of the left eyeball, -1 of the right, 0 of neither.

    Decided by joint; with by_name, else by the surface's name. middle: the x of the face's centre.
    """
    sides = np.zeros(len(surface.positions), dtype=np.int8)
    parts = words(surface.name)
    if not _NO_EYE.isdisjoint(parts):
        return sides
    for side, joint in zip((1, -1), anatomy.eyes, strict=True):
        if joint != -1:
            sides[(surface.bones.weights * (surface.bones.nodes == joint)).sum(axis=1) > 0.5] = side
    if sides.any() or not by_name or not any(_EYE.match(word) for word in parts):
        return sides
    return np.where(surface.positions[:, 0] > middle, 1, -1).astype(np.int8)


def faces_backward(glb: Glb) -> bool:
    """Whether the figure faces -Z, as in VRM 0.x. In glTF and VRM 1.0 it faces +Z."""
    return "VRM" in glb.json.extensions and "VRMC_vrm" not in glb.json.extensions
