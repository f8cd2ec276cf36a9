"""A slice of fuzz_glb.py; resource bombs, which are small valid files that demand excessive resources."""

import base64
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from avatar import fuzz_glb
from avatar.glb_file import GlbFile, head
from mien.avatar.bake import assembly

# Enough for the interpreter, numpy, SDL and the reader's limits. A bomb demands much more.
ADDRESS_SPACE_BYTES = 2_500_000_000
SECONDS = 60


@pytest.fixture(autouse=True)
def no_occlusion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "openness", lambda positions, *_: np.ones(len(positions), dtype=np.float32))


def test_damaged_heads_are_baked_or_refused(tmp_path: Path) -> None:
    told = fuzz_glb.run(seed=0, folder=tmp_path, count=250, seconds=10)
    assert told["refused"] > told["baked"] > 0


@pytest.mark.parametrize("seed", fuzz_glb.SEEDS)
def test_undamaged_seeds_are_baked(tmp_path: Path, seed: Callable[[], GlbFile]) -> None:
    assert fuzz_glb.verdict(seed().save(tmp_path / "seed.glb")) == "baked"


def test_a_file_that_ends_at_any_boundary_is_refused(tmp_path: Path) -> None:
    data = fuzz_glb.painted().save(tmp_path / "whole.glb").read_bytes()
    text = struct.unpack_from("<I", data, 12)[0]
    for cut in (0, 4, 8, 12, 16, 20, 20 + text // 2, 20 + text, 24 + text, 28 + text, 28 + text + 100, len(data) - 4):
        path = tmp_path / "cut.glb"
        path.write_bytes(data[:cut])
        assert fuzz_glb.verdict(path) == "refused", cut


def test_a_file_whose_header_agrees_with_its_cut_is_refused(tmp_path: Path) -> None:
    data = bytearray(fuzz_glb.painted().save(tmp_path / "whole.glb").read_bytes())
    text = struct.unpack_from("<I", data, 12)[0]
    for cut in (20 + text, 28 + text + 400):
        short = data[:cut]
        struct.pack_into("<I", short, 8, cut)
        if cut > 28 + text:
            struct.pack_into("<I", short, 20 + text, cut - 28 - text)
        path = tmp_path / "cut.glb"
        path.write_bytes(short)
        assert fuzz_glb.verdict(path) == "refused", cut


def huge_image(file: GlbFile) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**7)))
        + chunk(b"IEND", b"")
    )
    file.json["images"] = [{"bufferView": file.view(data)}]
    file.json["textures"] = [{"source": 0}]
    file.json["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    file.json["meshes"][0]["primitives"][0]["material"] = 0


def many_nodes(file: GlbFile) -> None:
    file.json["nodes"] += [{} for _ in range(1_000_000)]


def a_deep_chain(file: GlbFile) -> None:
    first = len(file.json["nodes"])
    file.json["nodes"] += [{"children": [first + i + 1]} for i in range(19_000)] + [{}]
    file.json["scenes"][0]["nodes"].append(first)


def many_targets(file: GlbFile) -> None:
    primitive = file.json["meshes"][0]["primitives"][0]
    primitive["targets"] = primitive["targets"][:1] * 10_000
    file.json["meshes"][0]["extras"]["targetNames"] = [f"jawOpen{i}" if i else "jawOpen" for i in range(10_000)]


def nested(file: GlbFile) -> None:
    file.json["extras"] = "NESTED"


def many_instances(file: GlbFile) -> None:
    file.json["nodes"] += [{"mesh": 0} for _ in range(15_000)]
    file.json["scenes"][0]["nodes"] = list(range(len(file.json["nodes"])))


def huge_zeros(file: GlbFile) -> None:
    """Accessors without a buffer view are zeros of any count."""
    file.json["accessors"] += [{"componentType": 5126, "count": 999_999, "type": "VEC3"} for _ in range(200)]
    last = len(file.json["accessors"]) - 1
    file.json["meshes"][0]["primitives"] += [
        {"attributes": {"POSITION": last - i, "NORMAL": last - i - 100}} for i in range(100)
    ]


def meshopt_bomb(file: GlbFile) -> None:
    view = file.view(b"\xa0" + bytes(40_000))
    entry = file.json["bufferViews"][view]
    packed = {"buffer": 0, "byteOffset": entry["byteOffset"], "byteLength": entry["byteLength"], "count": 10**6}
    for _ in range(50):
        again = dict(entry, extensions={"EXT_meshopt_compression": packed | {"byteStride": 256, "mode": "ATTRIBUTES"}})
        file.json["bufferViews"].append(again)
        index = file.accessor(10**6, 3, "f4", bufferView=len(file.json["bufferViews"]) - 1)
        file.json["meshes"][0]["primitives"].append({"attributes": {"POSITION": index}})


BOMBS = {
    "image": (huge_image, "30000 x 30000"),
    "nodes": (many_nodes, "objects and arrays"),
    "chain": (a_deep_chain, ""),
    "targets": (many_targets, ""),
    "nested": (nested, "nested too deeply|objects and arrays"),
    "instances": (many_instances, "primitives are shown"),
    "zeros": (huge_zeros, "vertices|expands"),
    "meshopt": (meshopt_bomb, "compressed|expands|meshopt"),
}


def baked_apart(path: Path) -> "subprocess.CompletedProcess[str]":
    """Bake a file in a process with limited memory, which prints BAKED or REFUSED with the reason."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({ADDRESS_SPACE_BYTES},) * 2)\n"
        "import sys, pathlib, numpy as np\nfrom avatar import fuzz_glb\n"
        "from mien.avatar.bake import assembly\n"
        "assembly.openness = lambda positions, *_: np.ones(len(positions), dtype=np.float32)\n"
        "from mien.avatar.bake.pipeline import bake_glb\nfrom mien.errors import AvatarError\n"
        "try:\n    bake_glb(pathlib.Path(sys.argv[1])); print('BAKED')\n"
        "except AvatarError as error:\n    print('REFUSED', error)\n"
    )
    paths = f"{Path(__file__).parents[2]}:{os.environ.get('PYTHONPATH', '')}".rstrip(":")
    return subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_told_in_bounded_memory_and_time(tmp_path: Path, name: str) -> None:
    change, says = BOMBS[name]
    file = head()
    change(file)
    path = file.save(tmp_path / "bomb.glb")
    if name == "nested":
        path = tmp_path / "bomb.gltf"
        deep = "[" * 200_000 + "]" * 200_000
        path.write_text(json.dumps(file.json).replace('"NESTED"', deep))
    done = baked_apart(path)
    assert done.returncode == 0, done.stderr[-2000:]
    if says:
        assert done.stdout.startswith("REFUSED"), done.stdout
        assert any(word in done.stdout for word in says.split("|")), done.stdout
    assert "not enough memory" not in done.stdout


def test_a_json_of_200_megabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.gltf"
    with path.open("wb") as out:
        out.write(b'{"extras":')
        out.truncate(200_000_000)
    assert fuzz_glb.verdict(path) == "refused"


@pytest.mark.parametrize("path", ["/dev/zero", "."])
def test_a_device_or_a_folder_is_no_head(path: str) -> None:
    """In a separate process, because reading /dev/zero to its end must not exhaust the memory."""
    done = baked_apart(Path(path))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "there is no such file" in done.stdout


def test_data_in_a_uri_is_limited_by_the_json(tmp_path: Path) -> None:
    file = head()
    file.json["buffers"] = [{"byteLength": 4, "uri": "data:;base64," + base64.b64encode(bytes(2**20)).decode()}]
    path = tmp_path / "head.gltf"
    path.write_text(json.dumps(file.json))
    assert fuzz_glb.verdict(path) == "refused"
