"""Ambient occlusion: exposed surfaces are open, hollows are not."""

import numpy as np

from avatar.glb_file import ball
from mien.avatar.bake.ao import openness
from mien.avatar.bake.geometry import vertex_normals


def test_a_ball_alone_is_open() -> None:
    points, tris = ball((0, 1.5, 0), 0.1, 21)
    points = points.astype(np.float32)
    normals = vertex_normals(points, tris, np.arange(len(points)))
    assert openness(points, normals, tris).min() > 0.85


def test_the_floor_of_a_tube_is_darker_than_its_rim() -> None:
    side = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rings = [np.c_[0.05 * np.cos(side), np.full(40, y), 0.05 * np.sin(side)] for y in np.linspace(0, 0.2, 12)]
    points = np.concatenate([*rings, [[0, 0, 0]]]).astype(np.float32)
    a, b = np.meshgrid(np.arange(11), np.arange(40), indexing="ij")
    here, there = a * 40 + b, a * 40 + (b + 1) % 40
    tris = np.concatenate(
        [
            np.stack([here, there, here + 40], -1).reshape(-1, 3),
            np.stack([there, there + 40, here + 40], -1).reshape(-1, 3),
            np.stack([np.arange(40), (np.arange(40) + 1) % 40, np.full(40, 480)], -1),
        ]
    )
    inwards = np.concatenate([np.tile(np.c_[-np.cos(side), 0 * side, -np.sin(side)], (12, 1)), [[0, 1, 0]]])
    light = openness(points, inwards.astype(np.float32), tris)
    assert light[480] < 0.25
    assert light[440:480].mean() > light[:40].mean() + 0.15
    assert np.isfinite(light).all()


def test_nothing_at_all_costs_nothing() -> None:
    points = np.zeros((3, 3), dtype=np.float32)
    up = np.tile(np.float32([0, 1, 0]), (3, 1))
    assert np.isfinite(openness(points, up, np.array([[0, 1, 2]]))).all()
