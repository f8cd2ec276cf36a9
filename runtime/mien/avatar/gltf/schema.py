"""The subset of glTF 2.0's JSON that a face needs. Unknown fields are ignored, as the specification requires.

glTF 2.0 specification, section 5 (properties). Extensions follow their own specifications.
"""

from typing import Any, Final

import msgspec

REFUSED: Final = {
    "KHR_draco_mesh_compression": "Draco is not supported; export it without (`gltf-transform copy in.glb out.glb`)",
    "KHR_texture_basisu": "KTX2 is not supported; export it again with PNG, JPEG or WebP textures "
    "(`gltf-transform ktxdecompress in.glb out.glb`)",
}
UNDERSTOOD: Final = frozenset(
    {
        "EXT_meshopt_compression",
        "EXT_texture_webp",
        "KHR_lights_punctual",
        "KHR_materials_clearcoat",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_sheen",
        "KHR_materials_specular",
        "KHR_materials_transmission",
        "KHR_materials_unlit",
        "KHR_materials_volume",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
        "VRM",
        "VRMC_materials_hdr_emissiveMultiplier",
        "VRMC_materials_mtoon",
        "VRMC_node_constraint",
        "VRMC_springBone",
        "VRMC_vrm",
    }
)


class Struct(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of all properties, whose names are camelCase in the file."""


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


Rgba = tuple[float, float, float, float]


class MetallicRoughness(Struct):
    base_color_factor: Rgba = (1.0, 1.0, 1.0, 1.0)
    base_color_texture: TextureInfo | None = None
    roughness_factor: float = 1.0


class MaterialEntry(Struct):
    name: str = ""
    pbr_metallic_roughness: MetallicRoughness = msgspec.field(default_factory=MetallicRoughness)
    alpha_mode: str = "OPAQUE"
    alpha_cutoff: float = 0.5
    double_sided: bool = False
    extensions: dict[str, Any] = {}


class SpecularGlossiness(Struct):
    """KHR_materials_pbrSpecularGlossiness, which older exporters write in place of pbrMetallicRoughness."""

    diffuse_factor: Rgba = (1.0, 1.0, 1.0, 1.0)
    diffuse_texture: TextureInfo | None = None
    glossiness_factor: float = 1.0


class TextureTransform(Struct):
    """KHR_texture_transform."""

    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    tex_coord: int | None = None


class Texture(Struct):
    source: int | None = None
    extensions: dict[str, Any] = {}


class Image(Struct):
    buffer_view: int | None = None
    uri: str | None = None


class SceneEntry(Struct):
    nodes: tuple[int, ...] = ()


class Buffer(Struct):
    byte_length: int
    uri: str | None = None
    extensions: dict[str, Any] = {}


class Asset(Struct):
    version: str


class Gltf(Struct):
    """A whole asset."""

    asset: Asset
    scene: int = 0
    scenes: tuple[SceneEntry, ...] = ()
    nodes: tuple[Node, ...] = ()
    meshes: tuple[MeshEntry, ...] = ()
    skins: tuple[Skin, ...] = ()
    materials: tuple[MaterialEntry, ...] = ()
    textures: tuple[Texture, ...] = ()
    images: tuple[Image, ...] = ()
    accessors: tuple[Accessor, ...] = ()
    buffer_views: tuple[BufferView, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    extensions: dict[str, Any] = {}
    extensions_used: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()


def dig(value: object, *keys: str) -> object:
    """value[key][key]..., or None where a level is missing or not an object."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
