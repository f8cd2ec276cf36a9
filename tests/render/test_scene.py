"""Lights, and the ellipsoid that casts the shadow."""

from dataclasses import replace

import numpy as np
import pytest

from mien.core.mesh import Mesh
from mien.render.scene import LIGHTS, head_of


def test_directions_are_of_unit_length_and_colours_are_light() -> None:
    for name, value in LIGHTS.items():
        if name.endswith("_direction"):
            assert np.linalg.norm(value) == pytest.approx(1)
        else:
            assert 0 < min(value) <= max(value) <= 1.5


def test_the_head_is_the_skin_that_turns(mesh: Mesh) -> None:
    head = head_of(mesh)
    assert head.center == pytest.approx((0, 0, 0), abs=1e-3)
    assert head.radii == pytest.approx((0.1, 0.1, 0.1), rel=0.02)


def test_an_avatar_without_skin_gets_no_shadow_on_itself(mesh: Mesh) -> None:
    head = head_of(replace(mesh, parts=mesh.parts[1:]))
    assert head.center[1] - head.radii[1] > mesh.positions[:, 1].max() + 1
    assert min(head.radii) > 0
