"""A hand-made GLB for tests to modify."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}


class GlbFile:
    """json: the asset, which tests may change before save(). add(): store an array as an accessor."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scenes": [{"nodes": [0]}],
            "nodes": [],
            "meshes": [],
            "materials": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [],
        }

    def view(self, content: bytes, **more: Any) -> int:
        self.binary += b"\0" * (-len(self.binary) % 8)
        entry = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content), **more}
        self.binary += content
        self.json["bufferViews"].append(entry)
        return len(self.json["bufferViews"]) - 1

    def accessor(self, count: int, width: int, kind: str, **more: Any) -> int:
        entry = {"componentType": COMPONENTS[kind], "count": count, "type": TYPES[width], **more}
        self.json["accessors"].append(entry)
        return len(self.json["accessors"]) - 1

    def add(self, array: np.ndarray, kind: str = "f4", **more: Any) -> int:
        values = np.atleast_2d(np.asarray(array).astype("<" + kind).T).T
        return self.accessor(len(values), values.shape[1], kind, bufferView=self.view(values.tobytes()), **more)

    def add_sparse(self, array: np.ndarray) -> int:
        rows = np.nonzero(np.abs(array).max(axis=1))[0]
        indices, values = self.view(rows.astype("<u2").tobytes()), self.view(array[rows].astype("<f4").tobytes())
        sparse = {
            "count": len(rows),
            "indices": {"bufferView": indices, "componentType": 5123},
            "values": {"bufferView": values},
        }
        return self.accessor(len(array), 3, "f4", sparse=sparse)

    def save(self, path: Path) -> Path:
        self.json["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.json).encode()
        text += b" " * (-len(text) % 4)
        binary = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
        total = 12 + 8 + len(text) + 8 + len(binary)
        head = b"glTF" + struct.pack("<II", 2, total)
        body = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
        path.write_bytes(head + body)
        return path


def ball(center: tuple[float, float, float], radius: float, rings: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) and triangles (F, 3) of a sphere."""
    v, u = np.meshgrid(np.linspace(0.05, np.pi - 0.05, rings), np.linspace(0, 2 * np.pi, rings, False), indexing="ij")
    points = np.stack([np.sin(v) * np.sin(u), np.cos(v), np.sin(v) * np.cos(u)], axis=-1).reshape(-1, 3)
    r, c = np.meshgrid(np.arange(rings - 1), np.arange(rings), indexing="ij")
    a, b = r * rings + c, r * rings + (c + 1) % rings
    tris = np.concatenate(
        [np.stack([a, a + rings, b], -1).reshape(-1, 3), np.stack([b, a + rings, b + rings], -1).reshape(-1, 3)]
    )
    return points * radius + np.array(center), tris


def add_mesh(
    file: GlbFile, name: str, points: np.ndarray, tris: np.ndarray, shapes: dict[str, np.ndarray], **node: Any
) -> int:
    """Add a mesh with a node. Shapes are stored sparse and dense alternately."""
    primitive: dict[str, Any] = {
        "attributes": {"POSITION": file.add(points), "TEXCOORD_0": file.add(points[:, :2])},
        "indices": file.add(tris.reshape(-1), "u2"),
    }
    if shapes:
        primitive["targets"] = [
            {"POSITION": file.add_sparse(delta) if i % 2 else file.add(delta)}
            for i, delta in enumerate(shapes.values())
        ]
    file.json["meshes"].append({"name": name, "primitives": [primitive], "extras": {"targetNames": list(shapes)}})
    file.json["nodes"].append({"name": name, "mesh": len(file.json["meshes"]) - 1, **node})
    return len(file.json["nodes"]) - 1


def head(names: tuple[str, ...] = ("jawOpen", "eyeBlink_L", "eyeBlink_R", "mouthSmileLeft")) -> GlbFile:
    """A ball as a head, with targets that lower its chin, and two eyeballs."""
    file = GlbFile()
    points, tris = ball((0, 0, 0), 0.12, 15)
    lower = np.zeros_like(points)
    lower[:, 1] = -0.02 * (points[:, 1] < -0.03)
    add_mesh(file, "Head", points, tris, {name: lower * (1 + 0.1 * i) for i, name in enumerate(names)})
    for side, label in ((1, "EyeLeft"), (-1, "EyeRight")):
        eye, eye_tris = ball((side * 0.03, 0.03, 0.1), 0.014)
        add_mesh(file, label, eye, eye_tris, {})
    file.json["scenes"] = [{"nodes": [0, 1, 2]}]
    return file
