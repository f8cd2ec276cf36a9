"""The hand-built avatar, and a GLES context that draws it."""

from collections.abc import Iterator

import pytest

from mien.core.mesh import Mesh
from mien.render.gles import GlesRenderer
from rigs.head_mesh import make_mesh


@pytest.fixture(scope="session")
def mesh() -> Mesh:
    """The hand-built avatar."""
    return make_mesh()


@pytest.fixture
def gles(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Iterator[GlesRenderer]:
    """A real GLES context without a display."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    renderer = GlesRenderer(mesh, width=120, height=160)
    yield renderer
    renderer.close()
