"""Camera framing on screens of any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.render.camera import MIN_WIDTH_OF_FRAME, View, frame

CENTER = np.array([0.01, 1.5, 0.02], dtype=np.float32)


def project(view: View, point: np.ndarray) -> np.ndarray:
    clip = view.matrix.reshape(4, 4).T @ np.append(point, 1.0)
    return clip[:3] / clip[3]


@given(aspect=st.floats(0.3, 4), height=st.floats(0.05, 3))
def test_the_framed_part_is_on_the_screen(aspect: float, height: float) -> None:
    view = frame(CENTER, height, aspect)
    half = np.array([MIN_WIDTH_OF_FRAME * height / 2, height / 2, 0])
    for corner in (CENTER + half, CENTER - half, CENTER + half * [-1, 1, 0], CENTER + half * [1, -1, 0]):
        assert np.all(np.abs(project(view, corner)) <= 1.0001)


@given(aspect=st.floats(0.3, 4), height=st.floats(0.05, 3), below=st.floats(0, 1))
def test_nothing_below_the_bust_is_shown(aspect: float, height: float, below: float) -> None:
    floor = float(CENTER[1]) - height * (0.501 + below)
    view = frame(CENTER, height, aspect, floor)
    assert float(view.center[1]) - view.height / 2 >= floor - 1e-4


def test_room_gained_is_shared_unless_the_bust_ends() -> None:
    assert frame(CENTER, 0.4, 0.5).center == pytest.approx(CENTER)
    bottom = float(CENTER[1]) - 0.201
    raised = frame(CENTER, 0.4, 0.5, bottom)
    assert float(raised.center[1]) - raised.height / 2 == pytest.approx(bottom, abs=1e-5)


@pytest.mark.parametrize("aspect", [0.5, 2.0])
def test_a_head_alone_stays_in_the_middle(aspect: float) -> None:
    assert frame(CENTER, 0.4, aspect, float(CENTER[1]) - 0.15).center == pytest.approx(CENTER)


def test_landscape_fills_the_height_and_portrait_fills_the_width() -> None:
    assert frame(CENTER, 0.4, 16 / 9).height == pytest.approx(0.4)
    portrait = frame(CENTER, 0.4, 9 / 16)
    assert portrait.height * 9 / 16 == pytest.approx(MIN_WIDTH_OF_FRAME * 0.4)


def test_nothing_is_stretched() -> None:
    for aspect in (0.5625, 1.0, 1.7778):
        view = frame(CENTER, 0.4, aspect)
        across = project(view, view.center + np.array([0.05, 0, 0]))[0] * aspect
        up = project(view, view.center + np.array([0, 0.05, 0]))[1]
        assert across == pytest.approx(up, rel=1e-4)


def test_right_is_right_up_is_up_and_nearer_is_in_front() -> None:
    view = frame(CENTER, 0.4, 1.0)
    assert project(view, view.center + np.array([0.1, 0, 0]))[0] > 0
    assert project(view, view.center + np.array([0, 0.1, 0]))[1] > 0
    assert project(view, view.center + np.array([0, 0, 0.1]))[2] < project(view, view.center)[2]


@pytest.mark.parametrize(("height", "aspect"), [(0, 1), (-1, 1), (0.4, 0), (float("nan"), 1), (0.4, float("inf"))])
def test_an_impossible_frame_is_refused(height: float, aspect: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        frame(CENTER, height, aspect)
