"""Draw calls: parts are joined without losing triangles, at most eight calls are made per frame."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.avatar.baked import SUFFIX
from mien.avatar.load import default_avatar_path, load_avatar
from mien.core.mesh import Part
from mien.core.pose import new_pose
from mien.render.draw_calls import MAX_DRAW_CALLS, plan
from mien.render.gl import Gl
from mien.render.gles import GlesRenderer

AVATARS = sorted(default_avatar_path().parent.glob(f"*{SUFFIX}"))


class CountingGl(Gl):
    """Counts draw calls, and every call."""

    def __init__(self) -> None:
        self.draws = self.calls = 0
        super().__init__()

    def _bind(self, name: str, restype: Any, *argtypes: Any) -> Any:
        function = super()._bind(name, restype, *argtypes)

        def counted(*arguments: Any) -> Any:
            self.calls += 1
            self.draws += name in ("glDrawElements", "glDrawArrays")
            return function(*arguments)

        return counted


@pytest.mark.parametrize("quality", ["full", "low"])
@pytest.mark.parametrize("avatar", AVATARS, ids=lambda path: path.stem)
def test_at_most_eight_draw_calls_a_frame(monkeypatch: pytest.MonkeyPatch, avatar: Path, quality: str) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    gl = CountingGl()
    renderer = GlesRenderer(load_avatar(avatar), width=90, height=160, samples=0, quality=quality, binding=lambda: gl)

    def draw(weight: float) -> int:
        pose = new_pose()
        pose[:52] = weight
        gl.draws = gl.calls = 0
        renderer.draw(pose)
        renderer.present()
        return gl.draws

    try:
        draw(0.2)
        assert 1 < draw(0.4) == renderer.draw_calls <= MAX_DRAW_CALLS
        assert gl.calls < 80
        overlay = renderer.open_overlay([(60, 20), (30, 30)])
        overlay.load(0, np.full((20, 60, 4), 255, dtype=np.uint8))
        before = draw(0.5)
        overlay.place(0, 0, 0, 1.0)
        assert draw(0.6) == before + 1
        overlay.load(1, np.full((30, 30, 4), 255, dtype=np.uint8))
        overlay.place(1, 40, 0, 1.0)
        assert draw(0.7) == before + 1, "signs and captions are one call"
    finally:
        renderer.close()


def part(name: str, first: int, count: int, **look: object) -> Part:
    return Part(name=name, first_index=first, index_count=count, **look)


def triangles_of(parts: tuple[Part, ...], indices: np.ndarray, role: str) -> set[tuple[int, ...]]:
    chosen = [indices[p.first_index : p.first_index + p.index_count].reshape(-1, 3) for p in parts if p.role == role]
    return {tuple(triangle) for run in chosen for triangle in run.tolist()}


def test_parts_that_look_alike_become_one_call_with_all_their_triangles() -> None:
    indices = np.arange(18, dtype=np.uint16)
    parts = (
        part("face", 0, 3, role="skin"),
        part("hat", 3, 6, role="cloth"),
        part("ears", 9, 3, role="skin"),
        part("teeth", 12, 6, role="mouth"),
    )
    joined, order = plan(parts, indices)
    assert len(joined) == 3
    for role in ("skin", "cloth", "mouth"):
        assert triangles_of(joined, order, role) == triangles_of(parts, indices, role)


def test_blended_parts_come_last_and_stay_apart_from_opaque_ones() -> None:
    parts = (part("lashes", 0, 3, alpha=True), part("face", 3, 3))
    joined, order = plan(parts, np.arange(6, dtype=np.uint16))
    assert [p.name for p in joined] == ["face", "lashes"]
    assert order.tolist() == [3, 4, 5, 0, 1, 2]


def test_different_textures_or_gloss_are_not_joined() -> None:
    parts = (part("a", 0, 3, texture=0), part("b", 3, 3, texture=1), part("c", 6, 3, texture=1, gloss=5.0))
    assert len(plan(parts, np.arange(9, dtype=np.uint16))[0]) == 3


def test_a_mesh_without_parts_draws_nothing() -> None:
    joined, order = plan((), np.arange(6, dtype=np.uint16))
    assert joined == ()
    assert len(order) == 0


def test_both_eyes_are_one_call() -> None:
    parts = (part("l", 0, 3, role="eye_left"), part("r", 3, 3, role="eye_right"))
    joined, order = plan(parts, np.arange(6, dtype=np.uint16))
    assert len(joined) == 1
    assert joined[0].index_count == len(order) == 6
