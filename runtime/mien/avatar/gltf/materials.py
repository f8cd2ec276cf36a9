"""glTF materials, reduced to what this renderer can show."""

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf.glb import AGAIN, Glb
from mien.avatar.gltf.schema import MaterialEntry, SpecularGlossiness, Struct, TextureInfo, TextureTransform, dig
from mien.errors import AvatarError

Kind = TypeVar("Kind", bound=Struct)
AlphaMode = Literal["OPAQUE", "MASK", "BLEND"]
GLOSSINESS: Final = "KHR_materials_pbrSpecularGlossiness"
MTOON: Final = "VRMC_materials_mtoon"
TRANSMISSION: Final = "KHR_materials_transmission"
LEAST_TRANSMISSION: Final = 0.3
LIGHTEST_SHADE: Final = 0.95
UNLIT: Final = "KHR_materials_unlit"


@dataclass(frozen=True, kw_only=True)
class Material:
    """factor: linear RGBA. texture: an index, -1 for none. uv: (2, 3), the affine transform of the file's UVs.

    tex_coord: the number of the UV set. unlit: shading is part of the texture (KHR_materials_unlit, MToon).
    toon: it asks for two tones, by a shade that is darker than its colour (MToon).
    clear: light passes through it (KHR_materials_transmission), as through a lens.
    """

    name: str = ""
    factor: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    texture: int = -1
    tex_coord: int = 0
    uv: NDArray[np.float64]
    alpha: AlphaMode = "OPAQUE"
    cutoff: float = 0.5
    double_sided: bool = False
    unlit: bool = False
    toon: bool = False
    roughness: float = 0.7
    clear: bool = False


def read_material(glb: Glb, index: int | None) -> Material:
    """Read materials[index]; plain white for None. Raises AvatarError."""
    if index is None:
        return Material(uv=np.eye(2, 3))
    material: MaterialEntry = glb.pick("materials", index)
    field = f"materials[{index}]"
    factor, info, roughness = _base(field, material)
    if not all(0 <= value <= 1e3 for value in (*factor, roughness, material.alpha_cutoff)):
        raise AvatarError(f"{field}: a colour, roughness or alphaCutoff is out of range; {AGAIN}")
    tex_coord, uv = _coordinates(f"{field}.baseColorTexture", info)
    return Material(
        name=material.name,
        factor=factor,
        texture=-1 if info is None else info.index,
        tex_coord=tex_coord,
        uv=uv,
        alpha=_alpha(field, material),
        cutoff=min(max(material.alpha_cutoff, 0.01), 1.0),
        double_sided=material.double_sided,
        unlit=UNLIT in material.extensions or MTOON in material.extensions or _is_mtoon_0(glb, index),
        toon=_is_toon(glb, index, material),
        roughness=min(roughness, 1.0),
        clear=_is_clear(material),
    )


def _base(field: str, material: MaterialEntry) -> tuple[tuple[float, float, float, float], TextureInfo | None, float]:
    if GLOSSINESS in material.extensions:
        converted = _converted(f"{field}.extensions.{GLOSSINESS}", material.extensions[GLOSSINESS], SpecularGlossiness)
        return converted.diffuse_factor, converted.diffuse_texture, 1 - min(converted.glossiness_factor, 1.0)
    plain = material.pbr_metallic_roughness
    return plain.base_color_factor, plain.base_color_texture, plain.roughness_factor


def _alpha(field: str, material: MaterialEntry) -> AlphaMode:
    match material.alpha_mode:
        case "OPAQUE" | "MASK" | "BLEND" as known:
            return known
    raise AvatarError(f"{field}.alphaMode: {material.alpha_mode[:20]} is not one of OPAQUE, MASK, BLEND; {AGAIN}")


def _is_clear(material: MaterialEntry) -> bool:
    factor = dig(material.extensions.get(TRANSMISSION), "transmissionFactor")
    return isinstance(factor, int | float) and factor > LEAST_TRANSMISSION


def _is_mtoon_0(glb: Glb, index: int) -> bool:
    """Whether VRM 0.x, which lists shaders apart from the materials, names an unlit one."""
    shader = dig(_properties_0(glb, index), "shader")
    return isinstance(shader, str) and ("MToon" in shader or "Unlit" in shader)


def _is_toon(glb: Glb, index: int, material: MaterialEntry) -> bool:
    """Whether MToon, as VRM 1.0 or 0.x writes it, names a shade darker than white."""
    shade = dig(material.extensions.get(MTOON), "shadeColorFactor")
    if shade is None and _is_mtoon_0(glb, index):
        shade = dig(_properties_0(glb, index), "vectorProperties", "_ShadeColor")
    if not isinstance(shade, list) or len(shade) < 3 or not all(isinstance(value, int | float) for value in shade[:3]):
        return False
    return sum(shade[:3]) / 3 < LIGHTEST_SHADE


def _properties_0(glb: Glb, index: int) -> object:
    """What VRM 0.x says of a material; None where it says nothing."""
    properties = dig(glb.json.extensions, "VRM", "materialProperties")
    return properties[index] if isinstance(properties, list) and index < len(properties) else None


def _coordinates(field: str, info: TextureInfo | None) -> tuple[int, NDArray[np.float64]]:
    if info is None:
        return 0, np.eye(2, 3)
    given = info.extensions.get("KHR_texture_transform")
    if given is None:
        return info.tex_coord, np.eye(2, 3)
    turn = _converted(f"{field}.extensions.KHR_texture_transform", given, TextureTransform)
    sin, cos = np.sin(turn.rotation), np.cos(turn.rotation)
    (sx, sy), (ox, oy) = turn.scale, turn.offset
    # As the extension defines it: translation * rotation * scale, counter-clockwise in a space where v points down.
    uv = np.array([[cos * sx, sin * sy, ox], [-sin * sx, cos * sy, oy]])
    if not (np.abs(uv) < 1e4).all():
        raise AvatarError(f"{field}.extensions.KHR_texture_transform: is out of range; {AGAIN}")
    return (info.tex_coord if turn.tex_coord is None else turn.tex_coord), uv


def _converted(field: str, value: object, kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise AvatarError(f"{field}: {error}; {AGAIN}") from None
