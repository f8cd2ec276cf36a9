"""The proportions of a figure."""

import numpy as np
import pytest

from mien.avatar.bake import figure as figures
from mien.avatar.bake.figure import Figure


def test_a_head_of_human_size_keeps_it_and_others_are_brought_to_it() -> None:
    for head in (0.1301, 0.2, 0.4199):
        assert Figure(chin=1.0, crown=1.0 + head, middle=(0, 0)).scale == 1.0
    for head in (0.1299, 0.4201, 23.0, 0.001):
        figure = Figure(chin=1.0, crown=1.0 + head, middle=(0, 0))
        assert figure.scale * figure.head == pytest.approx(0.23)


def test_a_bust_is_cut_below_the_chin_and_at_both_shoulders() -> None:
    figure = Figure(chin=1.5, crown=1.7, middle=(0.1, 0.0))
    planes = figures.bust_planes(figure)
    kept = {(x, y): all(np.dot(normal, (x, y, 0)) >= distance - 1e-9 for normal, distance in planes)
            for x in (-0.14, -0.12, 0.32, 0.34) for y in (1.2, 1.22)}  # fmt: skip
    assert {at for at, inside in kept.items() if inside} == {(-0.12, 1.22), (0.32, 1.22)}


def test_a_camera_shows_from_above_the_hair_to_below_the_collar() -> None:
    figure = Figure(chin=1.5, crown=1.7, middle=(0.1, 0.05))
    turning = np.ones(1, np.float32)
    center, height, width = figures.frame(figure, np.array([[0.1, 1.72, 0]], np.float32), turning)
    assert width == 0.0  # an ordinary frame is wide enough
    assert center[1] + height / 2 == pytest.approx(1.72 + 0.16 * 0.2, abs=1e-5)
    assert center[1] - height / 2 == pytest.approx(1.5 - 0.36 * 0.2, abs=1e-5)
    np.testing.assert_allclose(center[[0, 2]], [0.1, 0.05 - 0.07], atol=1e-6)
    _, tall, _ = figures.frame(figure, np.array([[0.1, 1.88, 0]], np.float32), turning)
    assert tall == pytest.approx(1.88 + 0.032 - 1.5 + 0.072, abs=1e-5)  # a hat stays in
    _, tall, _ = figures.frame(figure, np.array([[0.1, 9.0, 0]], np.float32), turning)
    assert tall == pytest.approx(1.9 + 0.032 - 1.5 + 0.072, abs=1e-5)  # a flagpole does not


def test_a_wide_head_asks_for_width_and_shoulders_do_not() -> None:
    figure = Figure(chin=1.5, crown=1.7, middle=(0.1, 0.05))
    points = np.array([[0.1, 1.72, 0], [0.3, 1.6, 0], [0.9, 1.3, 0]], np.float32)
    *_, width = figures.frame(figure, points, np.array([1, 1, 0], np.float32))
    assert width == pytest.approx(2 * 0.2 * 1.08)
    *_, width = figures.frame(figure, points, np.array([1, 0, 0], np.float32))
    assert width == 0.0


def test_the_neck_turns_softly_and_half_a_face_ends_softly() -> None:
    figure = Figure(chin=1.5, crown=1.7, middle=(0.1, 0.0))
    heights = np.array([[0, y, 0] for y in (1.6, 1.496, 1.453, 1.41, 1.0)], np.float32)
    np.testing.assert_allclose(figures.head_weights(figure, heights), [1, 1, 0.5, 0, 0], atol=0.01)
    across = np.array([[x, 1.6, 0] for x in (0.2, 0.107, 0.1, 0.093, 0.0)], np.float32)
    np.testing.assert_allclose(figures.half(across, 1, figure), [1, 1, 0.5, 0, 0], atol=0.01)
    np.testing.assert_allclose(figures.half(across, -1, figure), [0, 0, 0.5, 1, 1], atol=0.01)
    np.testing.assert_array_equal(figures.half(across, 0, figure), 1)


def test_the_neck_joint_lies_behind_the_middle_under_the_ears() -> None:
    figure = Figure(chin=1.5, crown=1.7, middle=(0.1, 0.0))
    points = np.array([[0, 1.6, z] for z in np.linspace(-0.1, 0.1, 201)] + [[0, 1.2, 9], [0, 1.8, -9]], np.float32)
    np.testing.assert_allclose(figures.neck_joint(figure, points), [0.1, 1.504, -0.09 + 0.42 * 0.18], atol=2e-3)
