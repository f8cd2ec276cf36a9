"""Hair cards: alpha-tested with depth, without blending."""

import numpy as np
import pytest

from mien.core.mesh import Mesh, Part
from mien.core.pose import new_pose
from mien.render.draw_calls import VARIANTS, drawn_by, plan
from mien.render.gles import GlesRenderer

FRONT = np.array([[-0.1, -0.1, 0.12], [0.1, -0.1, 0.12], [0.1, 0.1, 0.12], [-0.1, 0.1, 0.12]], dtype=np.float32)


def card(masked: bool) -> Mesh:
    """A black card before a white one; the upper half of the black one's texture is transparent."""
    behind = FRONT - np.array([0, 0, 0.05], dtype=np.float32)
    sheet = np.zeros((64, 64, 4), dtype=np.uint8)
    sheet[32:, :, 3] = 255
    return Mesh(
        name="cards",
        positions=np.concatenate([FRONT, behind]),
        normals=np.tile(np.float32([0, 0, 1]), (8, 1)),
        uvs=np.tile(np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype=np.float32), (2, 1)),
        colors=np.full((8, 4), 255, dtype=np.uint8),
        head_weights=np.ones(8, dtype=np.float32),
        indices=np.array([0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7], dtype=np.uint16),
        parts=(
            Part(name="card", first_index=0, index_count=6, role="hair", texture=0, masked=masked),
            Part(name="wall", first_index=6, index_count=6, role="cloth"),
        ),
        textures=(sheet,),
        targets=(),
        neck_pivot=np.zeros(3, dtype=np.float32),
        eye_pivots=np.zeros((2, 3), dtype=np.float32),
        frame_center=np.zeros(3, dtype=np.float32),
        frame_height=0.3,
    )


def drawn(mesh: Mesh, quality: str) -> tuple[float, float]:
    """The brightness of the frame above and below the middle."""
    renderer = GlesRenderer(mesh, width=120, height=120, quality=quality)
    try:
        renderer.draw(new_pose())
        frame = renderer.capture().astype(float)
    finally:
        renderer.close()
    return float(frame[40:50, 55:65].mean()), float(frame[70:80, 55:65].mean())


@pytest.mark.parametrize("quality", ["full", "low"])
def test_a_masked_card_shows_what_is_behind_its_holes(quality: str) -> None:
    above, below = drawn(card(masked=True), quality)
    assert above > 120
    assert below < 60


def test_an_opaque_card_hides_it() -> None:
    above, below = drawn(card(masked=False), "full")
    assert above < 60
    assert below < 60


def test_masked_parts_have_a_variant_of_their_own_and_are_not_joined_with_others() -> None:
    parts = (
        Part(name="cards", first_index=0, index_count=3, role="hair", masked=True),
        Part(name="cap", first_index=3, index_count=3, role="hair"),
    )
    joined, _ = plan(parts, np.arange(6, dtype=np.uint16))
    assert [part.name for part in joined] == ["cards", "cap"]
    by = {variant: [part.name for part in drawn_by(variant, parts)] for variant in VARIANTS}
    assert {variant: names for variant, names in by.items() if names} == {"HAIR": ["cap"], "MASK": ["cards"]}
