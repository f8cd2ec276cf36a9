"""Which parts of a mesh one draw call can draw."""

from dataclasses import replace

import pytest

from mien.core.mesh import Part, material_key

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
