"""glTF materials: what is read, defaulted, clamped or refused."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.materials import GLOSSINESS, Material, read_material
from mien.avatar.gltf.schema import Gltf
from mien.errors import AvatarError


def read(material: dict[str, Any], **fields: Any) -> Material:
    json = {"asset": {"version": "2.0"}, "materials": [material], **fields}
    return read_material(Glb(msgspec.convert(json, Gltf), b"", Path()), 0)


def base(**fields: Any) -> dict[str, Any]:
    return {"pbrMetallicRoughness": fields}


def test_a_material_without_anything_is_plain_white() -> None:
    plain = read({})
    assert (plain.factor, plain.texture, plain.alpha, plain.cutoff) == ((1, 1, 1, 1), -1, "OPAQUE", 0.5)
    assert (plain.double_sided, plain.unlit, plain.roughness) == (False, False, 1.0)
    np.testing.assert_array_equal(plain.uv, np.eye(2, 3))


@pytest.mark.parametrize(
    ("material", "says"),
    [
        ({"alphaMode": "ADD"}, r"materials\[0\].alphaMode: ADD is not one of"),
        ({"alphaCutoff": -0.1}, "out of range"),
        ({"alphaCutoff": 1001.0}, "out of range"),
        (base(baseColorFactor=[1, 1, 1, -0.1]), "out of range"),
        (base(baseColorFactor=[1001, 1, 1, 1]), "out of range"),
        (base(roughnessFactor=-1.0), "out of range"),
        (base(baseColorTexture={"index": 0, "extensions": {"KHR_texture_transform": {"scale": "wide"}}}),
         r"baseColorTexture.extensions.KHR_texture_transform: Expected"),
        (base(baseColorTexture={"index": 0, "extensions": {"KHR_texture_transform": {"offset": [1e5, 0]}}}),
         "KHR_texture_transform: is out of range"),
        ({"extensions": {GLOSSINESS: {"glossinessFactor": "much"}}}, GLOSSINESS + ": Expected"),
    ],
)  # fmt: skip
def test_a_material_that_breaks_its_format_is_refused_with_its_place(material: dict[str, Any], says: str) -> None:
    with pytest.raises(AvatarError, match=says):
        read(material)


def test_factors_at_the_ends_of_their_range_are_read() -> None:
    assert read({"alphaMode": "MASK", "alphaCutoff": 0.0}).cutoff == 0.01
    assert read({"alphaMode": "MASK", "alphaCutoff": 7.0}).cutoff == 1.0
    assert read(base(roughnessFactor=3.0)).roughness == 1.0
    assert read(base(baseColorFactor=[1000, 0, 0, 0])).factor == (1000, 0, 0, 0)
    older = read({"extensions": {GLOSSINESS: {"glossinessFactor": 0.8, "diffuseFactor": [0.5, 0.5, 0.5, 1]}}})
    assert (older.roughness, older.factor[0]) == (pytest.approx(0.2), 0.5)
    assert read({"extensions": {GLOSSINESS: {"glossinessFactor": 5.0}}}).roughness == 0.0


@pytest.mark.parametrize(
    ("fields", "unlit"),
    [
        ({"extensions": {"VRM": {"materialProperties": [{"shader": "VRM/MToon"}]}}}, True),
        ({"extensions": {"VRM": {"materialProperties": [{"shader": "VRM/UnlitTexture"}]}}}, True),
        ({"extensions": {"VRM": {"materialProperties": [{"shader": "Standard"}]}}}, False),
        ({"extensions": {"VRM": {"materialProperties": [{"shader": 5}]}}}, False),
        ({"extensions": {"VRM": {"materialProperties": []}}}, False),
        ({"extensions": {"VRM": {"materialProperties": {"0": {}}}}}, False),
    ],
)
def test_older_figures_keep_their_shaders_beside_the_materials(fields: dict[str, Any], unlit: bool) -> None:
    assert read({}, **fields).unlit is unlit


@pytest.mark.parametrize("extension", ["KHR_materials_unlit", "VRMC_materials_mtoon"])
def test_unlit_and_drawn_materials_hold_their_own_shades(extension: str) -> None:
    assert read({"extensions": {extension: {}}}).unlit


def drawn_0(**vectors: Any) -> dict[str, Any]:
    return {"extensions": {"VRM": {"materialProperties": [{"shader": "VRM/MToon", "vectorProperties": vectors}]}}}


@pytest.mark.parametrize(
    ("shade", "toon"),
    [([0.7, 0.5, 0.5], True), ([1, 1, 1], False), ([0.5], False), (["a", 0, 0], False), (None, False)],
)
def test_a_dark_shade_asks_for_two_tones(shade: object, toon: bool) -> None:
    assert read({"extensions": {"VRMC_materials_mtoon": {"shadeColorFactor": shade}}}).toon is toon
    assert read({}, **drawn_0(_ShadeColor=shade)).toon is toon


def test_a_texture_transform_may_choose_another_set_of_uvs() -> None:
    def info(**transform: Any) -> dict[str, Any]:
        return base(baseColorTexture={"index": 3, "texCoord": 1, "extensions": {"KHR_texture_transform": transform}})

    assert (read(info()).tex_coord, read(info(texCoord=0)).tex_coord, read(info()).texture) == (1, 0, 3)
    turned = read(info(rotation=np.pi / 2, scale=[2.0, 3.0], offset=[0.1, 0.2])).uv
    np.testing.assert_allclose(turned @ [1, 0, 1], [0.1, 0.2 - 2], atol=1e-9)
    np.testing.assert_allclose(turned @ [0, 1, 1], [0.1 + 3, 0.2], atol=1e-9)
