"""A fuzzer: every damaged head must bake or be refused with an AvatarError that names its file.

Long form: PYTHONPATH=tests python -m avatar.fuzz_glb --minutes 10 [--seed 1] [--keep FOLDER]
test_fuzz.py runs a slice.
"""

import argparse
import copy
import json
import random
import signal
import struct
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from avatar.glb_file import GlbFile, ball, head
from mien.avatar.bake import assembly
from mien.avatar.bake.pipeline import bake_glb
from mien.errors import AvatarError

CASE_SECONDS = 20
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 7, 255, 65_535, 2**31, 2**32, 2**63, 10**30, -(2**40), 0.5, -0.0, 1e-300, 1e308, "", "x",
    "SCALAR", "VEC3", "VEC4", "MAT4", "MASK", "BLEND", "data:,", "data:;base64,AAAA", "../secret", "Hair", "Eye",
    [], {}, [0], [[]], [1, 2, 3], [0.0] * 16, [1e9] * 4, {"a": {"b": []}}, ["jawOpen"] * 5, [{}] * 3, "j" * 10_000,
)  # fmt: skip


def png(width: int, height: int, depth: int = 3) -> bytes:
    """A small PNG."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    pixels = np.random.default_rng(0).integers(0, 256, (height, width * depth), dtype=np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[depth], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def painted() -> GlbFile:
    """Textures with alpha, a texture transform, colours, strips."""
    file = head()
    count = file.json["accessors"][0]["count"]
    file.json["images"] = [{"bufferView": file.view(png(8, 8, 4))}, {"bufferView": file.view(png(16, 4))}]
    file.json["textures"] = [{"source": 0}, {"source": 1}]
    transform = {"KHR_texture_transform": {"offset": [0.1, 0.2], "rotation": 0.3, "scale": [2, 0.5]}}
    file.json["materials"] = [
        {"name": "Hair", "alphaMode": "MASK", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}},
        {
            "name": "Skin",
            "doubleSided": True,
            "alphaMode": "BLEND",
            "pbrMetallicRoughness": {"baseColorTexture": {"index": 1, "extensions": transform}},
        },
    ]
    for mesh, material in enumerate((1, 0, 0)):
        file.json["meshes"][mesh]["primitives"][0]["material"] = material
    file.json["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"] = file.add(np.full((count, 4), 0.5))
    file.json["meshes"][1]["primitives"][0]["mode"] = 5
    return file


def skinned() -> GlbFile:
    """Joints, a VRM of both versions, a jaw bone instead of a jaw shape."""
    file = head(("Fcl_A", "blink"))
    count = file.json["accessors"][0]["count"]
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]
    weights = np.random.default_rng(0).random((count, 4))
    attributes["JOINTS_0"] = file.add(np.tile([0, 1, 2, 0], (count, 1)), "u1")
    attributes["WEIGHTS_0"] = file.add(weights / weights.sum(axis=1, keepdims=True))
    file.json["nodes"] += [
        {"name": "Neck", "children": [4]},
        {"name": "Head", "children": [5, 6]},
        {"name": "Jaw", "translation": [0, 0.01, 0]},
        {"name": "LeftArm", "children": [7]},
        {"name": "LeftForeArm", "translation": [0.3, 0, 0]},
    ]
    file.json["scenes"][0]["nodes"].append(3)
    inverse = np.tile(np.eye(4).reshape(1, 16), (3, 1))
    file.json["skins"] = [{"joints": [3, 4, 5], "inverseBindMatrices": file.add(inverse)}]
    file.json["nodes"][0]["skin"] = 0
    bind = {"node": 0, "mesh": 0, "index": 0, "weight": 1.0}
    bones = {"head": {"node": 4}, "leftEye": {"node": 5}, "leftUpperArm": {"node": 6}}
    file.json["extensions"] = {
        "VRMC_vrm": {
            "humanoid": {"humanBones": bones},
            "expressions": {"preset": {"aa": {"morphTargetBinds": [bind]}}},
        },
        "VRM": {"blendShapeMaster": {"blendShapeGroups": [{"name": "A", "presetName": "a", "binds": [bind]}]}},
    }
    return file


def compressed() -> GlbFile:
    """A meshopt stream, sparse targets, quantized positions."""
    from avatar.meshopt_encoder import encode_attributes

    file = head()
    points, _ = ball((0, 0, 0), 0.12, 15)
    rows = points.astype("<f4").view(np.uint8).reshape(len(points), 12)
    view = file.view(encode_attributes(rows))
    entry = file.json["bufferViews"][view]
    packed = {"buffer": 0, "byteOffset": entry["byteOffset"], "byteLength": entry["byteLength"]}
    packed |= {"byteStride": 12, "count": len(points), "mode": "ATTRIBUTES"}
    entry["extensions"] = {"EXT_meshopt_compression": packed}
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]
    attributes["POSITION"] = file.accessor(len(points), 3, "f4", bufferView=view)
    return file


SEEDS: tuple[Callable[[], GlbFile], ...] = (head, painted, skinned, compressed)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from places(inner)


def damaged_json(file: GlbFile, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        everywhere = list(places(file.json))
        container, key = rng.choice(everywhere)
        kind = rng.random()
        if kind < 0.15:
            del container[key]
        elif kind < 0.3:
            other, from_key = rng.choice(everywhere)
            container[key] = copy.deepcopy(other[from_key])
        elif kind < 0.4 and type(container[key]) is int:
            container[key] += rng.choice((-1, 1, 3, 1000))
        else:
            container[key] = copy.deepcopy(rng.choice(VALUES))


def damaged_binary(file: GlbFile, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4, 40))):
        at = rng.randrange(len(file.binary) - 4)
        words = (
            struct.pack("<I", rng.getrandbits(32)),
            b"\0\0\xc0\x7f",
            b"\0\0\x80\x7f",
            b"\xff\xff\x7f\x7f",
            b"\0" * 4,
        )
        file.binary[at : at + 4] = rng.choice(words)


def damaged_bytes(data: bytearray, rng: random.Random) -> bytearray:
    kind = rng.random()
    if kind < 0.4:
        return data[: rng.choice((rng.randrange(len(data)), rng.randrange(40)))]
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.choice((rng.randrange(len(data)), rng.randrange(24)))
        data[at] = rng.randrange(256)
    return data


def make_case(rng: random.Random, folder: Path) -> Path:
    """Write a damaged file."""
    file = rng.choice(SEEDS)()
    kind = rng.random()
    if kind < 0.65:
        damaged_json(file, rng)
    elif kind < 0.85:
        damaged_binary(file, rng)
    path = folder / "case.glb"
    try:
        file.save(path)
    except (TypeError, AttributeError):  # the damage left no buffers to write to
        path.write_bytes(b"glTF")
    if kind >= 0.85:
        path.write_bytes(damaged_bytes(bytearray(path.read_bytes()), rng))
    return path


def verdict(path: Path) -> str:
    """ "baked" or "refused". Raises AssertionError for anything else."""
    try:
        mesh = bake_glb(path)
    except AvatarError as error:
        message = str(error)
        assert message.startswith(str(path)), f"does not name its file: {message}"
        assert len(message) < 2000 + len(str(path)), f"a message of {len(message)} characters"
        return "refused"
    assert np.isfinite(mesh.positions).all()
    assert np.isfinite(mesh.normals).all()
    return "baked"


def run(seed: int, folder: Path, count: int, seconds: float) -> dict[str, int]:
    """Run cases seed, seed + 1, ... Returns how many were baked or refused. Raises AssertionError with the seed."""
    told = {"baked": 0, "refused": 0}
    ends = time.monotonic() + seconds
    for number in range(seed, seed + count):
        if time.monotonic() > ends:
            break
        path = make_case(random.Random(number), folder)
        try:
            told[verdict(path)] += 1
        except Exception as error:
            raise AssertionError(f"case {number}: {type(error).__name__}: {error}") from error
    return told


def too_long(*_: object) -> None:
    raise TimeoutError(f"a case takes more than {CASE_SECONDS} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    arguments = parser.parse_args()
    arguments.keep.mkdir(exist_ok=True, parents=True)
    assembly.openness = lambda positions, *_: np.ones(len(positions), dtype=np.float32)
    signal.signal(signal.SIGALRM, too_long)
    ends, number, failures = time.monotonic() + 60 * arguments.minutes, arguments.seed, 0
    told = {"baked": 0, "refused": 0}
    while time.monotonic() < ends:
        path = make_case(random.Random(number), arguments.keep)
        signal.alarm(CASE_SECONDS)
        try:
            told[verdict(path)] += 1
        except Exception:
            failures += 1
            path.rename(arguments.keep / f"{number}.glb")
            (arguments.keep / f"{number}.txt").write_text(traceback.format_exc())
        signal.alarm(0)
        number += 1
    print(json.dumps({"cases": number - arguments.seed, "failures": failures, **told}))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
