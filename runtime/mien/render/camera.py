"""Camera placement: fits the framed part of the avatar to a screen of any shape. Pure."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# About an 85 mm lens on upright 35 mm film, the usual focal length for portraits, with little distortion.
FIELD_OF_VIEW_RAD = math.radians(24.0)
# The narrowest view that shows a head with margins, as a share of the framed height.
MIN_WIDTH_OF_FRAME = 0.68
# Depth range in front of and behind the frame's centre, as a share of the view's height.
NEAR_REACH = 1.2
FAR_REACH = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """height: of the visible plane through the centre, in metres.

    center, position: float32 (3,), the camera's target and position. matrix: float32 (16,), view-projection in
    column-major order.
    """

    center: NDArray[np.float32]
    position: NDArray[np.float32]
    height: float
    matrix: NDArray[np.float32]


def frame(
    center: NDArray[np.float32], height: float, aspect: float, floor: float = -math.inf, width: float = 0.0
) -> View:
    """Frame `height` metres around `center` (3,) at `aspect` (width / height).

    width: metres that must fit as well, for wide heads; an ordinary head takes MIN_WIDTH_OF_FRAME of the height.

    On a screen too narrow for the head, the camera moves back. floor: the height at which the bust ends; the view stays
    above it, so that extra space goes above the head. A bust that ends inside the frame is a head alone and stays
    centred. Raises ValueError for a height or an aspect that is not positive.
    """
    if not (height > 0 and aspect > 0 and math.isfinite(height) and math.isfinite(aspect)):
        raise ValueError(f"frame: height {height} and aspect {aspect} must be positive")
    shown = max(height, max(MIN_WIDTH_OF_FRAME * height, width) / aspect)
    fills_frame = floor <= float(center[1]) - height / 2
    lift = max(0.0, floor - (float(center[1]) - shown / 2)) if fills_frame else 0.0
    look = np.asarray(center, dtype=np.float32) + np.array([0, lift, 0], dtype=np.float32)
    distance = shown / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)
    position = look + np.array([0, 0, distance], dtype=np.float32)
    near = max(distance * 0.1, distance - NEAR_REACH * shown)
    matrix = _perspective(aspect, near, distance + FAR_REACH * shown) @ _translation(-position)
    return View(center=look, position=position, height=shown, matrix=matrix.T.astype(np.float32).ravel())


def turned(view: View, quarter_turns: int) -> View:
    """The view for a rotated screen: turned clockwise by quarter_turns, in the driver's orientation."""
    turn = np.eye(4)
    turn[:2, :2] = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarter_turns % 4)
    matrix = turn @ view.matrix.reshape(4, 4).T
    return replace(view, matrix=matrix.T.astype(np.float32).ravel())


def _perspective(aspect: float, near: float, far: float) -> NDArray[np.float64]:
    scale = 1 / math.tan(FIELD_OF_VIEW_RAD / 2)
    depth = near - far
    return np.array(
        [
            [scale / aspect, 0, 0, 0],
            [0, scale, 0, 0],
            [0, 0, (far + near) / depth, 2 * far * near / depth],
            [0, 0, -1, 0],
        ]
    )


def _translation(offset: NDArray[np.float32]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix
