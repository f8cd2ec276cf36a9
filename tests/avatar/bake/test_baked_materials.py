"""Materials in the baked mesh: textures, factors, colours, alpha modes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar import kinds
from avatar.glb_file import GlbFile, head
from mien.avatar.bake import assembly
from mien.avatar.bake.pipeline import bake_glb
from mien.avatar.gltf.images import bled, image_size, resized
from mien.core.mesh import Mesh, Part
from mien.errors import AvatarError

COUNT = 225
# A lossless WebP of 16 x 16 pixels, all (200, 100, 50).
WEBP = bytes.fromhex("524946461e000000574542505650384c110000002f0fc003000750b22257a6ff8188e87f0000")


@pytest.fixture(autouse=True)
def no_occlusion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "openness", lambda positions, *_: np.ones(len(positions), dtype=np.float32))


def painted(
    rgba: np.ndarray, info: dict[str, Any] | None = None, uvs: np.ndarray | None = None, **more: Any
) -> GlbFile:
    """A ball with a textured material, with UVs all over the texture."""
    file = head()
    rng = np.random.default_rng(0)
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_0"] = file.add(rng.random((COUNT, 2)) if uvs is None else uvs)
    file.json["images"] = [{"bufferView": file.view(kinds.image(rgba, "png")), "mimeType": "image/png"}]
    file.json["textures"] = [{"source": 0}]
    pbr = {"baseColorTexture": {"index": 0, **(info or {})}, **more.pop("pbr", {})}
    file.json["materials"] = [{"name": "Skin", "pbrMetallicRoughness": pbr, **more}]
    file.json["meshes"][0]["primitives"][0]["material"] = 0
    return file


def baked(file: GlbFile, tmp_path: Path) -> tuple[Mesh, Part]:
    mesh = bake_glb(file.save(tmp_path / "head.glb"))
    return mesh, next(part for part in mesh.parts if part.name.startswith("Head"))


def flat(alpha: int = 255, side: int = 32) -> np.ndarray:
    rgba = np.full((side, side, 4), alpha, dtype=np.uint8)
    rgba[..., :3] = (200, 100, 50)
    return rgba


def with_holes(share: float) -> np.ndarray:
    rgba = flat()
    rgba[: round(32 * share), :] = 0
    return rgba


@pytest.mark.parametrize(
    ("rgba", "more", "alpha", "masked"),
    [
        (flat(0), {}, False, False),
        (flat(), {"alphaMode": "MASK"}, False, False),
        (with_holes(0.5), {"alphaMode": "MASK"}, False, True),
        (flat(), {"alphaMode": "BLEND"}, False, False),
        (with_holes(0.5), {"alphaMode": "BLEND"}, False, True),
        (flat(120), {"alphaMode": "BLEND"}, True, False),
        (flat(), {"alphaMode": "BLEND", "pbr": {"baseColorFactor": [1, 1, 1, 0.4]}}, True, False),
    ],
)
def test_how_a_material_is_seen_through(
    tmp_path: Path, rgba: np.ndarray, more: dict[str, Any], alpha: bool, masked: bool
) -> None:
    mesh, part = baked(painted(rgba, **more), tmp_path)
    assert (part.alpha, part.masked) == (alpha, masked)
    texture = mesh.textures[part.texture]
    if not alpha and not masked:
        assert (texture[..., 3] == 255).all(), "what is opaque writes no alpha into the texture"
    np.testing.assert_allclose(texture[..., :3].reshape(-1, 3).min(axis=0), rgba[-1, 0, :3], atol=4)


def test_a_cutoff_is_moved_to_one_half(tmp_path: Path) -> None:
    rgba = flat()
    rgba[..., 3] = np.linspace(0, 255, 32)[None, :]
    mesh, part = baked(painted(rgba, alphaMode="MASK", alphaCutoff=0.25), tmp_path)
    seen = mesh.textures[part.texture][16, :, 3] >= 128
    assert seen.mean() == pytest.approx(0.75, abs=0.06)


def test_what_cannot_be_seen_at_all_is_left_out(tmp_path: Path) -> None:
    file = painted(flat(0), alphaMode="MASK")
    mesh = bake_glb(file.save(tmp_path / "head.glb"))
    assert not any(part.name.startswith("Head") for part in mesh.parts)


def test_a_texture_transform_turns_the_uvs(tmp_path: Path) -> None:
    rgba = flat(side=64)
    rgba[:, 32:, :3] = (10, 20, 200)
    transform = {"offset": [0.5, 0.0], "scale": [0.4, 1.0], "rotation": 0.0}
    info = {"extensions": {"KHR_texture_transform": transform}}
    mesh, part = baked(painted(rgba, info), tmp_path)
    used = mesh.indices[part.first_index : part.first_index + part.index_count]
    texture = mesh.textures[part.texture]
    at = np.floor(mesh.uvs[used] * [texture.shape[1], texture.shape[0]]).astype(int)
    blue = texture[at[:, 1].clip(0, texture.shape[0] - 1), at[:, 0].clip(0, texture.shape[1] - 1), 2]
    assert (blue > 150).mean() > 0.95


def test_the_second_set_of_uvs_is_used_where_the_material_says_so(tmp_path: Path) -> None:
    rgba = flat(side=64)
    rgba[:, 32:, :3] = (10, 20, 200)
    file = painted(rgba, {"texCoord": 1})
    right = np.random.default_rng(1).random((COUNT, 2)) * [0.4, 1] + [0.55, 0]
    file.json["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_1"] = file.add(right)
    mesh, part = baked(file, tmp_path)
    used = mesh.indices[part.first_index : part.first_index + part.index_count]
    texture = mesh.textures[part.texture]
    at = np.floor(mesh.uvs[used] * [texture.shape[1], texture.shape[0]]).astype(int)
    assert (texture[at[:, 1], at[:, 0], 2] > 150).all()


def test_colours_of_vertices_and_factors_are_multiplied_in_srgb(tmp_path: Path) -> None:
    file = head()
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]
    attributes["COLOR_0"] = file.add(np.tile([255, 128, 0, 255], (COUNT, 1)), "u1", normalized=True)
    file.json["materials"] = [{"name": "Skin", "pbrMetallicRoughness": {"baseColorFactor": [0.5, 0.5, 0.5, 1.0]}}]
    file.json["meshes"][0]["primitives"][0]["material"] = 0
    mesh, part = baked(file, tmp_path)
    color = mesh.colors[mesh.indices[part.first_index]]
    np.testing.assert_allclose(color, [188, 137, 0, 255], atol=2)


def test_specular_glossiness_is_read(tmp_path: Path) -> None:
    file = head()
    older = {"diffuseFactor": [1.0, 0.0, 0.0, 1.0], "glossinessFactor": 0.9}
    file.json["materials"] = [{"extensions": {"KHR_materials_pbrSpecularGlossiness": older}}]
    file.json["meshes"][0]["primitives"][0]["material"] = 0
    mesh, part = baked(file, tmp_path)
    np.testing.assert_array_equal(mesh.colors[mesh.indices[part.first_index], :3], [255, 0, 0])
    assert part.specular > 0.2


def test_a_webp_of_the_extension_is_taken_before_its_fallback(tmp_path: Path) -> None:
    file = painted(np.zeros((8, 8, 4), dtype=np.uint8))
    file.json["images"].append({"bufferView": file.view(WEBP), "mimeType": "image/webp"})
    file.json["textures"] = [{"source": 0, "extensions": {"EXT_texture_webp": {"source": 1}}}]
    mesh, part = baked(file, tmp_path)
    np.testing.assert_array_equal(mesh.textures[part.texture][0, 0, :3], [200, 100, 50])


def test_a_ktx2_texture_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = painted(flat())
    file.json["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    with pytest.raises(AvatarError, match=r"textures\[0\]: KTX2 is not supported; export it again"):
        baked(file, tmp_path)


def test_a_smaller_image_keeps_the_colour_beside_its_holes() -> None:
    small = resized(with_holes(0.4), 8, 8)
    solid = small[..., 3] > 8
    np.testing.assert_allclose(small[solid][:, :3], np.tile([200, 100, 50], (solid.sum(), 1)), atol=12)


def test_holes_are_filled_with_the_colour_round_them() -> None:
    filled = bled(with_holes(0.5))
    assert (filled[:16, :, 3] == 0).all()
    np.testing.assert_allclose(filled[10, 10, :3], [200, 100, 50], atol=2)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (300, 7), (16_383, 2)])
def test_the_size_of_a_webp_is_read_from_each_of_its_headers(width: int, height: int) -> None:
    riff = b"RIFF\0\0\0\0WEBP"
    extended = riff + b"VP8X" + bytes(8) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    lossless = riff + b"VP8L" + bytes(4) + b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    lossy = riff + b"VP8 " + bytes(10) + width.to_bytes(2, "little") + height.to_bytes(2, "little")
    for data in (extended, lossless, lossy):
        assert image_size(data, "images[0]") == (width, height)
