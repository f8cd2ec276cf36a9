"""The crop of a bust."""

import numpy as np
import pytest

from avatar.surfaces import surface
from mien.avatar.bake.bust import clip


def test_a_plane_cuts_triangles_in_one_and_two_and_keeps_what_they_carry() -> None:
    targets = {"jawOpen": np.array([[0, 0, 1], [0, 0, 1], [0, 0, 3], [0, 0, 3]], np.float32)}
    kept = clip(surface(targets=targets), (0.0, 1.0, 0.0), 0.25)
    assert kept is not None
    assert kept.positions[:, 1].min() == pytest.approx(0.25)
    sides = kept.positions[kept.tris]
    doubled = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    assert (doubled[:, 2] > 0).all()
    assert doubled[:, 2].sum() / 2 == pytest.approx(0.75)
    np.testing.assert_allclose(kept.uvs, kept.positions[:, :2], atol=1e-6)
    np.testing.assert_allclose(kept.targets["jawOpen"][:, 2], 1 + 2 * kept.positions[:, 1], atol=1e-6)
    assert len(kept.bones.nodes) == len(kept.positions)
    assert clip(surface(), (0.0, 1.0, 0.0), 1.5) is None
    assert clip(surface(), (0.0, 1.0, 0.0), 0.0) is not None
    whole = surface()
    assert clip(whole, (0.0, 1.0, 0.0), -0.1) is whole
    lower = clip(surface(), (0.0, -1.0, 0.0), -0.25)
    assert lower is not None
    assert lower.positions[:, 1].max() == pytest.approx(0.25)
