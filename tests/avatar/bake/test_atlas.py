"""Textures: one for each source, or an atlas where there would be too many draw calls."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mien.avatar.bake import atlas, textures
from mien.avatar.bake.atlas import _shelves, _unroll, _wanted, pack
from mien.avatar.bake.submesh import Submesh
from mien.avatar.bake.textures import SourceTexture
from mien.avatar.gltf.materials import Material
from mien.avatar.gltf.scene import Surface
from mien.avatar.gltf.skin import Bones
from mien.core.mesh import material_key

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def submesh(role: Any = "skin", uvs: np.ndarray = SQUARE) -> Submesh:
    bones = Bones(nodes=np.zeros((4, 1), np.int32), weights=np.ones((4, 1), np.float32))
    surface = Surface(
        name="x",
        material=Material(uv=np.eye(2, 3)),
        positions=np.zeros((4, 3), np.float32),
        normals=None,
        uvs=uvs,
        colors=None,
        tris=np.array([[0, 1, 2], [0, 2, 3]]),
        bones=bones,
    )
    return Submesh(
        surface=surface,
        tris=surface.tris,
        side=0,
        role=role,
        uvs=uvs.copy(),
        specular=0.1,
        gloss=9.0,
        double_sided=False,
    )


def source(width: int, height: int, *submeshes: Submesh, **fields: Any) -> SourceTexture:
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[:, :] = (10, 20, 30, 255)
    return SourceTexture(
        image=0,
        mode="OPAQUE",
        factor=1.0,
        cutoff=0.5,
        submeshes=list(submeshes) or [submesh()],
        pixels=pixels,
        **fields,
    )


@pytest.mark.parametrize(
    ("size", "role", "wanted"),
    [
        ((2048, 1024), "skin", (1024, 512)),
        ((512, 256), "skin", (512, 256)),
        ((2048, 2048), "mouth", (384, 384)),
        ((2, 4000), "hair", (4, 1024)),
    ],
)
def test_a_texture_is_as_large_as_its_role_allows(size: tuple[int, int], role: Any, wanted: tuple[int, int]) -> None:
    assert _wanted(source(*size, submesh(role))) == wanted


def test_rectangles_lie_in_rows_without_touching_or_do_not_fit() -> None:
    sizes = [(60, 20), (50, 40), (30, 40), (100, 10)]
    spots = _shelves(sizes, 100, 70)
    assert spots is not None
    taken = np.zeros((70, 100), int)
    for (w, h), (x, y) in zip(sizes, spots, strict=True):
        assert x + w <= 100
        assert y + h <= 70
        taken[y : y + h, x : x + w] += 1
    assert taken.max() == 1
    assert _shelves(sizes, 100, 69) is None
    assert _shelves([(101, 1)], 100, 70) is None
    assert _shelves([(100, 70)], 100, 70) == [(0, 0)]


def test_an_atlas_holds_every_texture_where_its_uvs_point_and_white_for_the_untextured() -> None:
    first, second = source(64, 64), source(32, 64, submesh("cloth"))
    second.pixels[:, :] = (90, 80, 70, 255)
    image, white = pack([first, second], untextured=True)
    height, width = image.shape[:2]
    assert {height, width} <= {256, 512}
    for own, color in ((first, (10, 20, 30)), (second, (90, 80, 70))):
        [user] = own.submeshes
        assert user.texture == 0
        inside = user.uvs * (width, height)
        low, high = inside.min(axis=0), inside.max(axis=0)
        np.testing.assert_allclose(high - low, own.pixels.shape[1::-1], atol=1e-3)
        x, y = (int(value) for value in (low + high) / 2)
        assert tuple(image[y, x, :3]) == color
        x, y = (int(value) - 2 for value in low)  # a margin of its own colour, for filtering
        assert tuple(image[y, x, :3]) == color
    assert tuple(image[int(white[1] * height), int(white[0] * width)]) == (255, 255, 255, 255)


def test_an_atlas_that_is_too_full_is_shrunk_until_it_fits() -> None:
    sources = [source(1024, 1024, submesh("hair")) for _ in range(6)]
    image, _ = pack(sources, untextured=False)
    assert image.shape == (2048, 2048, 4)
    spans = [np.ptp(own.submeshes[0].uvs, axis=0) * 2048 for own in sources]
    assert min(float(span.min()) for span in spans) > 500


def test_what_repeats_is_unrolled_up_to_four_times() -> None:
    own = source(64, 32, submesh(uvs=SQUARE * np.array([2.5, 1.0], np.float32)), high=np.array([2.5, 1.0]))
    own.pixels[:, :32, 0] = 200
    assert own.repeats
    _unroll(own)
    assert own.pixels.shape == (32, 63, 4)
    bright = [int(own.pixels[0, x, 0]) for x in (2, 18, 23, 39, 44, 60)]
    np.testing.assert_allclose(bright, [200, 10, 200, 10, 200, 10], atol=2)
    np.testing.assert_allclose(own.submeshes[0].uvs.max(axis=0), [2.5 / 3, 1.0], atol=1e-6)
    many = source(64, 64, submesh(uvs=SQUARE * 9), high=np.array([9.0, 9.0]))
    _unroll(many)
    assert many.pixels.shape == (64, 64, 4)
    once = source(64, 64)
    pixels = once.pixels
    _unroll(once)
    assert once.pixels is pixels


def test_textures_have_sides_of_powers_of_two_and_share_what_all_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [source(300, 100), source(2048, 2048, submesh("mouth"))]
    made = textures.separate(sources)
    assert [texture.shape[1::-1] for texture in made] == [(256, 128), (512, 512)]
    assert [own.submeshes[0].texture for own in sources] == [0, 1]
    monkeypatch.setattr(textures, "MAX_TEXELS", 256 * 128 + 256 * 256)
    assert [texture.shape[1::-1] for texture in textures.separate(sources)] == [(256, 128), (256, 256)]
    monkeypatch.setattr(textures, "MAX_TEXELS", 256 * 128 + 256 * 256 - 1)
    assert [texture.shape[1::-1] for texture in textures.separate(sources)] == [(256, 128), (128, 128)]


def test_without_untextured_submeshes_the_atlas_has_no_white() -> None:
    own = source(64, 64)
    image, white = pack([own], untextured=False)
    assert not white.any()
    assert {tuple(texel) for texel in image.reshape(-1, 4)[:, :3]} == {(10, 20, 30)}


def triangles(role: Any = "skin", count: int = 1, **fields: Any) -> Submesh:
    made = replace(submesh().surface, tris=np.array([(0, 1, 2)] * count))
    plain: dict[str, Any] = {"specular": 0.1, "gloss": 10.0, "double_sided": False}
    return Submesh(surface=made, tris=made.tris, side=0, role=role, uvs=made.uvs, **(plain | fields))


def test_an_avatar_of_few_kinds_is_left_as_it_is() -> None:
    submeshes = [triangles("cloth", specular=number / 10) for number in range(7)]
    assert atlas.build_textures(submeshes, []) == []
    assert [own.specular for own in submeshes] == [number / 10 for number in range(7)]


def test_one_kind_too_many_takes_the_specular_of_the_largest() -> None:
    submeshes = [triangles("cloth", 1 + number % 5, specular=number / 10, gloss=float(number)) for number in range(8)]
    assert atlas.build_textures(submeshes, []) == []
    assert {(own.specular, own.gloss) for own in submeshes} == {(0.4, 4.0)}


def kinds(submeshes: list[Submesh]) -> int:
    return len({material_key(own) for own in submeshes})


def test_sides_then_transparent_then_others_are_joined_until_there_are_few_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(atlas, "pack", lambda *_: ("page", np.zeros(2)))
    roles = ("skin", "mouth", "hair", "cloth", "other", "eye_left")
    submeshes = [triangles(role, double_sided=sided) for role in roles for sided in (False, True)]
    assert atlas.build_textures(submeshes, []) == ["page"]
    assert kinds(submeshes) == 6
    assert {own.role for own in submeshes} == set(roles)
    assert all(own.double_sided for own in submeshes)

    transparent = [triangles(role, alpha=True) for role in roles[:5]] + [
        triangles(role, masked=True) for role in roles[:5]
    ]
    submeshes = [triangles(role) for role in roles[:4]] + transparent
    atlas.build_textures(submeshes, [])
    assert kinds(submeshes) == 6
    assert len({own.role for own in transparent}) == 2 - (transparent[0].role == transparent[5].role)
    assert [own.role for own in submeshes[:4]] == list(roles[:4])

    solid = [triangles(role) for role in (*roles[:4], "other", "eye_left")]
    extra = [triangles("hair", alpha=True), triangles("hair", masked=True)]
    submeshes = [*solid, *extra]
    atlas.build_textures(submeshes, [])
    assert kinds(submeshes) == 7
    assert solid[4].role == "cloth"
    assert [own.role for own in extra] == ["hair", "hair"]


def test_an_untextured_submesh_gets_the_white_of_the_atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def packed(_: Any, untextured: bool) -> Any:
        asked.append(untextured)
        return "page", np.array([0.25, 0.75])

    monkeypatch.setattr(atlas, "pack", packed)
    submeshes = [
        triangles(
            "cloth",
            double_sided=bool(number % 2),
            alpha=number > 3,
            masked=number > 5,
            texture=-1,
            specular=0.1,
            gloss=float(number),
        )
        for number in range(8)
    ]
    submeshes += [triangles(role) for role in ("skin", "mouth", "hair", "other")]
    atlas.build_textures(submeshes, [])
    assert asked == [True]
    assert {own.texture for own in submeshes} == {0}
    assert submeshes[0].uvs.tolist() == [[0.25, 0.75]] * 4
