"""Few draw calls, the same triangles."""

import numpy as np

from mien.core.mesh import Part
from mien.render.draw_calls import plan


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
