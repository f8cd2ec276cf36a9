"""The GLB container and its JSON: what a file holds, checked, before any of it is believed.

glTF 2.0 specification, section 4.4 (GLB) and the JSON schema; fields that the bake has no use for are ignored.
"""

import struct
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import AvatarError

MAX_GLB_BYTES: Final = 256 * 2**20
MAX_JSON_BYTES: Final = 32 * 2**20
MAX_ACCESSOR_COUNT: Final = 2_000_000
JSON_CHUNK, BIN_CHUNK = 0x4E4F534A, 0x004E4942
REFUSED: Final = {
    "KHR_draco_mesh_compression": "export it again without Draco (or run `gltf-transform copy in.glb out.glb`)",
    "KHR_texture_basisu": "export it again with PNG, JPEG or WebP textures instead of KTX2",
}
UNDERSTOOD: Final = frozenset(
    {
        "EXT_meshopt_compression",
        "EXT_texture_webp",
        "KHR_materials_unlit",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
        "KHR_materials_emissive_strength",
        "KHR_materials_specular",
        "KHR_materials_ior",
        "VRM",
        "VRMC_materials_mtoon",
        "VRMC_node_constraint",
        "VRMC_springBone",
        "VRMC_vrm",
    }
)


class Struct(msgspec.Struct, kw_only=True, rename="camel"):
    """glTF names are camelCase; unknown fields are ignored, as the specification asks."""


class BufferView(Struct):
    buffer: int
    byte_length: int
    byte_offset: int = 0
    byte_stride: int | None = None
    extensions: dict[str, Any] = {}


class SparseIndices(Struct):
    buffer_view: int
    component_type: int
    byte_offset: int = 0


class SparseValues(Struct):
    buffer_view: int
    byte_offset: int = 0


class Sparse(Struct):
    count: int
    indices: SparseIndices
    values: SparseValues


class Accessor(Struct):
    component_type: int
    count: int
    type: str
    buffer_view: int | None = None
    byte_offset: int = 0
    normalized: bool = False
    sparse: Sparse | None = None


class Primitive(Struct):
    attributes: dict[str, int]
    indices: int | None = None
    material: int | None = None
    mode: int = 4
    targets: tuple[dict[str, int], ...] = ()
    extensions: dict[str, Any] = {}
    extras: Any = None


class MeshEntry(Struct):
    primitives: tuple[Primitive, ...]
    name: str = ""
    extras: Any = None


class Node(Struct):
    name: str = ""
    children: tuple[int, ...] = ()
    mesh: int | None = None
    skin: int | None = None
    matrix: tuple[float, ...] | None = None
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Skin(Struct):
    joints: tuple[int, ...]
    inverse_bind_matrices: int | None = None


class TextureInfo(Struct):
    index: int
    tex_coord: int = 0
    extensions: dict[str, Any] = {}


class MetallicRoughness(Struct):
    base_color_factor: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    base_color_texture: TextureInfo | None = None
    roughness_factor: float = 1.0


class Material(Struct):
    name: str = ""
    pbr_metallic_roughness: MetallicRoughness = msgspec.field(default_factory=MetallicRoughness)
    alpha_mode: str = "OPAQUE"
    double_sided: bool = False


class Texture(Struct):
    source: int | None = None
    extensions: dict[str, Any] = {}


class Image(Struct):
    buffer_view: int | None = None
    uri: str | None = None
    mime_type: str = ""


class Scene(Struct):
    nodes: tuple[int, ...] = ()


class Buffer(Struct):
    byte_length: int
    uri: str | None = None
    extensions: dict[str, Any] = {}


class Asset(Struct):
    version: str


class Gltf(Struct):
    """The JSON of a glTF asset, as far as a face needs it."""

    asset: Asset
    scene: int = 0
    scenes: tuple[Scene, ...] = ()
    nodes: tuple[Node, ...] = ()
    meshes: tuple[MeshEntry, ...] = ()
    skins: tuple[Skin, ...] = ()
    materials: tuple[Material, ...] = ()
    textures: tuple[Texture, ...] = ()
    images: tuple[Image, ...] = ()
    accessors: tuple[Accessor, ...] = ()
    buffer_views: tuple[BufferView, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    extensions: dict[str, Any] = {}
    extensions_used: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()


class Glb:
    """A parsed file: `json` and the binary chunk, uint8."""

    def __init__(self, json: Gltf, binary: NDArray[np.uint8]) -> None:
        self.json, self.binary = json, binary

    def pick(self, field: str, index: int) -> Any:
        """json.FIELD[index]. Raises AvatarError when there is none."""
        items = getattr(self.json, field)
        if not 0 <= index < len(items):
            raise AvatarError(f"{field}[{index}]: there are {len(items)}")
        return items[index]


def read_glb(path: Path) -> Glb:
    """Raises AvatarError: unreadable, not glTF 2.0 in a GLB container, truncated, or with a part that is refused."""
    try:
        size = path.stat().st_size
        if size > MAX_GLB_BYTES:
            raise AvatarError(f"{path}: {size} bytes; at most {MAX_GLB_BYTES} are read")
        data = path.read_bytes()
    except OSError as error:
        raise AvatarError(f"{path}: cannot be read: {error.strerror or error}") from error
    json_chunk, binary = _chunks(data)
    try:
        gltf = msgspec.json.decode(json_chunk, type=Gltf)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AvatarError(f"{path}: the JSON is not glTF 2.0: {error}") from None
    _check_extensions(gltf)
    return Glb(gltf, np.frombuffer(binary, dtype=np.uint8))


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    if data[:4] != b"glTF":
        raise AvatarError("no GLB file; a .gltf with separate files must be packed into a .glb first")
    if len(data) < 20:
        raise AvatarError("the file ends inside the GLB header; is the copy complete?")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise AvatarError(f"glTF version {version}; only 2 is read")
    if length > len(data):
        raise AvatarError(f"the GLB header says {length} bytes and the file has {len(data)}; is the copy complete?")
    chunks: dict[int, bytes] = {}
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            raise AvatarError(f"a chunk at {at} says {size} bytes and goes beyond the file")
        chunks.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size + (-size % 4)
    if JSON_CHUNK not in chunks or len(chunks[JSON_CHUNK]) > MAX_JSON_BYTES:
        raise AvatarError("the GLB has no JSON chunk of a readable size")
    return chunks[JSON_CHUNK], chunks.get(BIN_CHUNK, b"")


def _check_extensions(gltf: Gltf) -> None:
    if not gltf.asset.version.startswith("2"):
        raise AvatarError(f"asset.version: {gltf.asset.version}; only glTF 2.0 is read")
    for name in (*gltf.extensions_required, *gltf.extensions_used):
        if name in REFUSED:
            raise AvatarError(f"{name} is not read: {REFUSED[name]}")
    for name in gltf.extensions_required:
        if name not in UNDERSTOOD:
            raise AvatarError(f"extensionsRequired: {name} is not known here; export it again without it")
