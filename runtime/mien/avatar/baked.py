"""The baked avatar file, which a board memory-maps.

    offset  bytes
    0       8     magic, "MIENAVTR"
    8       4     version, uint32
    12      4     length of the header, uint32
    16      n     header, JSON (`Header`): counts, parts, pivots and the offset of each array
    ...           arrays, little-endian, each on a 64-byte boundary; offsets count from the start of the file
    -8      4     magic, "MCRC"; present if "signed" is set in the header, as is the checksum
    -4      4     CRC-32 of everything before these 8 bytes, uint32

Positions, normals, uvs, colors, head weights and indices are used in place, as read-only views of the mapped file.
Morph deltas are int16 with one scale per target, and are expanded to float32 once, at load. Textures are deflated after
each row is replaced by its difference from the row above, which halves the size of smooth textures.

Files are untrusted: every count, offset, index and role is checked before use, and allocations are bounded by the
limits below.
"""

import struct
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.avatar.check import check_mesh
from mien.avatar.place import SUFFIX as SUFFIX
from mien.core.mesh import Mesh, MorphTarget, Part, Role
from mien.errors import AvatarError

MAGIC: Final = b"MIENAVTR"
VERSION: Final = 1
PREFIX: Final = struct.Struct("<8sII")
FOOTER: Final = struct.Struct("<4sI")
FOOTER_MAGIC: Final = b"MCRC"
ALIGNMENT: Final = 64
Rgb = tuple[float, float, float]

MAX_FILE_BYTES: Final = 64 * 2**20
MAX_HEADER_BYTES: Final = 2**18
MAX_VERTICES: Final = 65_535
MAX_INDICES: Final = 3 * 200_000
MAX_TEXTURES: Final = 8
MAX_TEXTURE_SIZE: Final = 2048
MAX_PARTS: Final = 32
MAX_TARGETS: Final = 64


class PartEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a `Part`."""

    name: str
    first_index: int
    index_count: int
    role: Role
    texture: int
    specular: float
    gloss: float
    alpha: bool
    double_sided: bool
    masked: bool = False


class TextureEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A uint8 (height, width, 4) texture, deflated. Rows hold their differences from the row above, modulo 256."""

    width: int
    height: int
    offset: int
    length: int


class TargetEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A morph target: uint16 (count,) at `vertices`; int16 (count, 3) at `positions` and `normals`, to be scaled."""

    name: str
    count: int
    vertices: int
    positions: int
    normals: int
    position_scale: float
    normal_scale: float


class ArrayOffsets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offsets of the neutral mesh's arrays."""

    positions: int
    normals: int
    uvs: int
    colors: int
    head_weights: int
    indices: int


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The JSON header. signed: the file ends with a checksum.

    frame_width, eye_range and background are left out at their defaults, so that earlier versions read the file.
    """

    name: str
    vertex_count: int
    index_count: int
    arrays: ArrayOffsets
    parts: tuple[PartEntry, ...]
    textures: tuple[TextureEntry, ...]
    targets: tuple[TargetEntry, ...]
    neck_pivot: tuple[float, float, float]
    eye_pivots: tuple[tuple[float, float, float], tuple[float, float, float]]
    frame_center: tuple[float, float, float]
    frame_height: float
    frame_width: float = 0.0
    eye_range: float = 1.0
    background: tuple[Rgb, Rgb] | None = None
    signed: bool = False


def read_baked(path: Path) -> Mesh:
    """Memory-map a baked avatar. Raises AvatarError: unreadable, another version, or a value out of range."""
    data = _map(path)
    try:
        header = _read_header(data)
        if header.signed:
            _check_sum(data)
        _check_counts(header)
        mesh = _mesh(data, header)
        check_mesh(mesh)
    except AvatarError as error:
        raise AvatarError(f"{path}: {error}; bake it again") from None
    return mesh


def write_baked(mesh: Mesh, path: Path) -> None:
    """Write `mesh` atomically. Raises AvatarError when it exceeds the format's limits, OSError."""
    check_mesh(mesh)
    blob = _Blob()
    header = _header(mesh, blob)
    _check_counts(header)
    encoded, body_at = _settle(header, blob)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(PREFIX.pack(MAGIC, VERSION, len(encoded)) + encoded)
        file.write(b"\0" * (body_at - file.tell()))
        file.write(blob.data)
    _sign(partial)
    partial.replace(path)


def _sign(path: Path) -> None:
    checksum = zlib.crc32(path.read_bytes())
    with path.open("ab") as file:
        file.write(FOOTER.pack(FOOTER_MAGIC, checksum))


def _check_sum(data: NDArray[np.uint8]) -> None:
    magic, expected = FOOTER.unpack(data[-FOOTER.size :].tobytes())
    if magic != FOOTER_MAGIC:
        raise AvatarError("the checksum at its end is missing; is the copy complete?")
    if zlib.crc32(data[: -FOOTER.size].data) != expected:
        raise AvatarError("the checksum does not match: the file is damaged")


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        size = path.stat().st_size
        if size < PREFIX.size:
            raise AvatarError(f"{path}: {size} bytes are too few for a baked avatar; is the copy complete?")
        if size > MAX_FILE_BYTES:
            raise AvatarError(f"{path}: {size} bytes; a baked avatar has at most {MAX_FILE_BYTES}")
        return np.memmap(path, dtype=np.uint8, mode="r")
    except OSError as error:
        raise AvatarError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_header(data: NDArray[np.uint8]) -> Header:
    magic, version, length = PREFIX.unpack(data[: PREFIX.size].tobytes())
    if magic != MAGIC:
        raise AvatarError("not a baked avatar (`mien avatar bake` makes one from a .glb)")
    if version != VERSION:
        raise AvatarError(f"baked in version {version}; this mien reads version {VERSION}")
    if length > MAX_HEADER_BYTES or PREFIX.size + length > len(data):
        raise AvatarError(f"header: {length} bytes are out of range; is the copy complete?")
    try:
        return msgspec.json.decode(data[PREFIX.size : PREFIX.size + length].tobytes(), type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AvatarError(f"header: {error}") from None


def _check_counts(header: Header) -> None:
    limits = (
        ("vertex_count", header.vertex_count, 1, MAX_VERTICES),
        ("index_count", header.index_count, 3, MAX_INDICES),
        ("parts", len(header.parts), 1, MAX_PARTS),
        ("textures", len(header.textures), 0, MAX_TEXTURES),
        ("targets", len(header.targets), 0, MAX_TARGETS),
        *((f"textures[{i}].width", entry.width, 1, MAX_TEXTURE_SIZE) for i, entry in enumerate(header.textures)),
        *((f"textures[{i}].height", entry.height, 1, MAX_TEXTURE_SIZE) for i, entry in enumerate(header.textures)),
        *((f"targets[{i}].count", entry.count, 0, header.vertex_count) for i, entry in enumerate(header.targets)),
        *((f"targets[{i}].position_scale", entry.position_scale, 0.0, 1.0) for i, entry in enumerate(header.targets)),
        *((f"targets[{i}].normal_scale", entry.normal_scale, 0.0, 1.0) for i, entry in enumerate(header.targets)),
    )
    for field, value, least, most in limits:
        if not least <= value <= most:
            raise AvatarError(f"{field}: {value} is not in {least}..{most}")


def _view(data: NDArray[np.uint8], field: str, offset: int, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    kind = np.dtype(dtype)
    length = int(np.prod(shape)) * kind.itemsize
    if offset % ALIGNMENT or offset < PREFIX.size or offset + length > len(data):
        raise AvatarError(f"{field}: {length} bytes at {offset} are outside the file; is the copy complete?")
    return np.asarray(data[offset : offset + length]).view(kind).reshape(shape)


def _mesh(data: NDArray[np.uint8], header: Header) -> Mesh:
    arrays, vertices = header.arrays, header.vertex_count
    return Mesh(
        name=header.name,
        positions=_view(data, "positions", arrays.positions, "<f4", (vertices, 3)),
        normals=_view(data, "normals", arrays.normals, "<f4", (vertices, 3)),
        uvs=_view(data, "uvs", arrays.uvs, "<f4", (vertices, 2)),
        colors=_view(data, "colors", arrays.colors, "u1", (vertices, 4)),
        head_weights=_view(data, "head_weights", arrays.head_weights, "<f4", (vertices,)),
        indices=_view(data, "indices", arrays.indices, "<u2", (header.index_count,)),
        parts=tuple(Part(**msgspec.structs.asdict(entry)) for entry in header.parts),
        textures=tuple(_texture(data, i, entry) for i, entry in enumerate(header.textures)),
        targets=tuple(_target(data, i, entry) for i, entry in enumerate(header.targets)),
        neck_pivot=np.array(header.neck_pivot, dtype=np.float32),
        eye_pivots=np.array(header.eye_pivots, dtype=np.float32),
        frame_center=np.array(header.frame_center, dtype=np.float32),
        frame_height=header.frame_height,
        frame_width=header.frame_width,
        eye_range=header.eye_range,
        background=header.background,
    )


def _target(data: NDArray[np.uint8], index: int, entry: TargetEntry) -> MorphTarget:
    field = f"targets[{index}] ({entry.name})"
    deltas = (entry.count, 3)
    return MorphTarget(
        name=entry.name,
        vertices=_view(data, f"{field}.vertices", entry.vertices, "<u2", (entry.count,)),
        positions=_view(data, f"{field}.positions", entry.positions, "<i2", deltas) * np.float32(entry.position_scale),
        normals=_view(data, f"{field}.normals", entry.normals, "<i2", deltas) * np.float32(entry.normal_scale),
    )


def _texture(data: NDArray[np.uint8], index: int, entry: TextureEntry) -> NDArray[np.uint8]:
    field, size = f"textures[{index}]", entry.width * entry.height * 4
    deflated = _view(data, field, entry.offset, "u1", (max(0, entry.length),))
    inflater = zlib.decompressobj()
    try:
        rows = inflater.decompress(deflated.data, size)
    except zlib.error as error:
        raise AvatarError(f"{field}: {error}") from None
    if len(rows) != size:
        raise AvatarError(f"{field}: {len(rows)} bytes of {size}")
    texture = np.frombuffer(rows, dtype=np.uint8).reshape(entry.height, entry.width * 4).copy()
    # Row by row is fifty times faster than np.cumsum, which walks down the columns.
    for row in range(1, entry.height):
        np.add(texture[row], texture[row - 1], out=texture[row])
    return texture.reshape(entry.height, entry.width, 4)


class _Blob:
    """The arrays, concatenated. Offsets are relative to the first until the header's length is known."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, content: bytes) -> int:
        offset = len(self.data)
        self.data += content + b"\0" * (-len(content) % ALIGNMENT)
        return offset

    def add_array(self, array: NDArray[Any], dtype: str) -> int:
        return self.add(np.ascontiguousarray(array, dtype=dtype).tobytes())

    def add_deltas(self, deltas: NDArray[np.float32]) -> tuple[int, float]:
        scale = float(np.abs(deltas).max(initial=0.0)) / 32767 or 1.0
        return self.add_array(np.rint(deltas / scale), "<i2"), scale


def _header(mesh: Mesh, blob: _Blob) -> Header:
    return Header(
        name=mesh.name,
        vertex_count=len(mesh.positions),
        index_count=len(mesh.indices),
        arrays=ArrayOffsets(
            positions=blob.add_array(mesh.positions, "<f4"),
            normals=blob.add_array(mesh.normals, "<f4"),
            uvs=blob.add_array(mesh.uvs, "<f4"),
            colors=blob.add_array(mesh.colors, "u1"),
            head_weights=blob.add_array(mesh.head_weights, "<f4"),
            indices=blob.add_array(mesh.indices, "<u2"),
        ),
        parts=tuple(_part_entry(part) for part in mesh.parts),
        textures=tuple(_texture_entry(texture, blob) for texture in mesh.textures),
        targets=tuple(_target_entry(target, blob) for target in mesh.targets),
        neck_pivot=tuple(mesh.neck_pivot.tolist()),
        eye_pivots=tuple(tuple(pivot) for pivot in mesh.eye_pivots.tolist()),  # type: ignore[arg-type]
        frame_center=tuple(mesh.frame_center.tolist()),
        frame_height=float(mesh.frame_height),
        frame_width=float(mesh.frame_width),
        eye_range=float(mesh.eye_range),
        background=mesh.background,
        signed=True,
    )


def _part_entry(part: Part) -> PartEntry:
    return PartEntry(**{name: getattr(part, name) for name in PartEntry.__struct_fields__})


def _texture_entry(texture: NDArray[np.uint8], blob: _Blob) -> TextureEntry:
    rows = np.diff(texture.reshape(len(texture), -1), axis=0, prepend=np.uint8(0))
    deflated = zlib.compress(rows.tobytes(), 9)
    return TextureEntry(
        width=texture.shape[1], height=texture.shape[0], length=len(deflated), offset=blob.add(deflated)
    )


def _target_entry(target: MorphTarget, blob: _Blob) -> TargetEntry:
    vertices = blob.add_array(target.vertices, "<u2")
    positions, position_scale = blob.add_deltas(target.positions)
    normals, normal_scale = blob.add_deltas(target.normals)
    return TargetEntry(
        name=target.name,
        count=len(target.vertices),
        vertices=vertices,
        positions=positions,
        normals=normals,
        position_scale=position_scale,
        normal_scale=normal_scale,
    )


def _settle(header: Header, blob: _Blob) -> tuple[bytes, int]:
    """The header with offsets from the start of the file, and where the arrays begin.

    Longer offsets make a longer header, so that room is left before the length is final.
    """
    length = len(msgspec.json.encode(header)) + 16 * (6 + len(header.textures) + 3 * len(header.targets))
    body_at = -(-(PREFIX.size + length) // ALIGNMENT) * ALIGNMENT
    settled = msgspec.structs.replace(
        header,
        arrays=ArrayOffsets(**{k: v + body_at for k, v in msgspec.structs.asdict(header.arrays).items()}),
        textures=tuple(msgspec.structs.replace(entry, offset=entry.offset + body_at) for entry in header.textures),
        targets=tuple(
            msgspec.structs.replace(
                entry,
                vertices=entry.vertices + body_at,
                positions=entry.positions + body_at,
                normals=entry.normals + body_at,
            )
            for entry in header.targets
        ),
    )
    assert len(blob.data) + body_at <= MAX_FILE_BYTES
    return msgspec.json.encode(settled), body_at
