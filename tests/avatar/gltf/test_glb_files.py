"""The GLB container: external files, their total size, chunks at their boundaries."""

import base64
import json
import struct
from pathlib import Path

import pytest

from mien.avatar.gltf import glb
from mien.avatar.gltf.glb import read_glb
from mien.errors import AvatarError

EMPTY = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 4}]}


def gltf(folder: Path, **fields: object) -> Path:
    """A .gltf file with these fields."""
    path = folder / "head.gltf"
    path.write_text(json.dumps(EMPTY | fields))
    return path


def chunk(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", len(body), kind) + body


def packed(folder: Path, *chunks: bytes, length: int | None = None, version: int = 2) -> Path:
    """A .glb file of these chunks. length: in the header, the actual one by default."""
    body = b"".join(chunks)
    path = folder / "head.glb"
    path.write_bytes(b"glTF" + struct.pack("<II", version, 12 + len(body) if length is None else length) + body)
    return path


def test_files_beside_it_have_a_limit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.bin", "b.bin", "c.bin"):
        (tmp_path / name).write_bytes(bytes(60))
    path = gltf(tmp_path, buffers=[{"byteLength": 60, "uri": name} for name in ("a.bin", "b.bin", "c.bin")])
    opened = read_glb(path)
    monkeypatch.setattr(glb, "MAX_FILE_BYTES", 120)
    opened = glb.Glb(opened.json, b"", tmp_path)
    for _ in range(2):  # a file is read once
        assert len(opened.buffer(0)) == len(opened.buffer(1)) == 60
    with pytest.raises(AvatarError, match=r"buffers\[2\].uri \(c.bin\): 60 bytes; at most 0 are read"):
        opened.buffer(2)


def test_a_file_as_large_as_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(bytes(100))
    assert glb.read_limited(path, "it", 100) == bytes(100)
    with pytest.raises(AvatarError, match="it: 100 bytes; at most 99 are read"):
        glb.read_limited(path, "it", 99)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("../outside.bin", "lies outside the file's own folder"),
        ("%2e%2e/outside.bin", "lies outside"),
        ("/etc/passwd", "lies outside"),
        ("http://example/a.bin", "only files in the same folder"),
        ("a\\b.bin", "only files in the same folder"),
        ("a%00.bin", "only files in the same folder"),
        ("gone.bin", "there is no such file"),
        ("data:;base64,AAA", "is not base64"),
    ],
)
def test_what_a_buffer_may_not_name_is_refused_with_its_field(tmp_path: Path, uri: str, says: str) -> None:
    (tmp_path.parent / "outside.bin").write_bytes(bytes(4))
    with pytest.raises(AvatarError, match=r"buffers\[0\]\.uri.*" + says):
        read_glb(gltf(tmp_path, buffers=[{"byteLength": 4, "uri": uri}])).buffer(0)


def test_data_in_a_uri_comes_plain_or_in_base64(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"\x01\x02\x03").decode()
    uris = (f"data:application/octet-stream;base64,{encoded}", "data:,%01%02%03", f"DATA:;base64,{encoded}")
    opened = read_glb(gltf(tmp_path, buffers=[{"byteLength": 3, "uri": uri} for uri in uris]))
    for index in range(3):
        assert opened.buffer(index).tolist() == [1, 2, 3]


def test_only_the_first_buffer_may_be_the_files_own(tmp_path: Path) -> None:
    text = json.dumps(EMPTY | {"buffers": [{"byteLength": 4}] * 2}).encode()
    opened = read_glb(
        packed(
            tmp_path, chunk(glb.JSON_CHUNK, text + b" " * (-len(text) % 4)), chunk(glb.BIN_CHUNK, b"\x07\x08\x09\x0a")
        )
    )
    assert opened.buffer(0).tolist() == [7, 8, 9, 10]
    with pytest.raises(AvatarError, match=r"buffers\[1\]: is neither in the file nor beside it"):
        opened.buffer(1)
    for index in (2, -1):
        with pytest.raises(AvatarError, match=rf"buffers\[{index}\]: there are 2"):
            opened.buffer(index)


def test_chunks_are_found_by_their_kind_and_the_first_counts(tmp_path: Path) -> None:
    text = json.dumps(EMPTY).encode()
    text += b" " * (-len(text) % 4)
    strange, first, second = chunk(0x12345678, b"abc\0"), chunk(glb.BIN_CHUNK, b"1111"), chunk(glb.BIN_CHUNK, b"2222")
    opened = read_glb(packed(tmp_path, strange, chunk(glb.JSON_CHUNK, text), first, second))
    assert opened.buffer(0).tobytes() == b"1111"
    with pytest.raises(AvatarError, match="the GLB has no JSON chunk"):
        read_glb(packed(tmp_path, strange, first))


def test_a_chunk_ends_with_the_file_at_the_latest(tmp_path: Path) -> None:
    text = json.dumps(EMPTY).encode()
    text += b" " * (-len(text) % 4)
    read_glb(packed(tmp_path, chunk(glb.JSON_CHUNK, text)))
    cut = struct.pack("<II", len(text) + 1, glb.JSON_CHUNK) + text
    with pytest.raises(AvatarError, match=f"a GLB chunk at byte 12 says {len(text) + 1} bytes and extends past"):
        read_glb(packed(tmp_path, cut))


def test_a_header_that_says_more_than_there_is_is_refused(tmp_path: Path) -> None:
    text = json.dumps(EMPTY).encode()
    text += b" " * (-len(text) % 4)
    length = 20 + len(text)
    with pytest.raises(AvatarError, match=f"says {length + 1} bytes and the file has {length}"):
        read_glb(packed(tmp_path, chunk(glb.JSON_CHUNK, text), length=length + 1))
    with pytest.raises(AvatarError, match="glTF version 1; only 2 is read"):
        read_glb(packed(tmp_path, chunk(glb.JSON_CHUNK, text), version=1))
    short = tmp_path / "short.glb"
    short.write_bytes(b"glTF" + bytes(15))
    with pytest.raises(AvatarError, match="ends inside the GLB header"):
        read_glb(short)


def test_a_chunk_of_odd_length_is_padded(tmp_path: Path) -> None:
    text = json.dumps(EMPTY).encode()
    text += b" " * (3 - len(text) % 4)
    assert len(text) % 4 == 3
    body = struct.pack("<II", len(text), glb.JSON_CHUNK) + text + b" " * (-len(text) % 4)
    read = read_glb(packed(tmp_path, body, chunk(glb.BIN_CHUNK, b"1234")))
    assert read.buffer(0).tobytes() == b"1234"


@pytest.mark.parametrize(
    ("most", "text", "says"),
    [
        ("MAX_JSON_BYTES", b'{"asset":{"version":"2.0"}}', "the JSON has 27 bytes; at most"),
        ("MAX_JSON_CONTAINERS", b'{"asset":{"version":"2.0"},"x":[[]]}', "the JSON has 4 objects and arrays"),
        ("MAX_JSON_ITEMS", b'{"asset":{"version":"2.0"},"x":1,"y":2}', "and 2 items"),
    ],
)
def test_the_json_has_limits_at_which_it_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str, text: bytes, says: str
) -> None:
    path = tmp_path / "head.gltf"
    path.write_bytes(text)
    size = {"MAX_JSON_BYTES": len(text), "MAX_JSON_CONTAINERS": 4, "MAX_JSON_ITEMS": 2}[most]
    monkeypatch.setattr(glb, most, size)
    read_glb(path)
    monkeypatch.setattr(glb, most, size - 1)
    with pytest.raises(AvatarError, match=says):
        read_glb(path)


def test_an_extension_counts_where_it_is_required(tmp_path: Path) -> None:
    """Draco and KTX2 are refused. Optional KTX2 has a fallback. Unknown extensions matter only if required."""
    for used in ([], ["KHR_texture_basisu"], ["ACME_faces"], ["KHR_materials_unlit"]):
        read_glb(gltf(tmp_path, extensionsUsed=used))
    read_glb(gltf(tmp_path, extensionsRequired=["KHR_mesh_quantization"]))
    with pytest.raises(AvatarError, match="Draco is not supported"):
        read_glb(gltf(tmp_path, extensionsUsed=["KHR_draco_mesh_compression"]))
    with pytest.raises(AvatarError, match="KTX2 is not supported"):
        read_glb(gltf(tmp_path, extensionsRequired=["KHR_texture_basisu"], extensionsUsed=["KHR_texture_basisu"]))
    with pytest.raises(AvatarError, match="extensionsRequired: ACME_faces is not supported"):
        read_glb(gltf(tmp_path, extensionsRequired=["ACME_faces"]))
