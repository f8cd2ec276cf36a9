"""Which parts of a mesh one draw call can draw."""

import dataclasses
from dataclasses import replace

import pytest

from mien.core.mesh import GLASS_SPECULAR, TOON_GLOSS, Mesh, Part, material_key

PART = Part(name="left", first_index=0, index_count=3, role="eye_left")


def test_names_and_indices_do_not_matter_and_eyes_share_a_material() -> None:
    assert material_key(PART) == material_key(replace(PART, name="right", first_index=3, role="eye_right"))


@pytest.mark.parametrize(
    "changed",
    [{"role": "skin"}, {"texture": 0}, {"specular": 0.1}, {"gloss": 1.0}, {"alpha": True}, {"masked": True},
     {"double_sided": True}],
)  # fmt: skip
def test_any_other_difference_tells_materials_apart(changed: dict[str, object]) -> None:
    assert material_key(PART) != material_key(replace(PART, **changed))  # type: ignore[arg-type]


def test_what_is_not_said_of_a_part_is_plain() -> None:
    """Opaque, matte, one-sided, coloured by its vertices; and not shaded as drawings are."""
    plain = Part(name="p", first_index=0, index_count=3)
    assert (plain.role, plain.texture, plain.specular, plain.gloss) == ("other", -1, 0.0, 20.0)
    assert (plain.alpha, plain.double_sided, plain.masked) == (False, False, False)


def test_what_is_not_said_of_an_avatar_is_ordinary() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(Mesh)}
    assert (fields["frame_width"], fields["eye_range"], fields["background"]) == (0.0, 1.0, None)


def test_the_marks_of_glass_and_of_drawings_are_those_in_baked_files() -> None:
    """A renderer recognises both by the figures that an avatar's file holds, whatever release baked it."""
    assert (GLASS_SPECULAR, TOON_GLOSS) == (0.9, 1000.0)
