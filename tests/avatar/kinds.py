"""Typical avatar files, made from the shipped avatar: full bodies, VRM, one mesh with parts."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from avatar.glb_file import GlbFile
from mien.avatar.load import load_avatar
from mien.core.mesh import Mesh, Part

Rows = np.ndarray
LIFT = np.array([0.0, 1.55, 0.0])
JOINTS = ("Hips", "Spine", "Neck", "Head", "LeftEye", "RightEye", "LeftArm", "LeftForeArm", "RightArm", "RightForeArm")
PLACES = {
    "Hips": (0, 0.95, 0), "Spine": (0, 1.15, 0), "Neck": (0, 1.38, -0.02), "Head": (0, 1.45, -0.016),
    "LeftEye": (0.0342, 1.55, 0.0485), "RightEye": (-0.0342, 1.55, 0.0485),
    "LeftArm": (0.17, 1.33, -0.02), "LeftForeArm": (0.42, 1.33, -0.02),
    "RightArm": (-0.17, 1.33, -0.02), "RightForeArm": (-0.42, 1.33, -0.02),
}  # fmt: skip
PARENTS = {
    "Spine": "Hips", "Neck": "Spine", "Head": "Neck", "LeftEye": "Head", "RightEye": "Head",
    "LeftArm": "Spine", "LeftForeArm": "LeftArm", "RightArm": "Spine", "RightForeArm": "RightArm",
}  # fmt: skip


def few_shapes(maker: "Maker") -> "Maker":
    """Reduce an avatar to a few shapes, which take most of the time of a bake."""
    few = ("jawOpen", "mouthSmileLeft", "eyeBlinkLeft", "browInnerUp")
    maker.mesh = replace(maker.mesh, targets=tuple(target for target in maker.mesh.targets if target.name in few))
    return maker


def of_part(mesh: Mesh, part: Part) -> tuple[Rows, Rows, Rows, Rows, dict[str, Rows], Rows]:
    """Positions, normals, uvs, triangles, dense targets and linear colours of one part."""
    used, flat = np.unique(mesh.indices[part.first_index : part.first_index + part.index_count], return_inverse=True)
    targets = {}
    for target in mesh.targets:
        dense = np.zeros_like(mesh.positions)
        dense[target.vertices] = target.positions
        if dense[used].any() or part.role == "skin":
            targets[target.name] = dense[used]
    colors = (mesh.colors[used, :3] / 255.0) ** 2.2
    return mesh.positions[used], mesh.normals[used], mesh.uvs[used], flat.reshape(-1, 3), targets, colors


def tube(start: Rows, end: Rows, radius: tuple[float, float], rings: int = 14) -> tuple[Rows, Rows]:
    """Points and triangles of a round tube along an axis."""
    along = np.linspace(0, 1, rings)[:, None]
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)[None, :]
    axis = (end - start) / np.linalg.norm(end - start)
    side = np.cross(axis, [0, 0, 1.0])
    other = np.cross(axis, side)
    size = radius[0] + (radius[1] - radius[0]) * along
    points = start + along[..., None] * (end - start) + (size * np.cos(turn))[..., None] * side
    points = points + (size * np.sin(turn))[..., None] * other
    r, c = np.meshgrid(np.arange(rings - 1), np.arange(18), indexing="ij")
    a, b = r * 18 + c, r * 18 + (c + 1) % 18
    tris = np.concatenate(
        [np.stack([a, b, a + 18], -1).reshape(-1, 3), np.stack([b, b + 18, a + 18], -1).reshape(-1, 3)]
    )
    return points.reshape(-1, 3), tris


def image(rgba: Rows, suffix: str) -> bytes:
    """An encoded PNG or JPEG."""
    import pygame

    stream = io.BytesIO()
    surface = pygame.image.frombuffer(np.ascontiguousarray(rgba).tobytes(), (rgba.shape[1], rgba.shape[0]), "RGBA")
    pygame.image.save(surface, stream, f"x.{suffix}")
    return stream.getvalue()


class Maker:
    """Builds one file. quantize: positions and deltas as KHR_mesh_quantization writes them, interleaved."""

    def __init__(self, *, quantize: bool = False) -> None:
        self.file = GlbFile()
        self.file.json.update(images=[], textures=[], skins=[])
        self.mesh = load_avatar(None)
        self.quantize = quantize
        self.joints: dict[str, int] = {}
        self.roots: list[int] = []

    def skeleton(self, rename: Any = str) -> None:
        """Add the joints of a T pose."""
        nodes = self.file.json["nodes"]
        for name in JOINTS:
            self.joints[name] = len(nodes)
            above = np.array(PLACES[PARENTS[name]]) if name in PARENTS else np.zeros(3)
            nodes.append({"name": rename(name), "translation": (np.array(PLACES[name]) - above).tolist()})
        for name, parent in PARENTS.items():
            nodes[self.joints[parent]].setdefault("children", []).append(self.joints[name])
        inverse = np.tile(np.eye(4), (len(JOINTS), 1, 1))
        inverse[:, :3, 3] = [-np.array(PLACES[name]) for name in JOINTS]
        matrices = self.file.add(inverse.transpose(0, 2, 1).reshape(-1, 16))
        self.file.json["skins"].append(
            {"joints": [self.joints[name] for name in JOINTS], "inverseBindMatrices": matrices}
        )
        self.roots.append(self.joints["Hips"])

    def texture(self, rgba: Rows, suffix: str = "png") -> int:
        file = self.file
        file.json["images"].append({"bufferView": file.view(image(rgba, suffix)), "mimeType": f"image/{suffix}"})
        file.json["textures"].append({"source": len(file.json["images"]) - 1})
        return len(file.json["textures"]) - 1

    def material(self, name: str, texture: int = -1, **more: Any) -> int:
        base: dict[str, Any] = {"roughnessFactor": 0.7}
        if texture >= 0:
            base["baseColorTexture"] = {"index": texture}
        base |= more.pop("pbr", {})
        self.file.json["materials"].append({"name": name, "pbrMetallicRoughness": base, **more})
        return len(self.file.json["materials"]) - 1

    def positions(self, points: Rows) -> int:
        if not self.quantize:
            return self.file.add(points)
        rows = np.zeros((len(points), 4), dtype="<i2")
        rows[:, :3] = np.rint(points / 2.0 * 32767)
        view = self.file.view(rows.tobytes(), byteStride=8)
        return self.file.accessor(len(points), 3, "i2", bufferView=view, normalized=True)

    def primitive(
        self,
        points: Rows,
        normals: Rows,
        uvs: Rows,
        tris: Rows,
        targets: dict[str, Rows],
        material: int,
        joint: Rows | str,
        colors: Rows | None = None,
    ) -> dict[str, Any]:
        """joint: a name, or weights (V, 10)."""
        file = self.file
        attributes = {
            "POSITION": self.positions(points),
            "NORMAL": file.add(normals),
            "TEXCOORD_0": file.add(uvs),
        }
        if colors is not None:
            attributes["COLOR_0"] = file.add(np.rint(colors * 65535), "u2", normalized=True)
        if self.joints:
            weights = np.zeros((len(points), len(JOINTS)))
            if isinstance(joint, str):
                weights[:, JOINTS.index(joint)] = 1
            else:
                weights = joint
            slots = np.argsort(-weights, axis=1)[:, :4]
            shares = np.take_along_axis(weights, slots, axis=1)
            shares = np.rint(shares / shares.sum(axis=1, keepdims=True) * 255)
            attributes["JOINTS_0"] = file.add(slots, "u1")
            attributes["WEIGHTS_0"] = file.add(shares, "u1", normalized=True)
        entry: dict[str, Any] = {
            "attributes": attributes, "indices": file.add(tris.reshape(-1), "u2"), "material": material
        }  # fmt: skip
        if targets:
            entry["targets"] = [
                {"POSITION": self.positions(delta) if self.quantize else file.add_sparse(delta)}
                for delta in targets.values()
            ]
        return entry

    def node(self, name: str, primitives: list[dict[str, Any]], names: list[str], **more: Any) -> int:
        file = self.file
        file.json["meshes"].append({"name": name, "primitives": primitives, "extras": {"targetNames": names}})
        skin = {"skin": 0} if self.joints else {}
        scale = {"scale": [2.0] * 3} if self.quantize and not self.joints else {}
        file.json["nodes"].append({"name": name, "mesh": len(file.json["meshes"]) - 1, **skin, **scale, **more})
        self.roots.append(len(file.json["nodes"]) - 1)
        return self.roots[-1]

    def save(self, path: Path) -> Path:
        self.file.json["scenes"] = [{"nodes": self.roots}]
        return self.file.save(path)

    def body(self, material: int) -> list[dict[str, Any]]:
        """A torso and arms in a T pose, legs."""
        submeshes = []
        for start, end, radius, inner, outer in (
            ((0, 0.85, -0.02), (0, 1.40, -0.02), (0.15, 0.15), "Hips", "Spine"),
            ((0.13, 1.33, -0.02), (0.42, 1.33, -0.02), (0.06, 0.05), "Spine", "LeftArm"),
            ((0.40, 1.33, -0.02), (0.66, 1.33, -0.02), (0.05, 0.035), "LeftArm", "LeftForeArm"),
            ((-0.13, 1.33, -0.02), (-0.42, 1.33, -0.02), (0.06, 0.05), "Spine", "RightArm"),
            ((-0.40, 1.33, -0.02), (-0.66, 1.33, -0.02), (0.05, 0.035), "RightArm", "RightForeArm"),
            ((0.08, 0.05, 0), (0.08, 0.9, 0), (0.06, 0.09), "Hips", "Hips"),
            ((-0.08, 0.05, 0), (-0.08, 0.9, 0), (0.06, 0.09), "Hips", "Hips"),
        ):
            points, tris = tube(np.array(start, float), np.array(end, float), radius)
            along = np.linalg.norm(points - np.array(start), axis=1) / np.linalg.norm(np.subtract(end, start))
            weights = np.zeros((len(points), len(JOINTS)))
            weights[:, JOINTS.index(outer)] = np.clip(along * 4, 0, 1)
            weights[:, JOINTS.index(inner)] += 1 - np.clip(along * 4, 0, 1)
            normals = np.tile([0.0, 0, 1], (len(points), 1))
            submeshes.append((points, normals, np.zeros((len(points), 2)), tris, weights))
        starts = np.cumsum([0, *(len(submesh[0]) for submesh in submeshes)])
        joined = [np.concatenate([submesh[k] for submesh in submeshes]) for k in (0, 1, 2, 4)]
        tris = np.concatenate([submesh[3] + start for submesh, start in zip(submeshes, starts, strict=False)])
        return [self.primitive(joined[0], joined[1], joined[2], tris, {}, material, joined[3])]


def _part(mesh: Mesh, name: str) -> Part | None:
    """A part by name, else by role; None if there is none."""
    named = [part for part in mesh.parts if part.name == name]
    return next(iter([*named, *(part for part in mesh.parts if part.role == name)]), None)


def strands(texture: Rows) -> Rows:
    """Hair with gaps between its strands."""
    rgba = texture.copy()
    rows = np.arange(rgba.shape[1]) % 16 < 3
    rgba[:, rows, 3] = 0
    return rgba


def full_body(
    names: Any = str, *, quantize: bool = False, rename_joints: Any = str, hair_alpha: str = "BLEND", few: bool = False
) -> Maker:
    """Like Ready Player Me: skinned meshes for head, teeth, eyes, hair and outfit, in a T pose."""
    maker = few_shapes(Maker(quantize=quantize)) if few else Maker(quantize=quantize)
    mesh, scale = maker.mesh, 2.0 if quantize else 1.0
    maker.skeleton(rename_joints)
    if quantize:
        # As in gltfpack, the inverse bind matrices undo the quantization.
        accessor = maker.file.json["accessors"][maker.file.json["skins"][0]["inverseBindMatrices"]]
        at = maker.file.json["bufferViews"][accessor["bufferView"]]["byteOffset"]
        matrices = np.frombuffer(bytes(maker.file.binary[at : at + 640]), "<f4").reshape(-1, 4, 4).copy()
        matrices[:, :3] *= scale
        maker.file.binary[at : at + 640] = matrices.astype("<f4").tobytes()
        maker.file.json["extensionsRequired"] = ["KHR_mesh_quantization"]
    for number, (part, label, joint) in enumerate(
        (
            ("skin", "Wolf3D_Head", "Head"),
            ("mouth", "Wolf3D_Teeth", "Head"),
            ("eye_left", "EyeLeft", "LeftEye"),
            ("eye_right", "EyeRight", "RightEye"),
            ("hair", "Wolf3D_Hair", "Head"),
        )
    ):
        found = _part(mesh, part)
        if found is None:
            continue
        points, normals, uvs, tris, targets, colors = of_part(mesh, found)
        weights: Any = joint
        if part == "skin":
            weights = np.zeros((len(points), len(JOINTS)))
            share = np.clip((points[:, 1] + 0.20) / 0.1, 0, 1)
            weights[:, JOINTS.index("Head")], weights[:, JOINTS.index("Neck")] = share, 1 - share
        paint = mesh.textures[found.texture] if found.texture >= 0 else None
        more: dict[str, Any] = {}
        if part == "hair":
            paint, more = strands(mesh.textures[found.texture]), {"alphaMode": hair_alpha, "doubleSided": True}
        texture = -1 if paint is None else maker.texture(paint, "png" if part == "hair" else ("jpg", "png")[number % 2])
        material = maker.material(f"Wolf3D_{label.split('_')[-1]}", texture, **more)
        renamed = {names(name): delta for name, delta in targets.items()}
        entry = maker.primitive(points + LIFT, normals, uvs, tris, renamed, material, weights, colors)
        maker.node(label, [entry], list(renamed))
    outfit = maker.material("Wolf3D_Outfit_Top", pbr={"baseColorFactor": [0.05, 0.2, 0.25, 1.0]})
    maker.node("Wolf3D_Outfit_Top", maker.body(outfit), [])
    return maker


def anime(version: int) -> Maker:
    """Like VRoid Studio: one face mesh of many primitives, flat eyes moved by bones, expressions, MToon.

    version 0 faces -Z.
    """
    bones = {name: f"J_Bip_{name}" for name in JOINTS} | {"LeftEye": "J_Adj_L_FaceEye", "RightEye": "J_Adj_R_FaceEye"}
    maker = Maker()
    mesh = maker.mesh
    maker.skeleton(lambda name: bones[name])
    keep = (
        "jawOpen",
        "mouthPucker",
        "mouthFunnel",
        "mouthStretchLeft",
        "mouthSmileLeft",
        "eyeBlinkLeft",
        "eyeBlinkRight",
    )
    fcl = dict(zip(keep, ("MTH_A", "MTH_U", "MTH_O", "MTH_E", "MTH_Fun", "EYE_Close_L", "EYE_Close_R"), strict=True))
    names = [f"Fcl_{fcl[name]}" for name in keep]
    entries = []
    for part, label, joint in (
        ("skin", "N00_000_Face_00_SKIN", "Head"),
        ("mouth", "N00_000_FaceMouth_00_FACE", "Head"),
        ("eye_left", "N00_000_EyeWhite_00_EYE", "Head"),
        ("eye_right", "N00_001_EyeWhite_00_EYE", "Head"),
        ("lashes", "N00_000_FaceEyelash_00_FACE", "Head"),
        ("hair", "N00_000_Hair_00_HAIR", "Head"),
    ):
        found = _part(mesh, part)
        if found is None:
            continue
        points, normals, uvs, tris, targets, colors = of_part(mesh, found)
        dense = {name: targets.get(name, np.zeros_like(points)) for name in keep}
        pbr = {} if found.texture >= 0 and "Eye" not in label else {"baseColorFactor": [1.0, 1.0, 1.0, 1.0]}
        texture = maker.texture(mesh.textures[found.texture]) if not pbr else -1
        material = maker.material(
            label, texture, pbr=pbr, doubleSided="Hair" in label, extensions={"KHR_materials_unlit": {}}
        )
        entries.append(maker.primitive(points + LIFT, normals, uvs, tris, dense, material, joint, colors))
    disc = maker.material("N00_000_EyeIris_00_EYE", maker.texture(iris()), alphaMode="BLEND")
    for side, joint in ((1, "LeftEye"), (-1, "RightEye")):
        points, uvs, tris = card(side)
        dense = {name: np.zeros_like(points) for name in keep}
        normals = np.tile([0, 0, 1.0], (len(points), 1))
        entries.append(maker.primitive(points + LIFT, normals, uvs, tris, dense, disc, joint))
    face = maker.node("Face", entries, names)
    maker.node("Body", maker.body(maker.material("N00_Tops_01_CLOTH", pbr={"baseColorFactor": [0.3, 0.1, 0.1, 1]})), [])
    _expressions(maker, version, face, names)
    if version == 0:
        for node in maker.file.json["nodes"]:
            if "mesh" not in node:
                x, y, z = node["translation"]
                node["translation"] = [-x, y, -z]
        half_turn = np.diag([-1.0, 1, -1, 1])
        accessor = maker.file.json["accessors"][maker.file.json["skins"][0]["inverseBindMatrices"]]
        at = maker.file.json["bufferViews"][accessor["bufferView"]]["byteOffset"]
        matrices = np.frombuffer(bytes(maker.file.binary[at : at + 640]), "<f4").reshape(-1, 4, 4).transpose(0, 2, 1)
        # world' = turn * world, so that its rest pose faces -Z: the bind matrices contain the turn.
        turned = half_turn @ matrices
        maker.file.binary[at : at + 640] = turned.transpose(0, 2, 1).astype("<f4").tobytes()
    return maker


def _expressions(maker: Maker, version: int, face: int, names: list[str]) -> None:
    presets = (("a", "aa"), ("u", "ou"), ("o", "oh"), ("e", "ee"), ("fun", "relaxed"))
    blinks = (("blink_l", "blinkLeft"), ("blink_r", "blinkRight"))
    order = [*presets, *blinks]
    mesh = maker.file.json["nodes"][face]["mesh"]
    bone = {"head": "Head", "neck": "Neck", "leftEye": "LeftEye", "rightEye": "RightEye"}
    bone |= {"leftUpperArm": "LeftArm", "rightUpperArm": "RightArm"}
    if version == 0:
        groups = [
            {"name": old.upper(), "presetName": old, "binds": [{"mesh": mesh, "index": i, "weight": 100}]}
            for i, (old, _) in enumerate(order)
        ]
        humanoid = [{"bone": name, "node": maker.joints[joint]} for name, joint in bone.items()]
        maker.file.json["extensions"] = {
            "VRM": {
                "blendShapeMaster": {"blendShapeGroups": groups},
                "humanoid": {"humanBones": humanoid},
                "materialProperties": [{"shader": "VRM/MToon"} for _ in maker.file.json["materials"]],
            }
        }
        return
    preset = {
        new: {"morphTargetBinds": [{"node": face, "index": i, "weight": 1.0}]} for i, (_, new) in enumerate(order)
    }
    humanoid_1 = {name: {"node": maker.joints[joint]} for name, joint in bone.items()}
    maker.file.json["extensions"] = {
        "VRMC_vrm": {"specVersion": "1.0", "expressions": {"preset": preset}, "humanoid": {"humanBones": humanoid_1}}
    }
    assert len(names) == len(order)


def iris() -> Rows:
    """A round iris with a soft edge on a transparent background."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    far = np.hypot(x, y)
    rgba = np.zeros((64, 64, 4), dtype=np.uint8)
    rgba[..., :3] = np.where((far < 0.4)[..., None], (20, 10, 40), (90, 60, 200))
    rgba[..., 3] = np.clip((0.95 - far) * 20, 0, 1) * 255
    return rgba


def card(side: int) -> tuple[Rows, Rows, Rows]:
    """A square in front of an eyeball."""
    uvs = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype=float)
    points = np.c_[(uvs - 0.5) * [0.018, -0.018], np.zeros(4)] + [side * 0.0342, 0.0, 0.073]
    return points, uvs, np.array([[0, 1, 2], [0, 2, 3]])


def head_alone(names: Any = str, **node: Any) -> Maker:
    """A face without bones or shoulders: skin, mouth, eyes and hair, each its own node."""
    maker = few_shapes(Maker())
    mesh = maker.mesh
    for part in ("skin", "mouth", "eye_left", "eye_right", "hair", "lashes"):
        found = _part(mesh, part)
        if found is None:
            continue
        points, normals, uvs, tris, targets, colors = of_part(mesh, found)
        above = (points[tris, 1] > -0.15).all(axis=1)
        pbr = {} if found.texture >= 0 else {"baseColorFactor": [1.0, 1.0, 1.0, 1.0]}
        material = maker.material(
            part, maker.texture(mesh.textures[found.texture]) if not pbr else -1, pbr=pbr, doubleSided=part == "hair"
        )
        renamed = {names(name): delta for name, delta in targets.items()}
        entry = maker.primitive(points, normals, uvs, tris[above], renamed, material, "Head", colors)
        maker.node({"eye_left": "Eye_L", "eye_right": "Eye_R"}.get(part, part.title()), [entry], list(renamed), **node)
    return maker
