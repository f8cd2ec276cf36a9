"""Materials read, pictures measured before they are decoded, and textures made of what is used of them."""

import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mien.avatar import paint, pictures
from mien.avatar.glb import Glb
from mien.avatar.gltf import Gltf
from mien.avatar.looks import GLOSSINESS, Look, look_of
from mien.avatar.paint import Coat
from mien.avatar.pictures import bled, picture_size, resized
from mien.avatar.pieces import Piece
from mien.avatar.scene import Surface
from mien.avatar.sheet import _shelves, _unroll, _wanted, sheet
from mien.avatar.skin import Bones
from mien.errors import AvatarError


def look(material: dict[str, Any], **fields: Any) -> Look:
    json = {"asset": {"version": "2.0"}, "materials": [material], **fields}
    return look_of(Glb(msgspec.convert(json, Gltf), b"", Path()), 0)


def base(**fields: Any) -> dict[str, Any]:
    return {"pbrMetallicRoughness": fields}


def test_a_material_without_anything_is_white_paint() -> None:
    plain = look({})
    assert (plain.factor, plain.texture, plain.alpha, plain.cutoff) == ((1, 1, 1, 1), -1, "OPAQUE", 0.5)
    assert (plain.double_sided, plain.painted, plain.roughness) == (False, False, 1.0)
    np.testing.assert_array_equal(plain.uv, np.eye(2, 3))


@pytest.mark.parametrize(
    ("material", "says"),
    [
        ({"alphaMode": "ADD"}, r"materials\[0\].alphaMode: ADD is none of"),
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
        look(material)


def test_factors_at_the_ends_of_their_range_are_read() -> None:
    assert look({"alphaMode": "MASK", "alphaCutoff": 0.0}).cutoff == 0.01
    assert look({"alphaMode": "MASK", "alphaCutoff": 7.0}).cutoff == 1.0
    assert look(base(roughnessFactor=3.0)).roughness == 1.0
    assert look(base(baseColorFactor=[1000, 0, 0, 0])).factor == (1000, 0, 0, 0)
    older = look({"extensions": {GLOSSINESS: {"glossinessFactor": 0.8, "diffuseFactor": [0.5, 0.5, 0.5, 1]}}})
    assert (older.roughness, older.factor[0]) == (pytest.approx(0.2), 0.5)
    assert look({"extensions": {GLOSSINESS: {"glossinessFactor": 5.0}}}).roughness == 0.0


@pytest.mark.parametrize(
    ("fields", "painted"),
    [
        ({"extensions": {"VRM": {"materialProperties": [{"shader": "VRM/MToon"}]}}}, True),
        ({"extensions": {"VRM": {"materialProperties": [{"shader": "VRM/UnlitTexture"}]}}}, True),
        ({"extensions": {"VRM": {"materialProperties": [{"shader": "Standard"}]}}}, False),
        ({"extensions": {"VRM": {"materialProperties": [{"shader": 5}]}}}, False),
        ({"extensions": {"VRM": {"materialProperties": []}}}, False),
        ({"extensions": {"VRM": {"materialProperties": {"0": {}}}}}, False),
    ],
)
def test_older_figures_keep_their_shaders_beside_the_materials(fields: dict[str, Any], painted: bool) -> None:
    assert look({}, **fields).painted is painted


@pytest.mark.parametrize("extension", ["KHR_materials_unlit", "VRMC_materials_mtoon"])
def test_unlit_and_drawn_materials_hold_their_own_shades(extension: str) -> None:
    assert look({"extensions": {extension: {}}}).painted


def test_a_texture_transform_may_choose_another_set_of_uvs() -> None:
    def info(**transform: Any) -> dict[str, Any]:
        return base(baseColorTexture={"index": 3, "texCoord": 1, "extensions": {"KHR_texture_transform": transform}})

    assert (look(info()).tex_coord, look(info(texCoord=0)).tex_coord, look(info()).texture) == (1, 0, 3)
    turned = look(info(rotation=np.pi / 2, scale=[2.0, 3.0], offset=[0.1, 0.2])).uv
    np.testing.assert_allclose(turned @ [1, 0, 1], [0.1, 0.2 - 2], atol=1e-9)
    np.testing.assert_allclose(turned @ [0, 1, 1], [0.1 + 3, 0.2], atol=1e-9)


def jpeg(*segments: tuple[int, bytes], fill: bytes = b"") -> bytes:
    made = b"\xff\xd8"
    for marker, body in segments:
        made += fill + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
    return made


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xCF])
def test_a_jpegs_size_is_read_behind_its_other_segments(marker: int) -> None:
    frame = (marker, b"\x08" + struct.pack(">HH", 480, 640) + b"\x03")
    tables = ((0xE0, b"JFIF\0"), (0xC4, bytes(30)), (0xC8, bytes(7)), (0xCC, bytes(7)), (0xDB, bytes(65)))
    assert picture_size(jpeg(*tables, frame), "it") == (640, 480)
    assert picture_size(jpeg(*tables, frame, fill=b"\xff"), "it") == (640, 480)


@pytest.mark.parametrize("data", [b"\xff\xd8", jpeg((0xE0, b"JFIF\0")), b"\xff\xd8\xff\xc0\x00\x11\x08\x01"])
def test_a_picture_that_ends_in_its_header_is_told(data: bytes) -> None:
    with pytest.raises(AvatarError, match="it: the picture ends inside its header"):
        picture_size(data, "it")


@pytest.mark.parametrize(("size", "good"), [
    ((1, 16_384), True), ((8192, 8192), True), ((16_385, 1), False), ((1, 16_385), False), ((8192, 8193), False),
    ((0, 5), False), ((5, 0), False),
])  # fmt: skip
def test_a_picture_is_measured_before_it_is_decoded(size: tuple[int, int], good: bool) -> None:
    """What is within the limits goes on to the decoder, which finds that there is nothing behind the header."""
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", *size)
    says = "cannot be decoded" if good else f"it: {size[0]} x {size[1]} pixels; at most"
    with pytest.raises(AvatarError, match=says):
        pictures.decode_picture(data, "it", 64)


def test_colours_count_by_their_alpha_when_a_picture_shrinks() -> None:
    picture = np.zeros((4, 4, 4), np.uint8)
    picture[:, ::2] = (200, 100, 50, 255)
    small = resized(picture, 2, 2)
    np.testing.assert_allclose(small[..., :3], np.broadcast_to([200, 100, 50], (2, 2, 3)), atol=3)
    np.testing.assert_allclose(small[..., 3], 127, atol=2)
    assert resized(picture, 4, 4) is picture


def test_a_hole_takes_the_colour_round_it_and_what_has_none_is_left() -> None:
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[3, 3] = (240, 120, 60, 255)
    filled = bled(picture)
    np.testing.assert_array_equal(filled[..., 3], picture[..., 3])
    np.testing.assert_allclose(filled[0, 0, :3], [240, 120, 60], atol=2)
    np.testing.assert_array_equal(filled[3, 3], picture[3, 3])
    full = np.full((8, 8, 4), 9, np.uint8)
    assert bled(full) is full


SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def piece(role: Any = "skin", uvs: np.ndarray = SQUARE) -> Piece:
    bones = Bones(nodes=np.zeros((4, 1), np.int32), weights=np.ones((4, 1), np.float32))
    surface = Surface(
        name="x",
        look=Look(uv=np.eye(2, 3)),
        positions=np.zeros((4, 3), np.float32),
        normals=None,
        uvs=uvs,
        colors=None,
        tris=np.array([[0, 1, 2], [0, 2, 3]]),
        bones=bones,
    )
    return Piece(
        surface=surface,
        tris=surface.tris,
        side=0,
        role=role,
        uvs=uvs.copy(),
        specular=0.1,
        gloss=9.0,
        double_sided=False,
    )


def coat(width: int, height: int, *pieces: Piece, **fields: Any) -> Coat:
    tile = np.zeros((height, width, 4), np.uint8)
    tile[:, :] = (10, 20, 30, 255)
    return Coat(image=0, mode="OPAQUE", factor=1.0, cutoff=0.5, pieces=list(pieces) or [piece()], tile=tile, **fields)


@pytest.mark.parametrize(
    ("size", "role", "wanted"),
    [
        ((2048, 1024), "skin", (1024, 512)),
        ((512, 256), "skin", (512, 256)),
        ((2048, 2048), "mouth", (384, 384)),
        ((2, 4000), "hair", (4, 1024)),
    ],
)
def test_a_coat_wants_what_its_role_may_have(size: tuple[int, int], role: Any, wanted: tuple[int, int]) -> None:
    assert _wanted(coat(*size, piece(role))) == wanted


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


def test_a_sheet_holds_every_coat_where_its_pieces_point_and_white_for_the_bare() -> None:
    first, second = coat(64, 64), coat(32, 64, piece("cloth"))
    second.tile[:, :] = (90, 80, 70, 255)
    page, white = sheet([first, second], bare=True)
    height, width = page.shape[:2]
    assert {height, width} <= {256, 512}
    for own, color in ((first, (10, 20, 30)), (second, (90, 80, 70))):
        [worn] = own.pieces
        assert worn.texture == 0
        inside = worn.uvs * (width, height)
        low, high = inside.min(axis=0), inside.max(axis=0)
        np.testing.assert_allclose(high - low, own.tile.shape[1::-1], atol=1e-3)
        x, y = (int(value) for value in (low + high) / 2)
        assert tuple(page[y, x, :3]) == color
        x, y = (int(value) - 2 for value in low)  # a margin of its own colour, for filters
        assert tuple(page[y, x, :3]) == color
    assert tuple(page[int(white[1] * height), int(white[0] * width)]) == (255, 255, 255, 255)


def test_a_sheet_that_is_too_full_is_shrunk_until_it_fits() -> None:
    coats = [coat(1024, 1024, piece("hair")) for _ in range(6)]
    page, _ = sheet(coats, bare=False)
    assert page.shape == (2048, 2048, 4)
    spans = [np.ptp(own.pieces[0].uvs, axis=0) * 2048 for own in coats]
    assert min(float(span.min()) for span in spans) > 500


def test_what_repeats_is_unrolled_up_to_four_times() -> None:
    own = coat(64, 32, piece(uvs=SQUARE * np.array([2.5, 1.0], np.float32)), high=np.array([2.5, 1.0]))
    own.tile[:, :32, 0] = 200
    assert own.tiled
    _unroll(own)
    assert own.tile.shape == (32, 63, 4)
    bright = [int(own.tile[0, x, 0]) for x in (2, 18, 23, 39, 44, 60)]
    np.testing.assert_allclose(bright, [200, 10, 200, 10, 200, 10], atol=2)
    np.testing.assert_allclose(own.pieces[0].uvs.max(axis=0), [2.5 / 3, 1.0], atol=1e-6)
    many = coat(64, 64, piece(uvs=SQUARE * 9), high=np.array([9.0, 9.0]))
    _unroll(many)
    assert many.tile.shape == (64, 64, 4)
    once = coat(64, 64)
    tile = once.tile
    _unroll(once)
    assert once.tile is tile


def test_textures_have_sides_of_powers_of_two_and_share_what_all_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    coats = [coat(300, 100), coat(2048, 2048, piece("mouth"))]
    made = paint.separate(coats)
    assert [texture.shape[1::-1] for texture in made] == [(256, 128), (512, 512)]
    assert [own.pieces[0].texture for own in coats] == [0, 1]
    monkeypatch.setattr(paint, "MAX_TEXELS", 256 * 128 + 256 * 256)
    assert [texture.shape[1::-1] for texture in paint.separate(coats)] == [(256, 128), (256, 256)]
    monkeypatch.setattr(paint, "MAX_TEXELS", 256 * 128 + 256 * 256 - 1)
    assert [texture.shape[1::-1] for texture in paint.separate(coats)] == [(256, 128), (128, 128)]


def test_without_anything_bare_no_picture_is_painted_white() -> None:
    own = coat(64, 64)
    page, white = sheet([own], bare=False)
    assert not white.any()
    assert {tuple(texel) for texel in page.reshape(-1, 4)[:, :3]} == {(10, 20, 30)}
