"""The container of a .glb, .vrm or .gltf file: its validated JSON with its buffers, embedded or external.

glTF 2.0 specification, section 4.4 (GLB). Nothing outside the file's own folder is ever opened.
"""

import base64
import binascii
import struct
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf.schema import REFUSED, UNDERSTOOD, Gltf
from mien.errors import AvatarError

MAX_FILE_BYTES: Final = 256 * 2**20
MAX_JSON_BYTES: Final = 64 * 2**20
# An avatar needs about a hundredth of this. The decoder takes about 100 bytes per container.
MAX_JSON_CONTAINERS: Final = 400_000
MAX_JSON_ITEMS: Final = 4_000_000
JSON_CHUNK, BIN_CHUNK = 0x4E4F534A, 0x004E4942
HEADER_BYTES, CHUNK_HEADER_BYTES = 12, 8
LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
AGAIN: Final = "export the file again"


class Glb:
    """A parsed file. json: the asset. Buffers are returned as uint8 views."""

    def __init__(self, json: Gltf, binary: bytes, folder: Path) -> None:
        """binary: the BIN chunk, empty without one. folder: where external files are looked up."""
        self.json = json
        self._binary = np.frombuffer(binary, dtype=np.uint8)
        self._folder = folder
        self._buffers: dict[int, NDArray[np.uint8]] = {}
        self._left = MAX_FILE_BYTES

    def pick(self, field: str, index: int) -> Any:
        """json.FIELD[index]. Raises AvatarError when the index is out of range."""
        items = getattr(self.json, field)
        if not 0 <= index < len(items):
            head, *tail = field.split("_")
            name = head + "".join(word.title() for word in tail)
            raise AvatarError(f"{name}[{index}]: there are {len(items)}; {AGAIN}")
        return items[index]

    def buffer(self, index: int) -> NDArray[np.uint8]:
        """The bytes of buffers[index]. Raises AvatarError when they are missing or outside the file's folder."""
        if index not in self._buffers:
            entry = self.pick("buffers", index)
            if entry.uri is not None:
                self._buffers[index] = np.frombuffer(self.resource(entry.uri, f"buffers[{index}].uri"), dtype=np.uint8)
            elif index == 0:
                self._buffers[index] = self._binary
            else:
                raise AvatarError(
                    f"buffers[{index}]: is neither in the file nor beside it; pack everything into a .glb"
                )
        return self._buffers[index]

    def resource(self, uri: str, field: str) -> bytes:
        """The content of a URI: a data: URI, or a file in the same folder. Raises AvatarError."""
        if uri[:5].lower() == "data:":
            head, _, body = uri.partition(",")
            try:
                return base64.b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
            except (binascii.Error, ValueError) as error:
                raise AvatarError(f"{field}: its data is not base64 ({error}); {AGAIN}") from None
        return self._file(unquote(uri), f"{field} ({uri[:80]})")

    def _file(self, name: str, field: str) -> bytes:
        if "\0" in name or ":" in name or "\\" in name:
            raise AvatarError(f"{field}: only files in the same folder are read; pack everything into a .glb")
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise AvatarError(f"{field}: lies outside the file's own folder; pack everything into a .glb")
        data = read_limited(path, field, self._left)
        self._left -= len(data)
        return data


def read_glb(path: Path) -> Glb:
    """Open a file. Raises AvatarError: unreadable, truncated, not glTF 2.0, or in need of an unsupported extension."""
    data = read_limited(path, str(path), MAX_FILE_BYTES)
    text, binary = _chunks(data) if data[:4] == b"glTF" else (_plain_json(data), b"")
    gltf = _decode(text)
    _check_extensions(gltf)
    return Glb(gltf, binary, path.parent)


def read_limited(path: Path, field: str, most: int) -> bytes:
    """The bytes of a regular file of at most `most` bytes. Raises AvatarError."""
    try:
        if not path.is_file():
            raise AvatarError(f"{field}: there is no such file")
        size = path.stat().st_size
        if size > most:
            raise AvatarError(f"{field}: {size} bytes; at most {most} are read. Use a smaller export")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise AvatarError(f"{field}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if data.startswith(LFS_POINTER):
        raise AvatarError(f"{field}: a Git LFS pointer, not the file itself; run `git lfs pull` where it came from")
    return data


def _plain_json(data: bytes) -> bytes:
    if data.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise AvatarError("a web page, not a model; use the link that downloads the file itself")
    if not data.lstrip()[:1] == b"{":
        raise AvatarError("neither a GLB (.glb, .vrm) nor a .gltf file; export the head as glTF 2.0")
    return data


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    if len(data) < HEADER_BYTES + CHUNK_HEADER_BYTES:
        raise AvatarError("the file ends inside the GLB header; is the copy complete?")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise AvatarError(f"glTF version {version}; only 2 is read. Export it again as glTF 2.0")
    if length > len(data):
        raise AvatarError(f"the GLB header says {length} bytes and the file has {len(data)}; is the copy complete?")
    chunks: dict[int, bytes] = {}
    at = HEADER_BYTES
    while at + CHUNK_HEADER_BYTES <= length:
        size, kind = struct.unpack_from("<II", data, at)
        start = at + CHUNK_HEADER_BYTES
        if start + size > length:
            raise AvatarError(
                f"a GLB chunk at byte {at} says {size} bytes and extends past the end of the file; {AGAIN}"
            )
        if kind in (JSON_CHUNK, BIN_CHUNK):
            chunks.setdefault(kind, data[start : start + size])
        at = start + size + (-size % 4)
    if JSON_CHUNK not in chunks:
        raise AvatarError(f"the GLB has no JSON chunk; {AGAIN}")
    return chunks[JSON_CHUNK], chunks.get(BIN_CHUNK, b"")


def _decode(text: bytes) -> Gltf:
    if len(text) > MAX_JSON_BYTES:
        raise AvatarError(
            f"the JSON has {len(text)} bytes; at most {MAX_JSON_BYTES} are read. Pack buffers into a .glb"
        )
    containers, items = text.count(b"{") + text.count(b"["), text.count(b",")
    if containers > MAX_JSON_CONTAINERS or items > MAX_JSON_ITEMS:
        raise AvatarError(
            f"the JSON has {containers} objects and arrays and {items} items; at most {MAX_JSON_CONTAINERS} and "
            f"{MAX_JSON_ITEMS} are read. Remove animations and everything but the head"
        )
    try:
        return msgspec.json.decode(text.rstrip(b"\0"), type=Gltf)
    except RecursionError:
        raise AvatarError(f"the JSON is nested too deeply; {AGAIN}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise AvatarError(f"the JSON is not glTF 2.0: {error}; {AGAIN}") from None


def _check_extensions(gltf: Gltf) -> None:
    if not gltf.asset.version.startswith("2"):
        raise AvatarError(f"asset.version: {gltf.asset.version[:20]}; only 2.0 is read. Export it again as glTF 2.0")
    for name in (*gltf.extensions_required, *gltf.extensions_used):
        if name in REFUSED and not (name == "KHR_texture_basisu" and name not in gltf.extensions_required):
            raise AvatarError(f"{name}: {REFUSED[name]}")
    for name in gltf.extensions_required:
        if name not in UNDERSTOOD:
            raise AvatarError(f"extensionsRequired: {name[:80]} is not supported; export the file again without it")
