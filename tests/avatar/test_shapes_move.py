"""Every ARKit shape of the shipped avatars moves the feature that it is named after, measured in mm."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.avatar.baked import SUFFIX
from mien.avatar.load import default_avatar_path, load_avatar
from mien.core.pose import ARKIT_SHAPES
from rigs.posed_face import FORWARD, LEFT, UP, PosedFace

AVATARS = sorted(default_avatar_path().parent.glob(f"*{SUFFIX}"))
RIGHT, DOWN, BACK = LEFT, UP, FORWARD


@pytest.fixture(scope="module", params=AVATARS, ids=lambda path: path.stem)
def face(request: pytest.FixtureRequest) -> PosedFace:
    path: Path = request.param
    return PosedFace(load_avatar(path))


def test_there_is_an_avatar_to_measure() -> None:
    assert AVATARS


def test_every_shape_is_there_and_moves_something(face: PosedFace) -> None:
    assert set(face.targets) >= set(ARKIT_SHAPES)
    for name in ARKIT_SHAPES:
        assert np.abs(face.targets[name].positions).max() > 0.0004, name


Landmark = Callable[[PosedFace, int], tuple[float, float, float]]


def corner(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.020, face.mouth_y, 0.006


def brow(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.034, face.eye_y + 0.028, 0.008


def outer_brow(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.046, face.eye_y + 0.028, 0.008


def cheek(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.036, face.eye_y - 0.029, 0.008


def puffed(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.043, face.mouth_y + 0.006, 0.010


def nostril(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.011, face.eye_y - 0.036, 0.005


def lower_lip(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.011, face.mouth_y - 0.006, 0.004


def upper_lip(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.011, face.mouth_y + 0.006, 0.004


def chin(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.004, face.mouth_y - 0.027, 0.008


def lips(face: PosedFace, side: int) -> tuple[float, float, float]:
    return side * 0.002, face.mouth_y, 0.010


SIDED: list[tuple[str, Landmark, int, int]] = [
    ("mouthSmile", corner, UP, 1),
    ("mouthFrown", corner, DOWN, -1),
    ("mouthLowerDown", lower_lip, DOWN, -1),
    ("mouthUpperUp", upper_lip, UP, 1),
    ("browDown", brow, DOWN, -1),
    ("browOuterUp", outer_brow, UP, 1),
    ("cheekSquint", cheek, UP, 1),
    ("noseSneer", nostril, UP, 1),
    ("mouthDimple", corner, BACK, -1),
]
OUTWARD = ("mouthStretch", "mouthSmile", "mouthDimple")


@pytest.mark.parametrize(("shape", "landmark", "axis", "sign"), SIDED)
@pytest.mark.parametrize(("name", "side"), [("Left", 1), ("Right", -1)])
def test_a_sided_shape_moves_its_own_side_and_hardly_the_other(
    face: PosedFace, shape: str, landmark: Landmark, axis: int, sign: int, name: str, side: int
) -> None:
    own = face.near_mm(f"{shape}{name}", *landmark(face, side))
    other = face.near_mm(f"{shape}{name}", *landmark(face, -side))
    assert own[axis] * sign > 0.8
    assert abs(other[axis]) < 0.35 * abs(own[axis])


@pytest.mark.parametrize(("name", "side"), [("Left", 1), ("Right", -1)])
@pytest.mark.parametrize("shape", OUTWARD)
def test_corners_go_outward(face: PosedFace, shape: str, name: str, side: int) -> None:
    assert face.near_mm(f"{shape}{name}", *corner(face, side))[LEFT] * side > 0.8


MIDDLE: list[tuple[str, Landmark, int, int]] = [
    ("jawOpen", chin, DOWN, -1),
    ("jawForward", chin, FORWARD, 1),
    ("jawLeft", chin, LEFT, 1),
    ("jawRight", chin, RIGHT, -1),
    ("mouthLeft", lips, LEFT, 1),
    ("mouthRight", lips, RIGHT, -1),
    ("mouthPucker", lips, FORWARD, 1),
    ("mouthFunnel", lips, FORWARD, 1),
    ("mouthRollLower", lower_lip, BACK, -1),
    ("mouthRollUpper", upper_lip, BACK, -1),
    ("mouthShrugLower", lower_lip, UP, 1),
    ("mouthShrugUpper", upper_lip, UP, 1),
    ("browInnerUp", lambda face, side: (side * 0.013, face.eye_y + 0.028, 0.006), UP, 1),
]


@pytest.mark.parametrize(("shape", "landmark", "axis", "sign"), MIDDLE)
def test_a_middle_shape_moves_both_sides_alike(
    face: PosedFace, shape: str, landmark: Landmark, axis: int, sign: int
) -> None:
    for side in (1, -1):
        assert face.near_mm(shape, *landmark(face, side))[axis] * sign > 0.8


@pytest.mark.parametrize(("name", "side"), [("Left", 1), ("Right", -1)])
def test_a_press_brings_the_lips_of_its_side_together(face: PosedFace, name: str, side: int) -> None:
    shape = f"mouthPress{name}"
    between = [face.near_mm(shape, *upper_lip(face, at))[UP] - face.near_mm(shape, *lower_lip(face, at))[UP]
               for at in (side, -side)]  # fmt: skip
    assert between[0] < -0.8
    assert abs(between[1]) < 0.35 * abs(between[0])


def test_cheek_puff_swells_the_cheeks_outward(face: PosedFace) -> None:
    for side in (1, -1):
        assert face.near_mm("cheekPuff", *puffed(face, side))[LEFT] * side > 1.5


LID_SHAPES = ("eyeBlink", "eyeWide", "eyeSquint", "eyeLookDown", "eyeLookUp")
GAZE_SHAPES = ("eyeLookOut", "eyeLookIn")


def lid_y(face: PosedFace, side: int, weights: dict[str, float], *, upper: bool) -> float:
    """Height over the pupil, mm, of the lid's edge: the skin nearest to the eyeball in the eye's middle."""
    pivot = face.mesh.eye_pivots[0 if side > 0 else 1]
    neutral = face.mesh.positions[face.skin]
    ball = face._part("eye_left" if side > 0 else "eye_right")
    radius = float(np.linalg.norm(face.mesh.positions[ball] - pivot, axis=1).max())
    offset = neutral - pivot
    on_ball = (offset[:, 2] > 0.6 * radius) & (np.linalg.norm(offset, axis=1) < radius * 1.13)
    edge = on_ball & (np.abs(offset[:, 0]) < 0.004)
    edge &= (offset[:, 1] > 0.002) if upper else (offset[:, 1] < -0.002)
    y = face.posed(**weights)[face.skin[edge], 1] - pivot[1]
    return float(y.min() if upper else y.max()) * 1000


@pytest.mark.parametrize(("name", "side"), [("Left", 1), ("Right", -1)])
def test_lids(face: PosedFace, name: str, side: int) -> None:
    rest_up, rest_low = lid_y(face, side, {}, upper=True), lid_y(face, side, {}, upper=False)
    opening = rest_up - rest_low
    assert opening > 9

    def up(shape: str) -> float:
        return lid_y(face, side, {f"{shape}{name}": 1.0}, upper=True) - rest_up

    def low(shape: str) -> float:
        return lid_y(face, side, {f"{shape}{name}": 1.0}, upper=False) - rest_low

    travel = {"eyeBlink": up, "eyeWide": up, "eyeSquint": low, "eyeLookDown": up, "eyeLookUp": up}
    assert tuple(travel) == LID_SHAPES
    moved = {shape: measure(shape) for shape, measure in travel.items()}
    assert moved["eyeBlink"] < -0.7 * opening
    assert moved["eyeWide"] > 1.0
    assert moved["eyeSquint"] > 2.0
    assert moved["eyeLookDown"] < -3.0
    assert moved["eyeLookUp"] > 1.0


@pytest.mark.parametrize(("name", "side"), [("Left", 1), ("Right", -1)])
def test_a_blink_shuts_the_eye_completely(face: PosedFace, name: str, side: int) -> None:
    shut = {f"eyeBlink{name}": 1.0}
    assert lid_y(face, side, shut, upper=True) - lid_y(face, side, shut, upper=False) < 0.4


@pytest.mark.parametrize("blink", [0.25, 0.5, 0.75])
def test_lids_never_dip_into_the_eyeball_on_their_way(face: PosedFace, blink: float) -> None:
    at = face.posed(eyeBlinkLeft=blink)
    pivot = face.mesh.eye_pivots[0]
    ball = face._part("eye_left")
    radius = np.linalg.norm(face.mesh.positions[ball] - pivot, axis=1).max()
    lids = face.targets["eyeBlinkLeft"].vertices
    lids = lids[np.isin(lids, face.skin)]
    travel = np.abs(face.moved("eyeBlinkLeft")[lids]).max(axis=1) > 0.005
    seen = travel & (np.linalg.norm(face.mesh.positions[lids] - pivot, axis=1) > radius + 0.001)
    assert seen.sum() > 30
    assert np.linalg.norm(at[lids[seen]] - pivot, axis=1).min() > radius


@pytest.mark.parametrize(("name", "side"), [("Left", 1), ("Right", -1)])
def test_gaze_shapes_shift_the_lids_with_the_eye(face: PosedFace, name: str, side: int) -> None:
    pivot_x = float(face.mesh.eye_pivots[0 if side > 0 else 1, 0])
    spot = (pivot_x, face.eye_y + 0.009, 0.006)
    outward, inward = (face.near_mm(f"{shape}{name}", *spot)[LEFT] * side for shape in GAZE_SHAPES)
    assert outward > 0.1
    assert inward < -0.1


def test_lips_rest_closed_and_the_jaw_opens_them(face: PosedFace) -> None:
    assert face.lip_gap_mm() < 0.3
    assert face.lip_gap_mm(jawOpen=1.0) > 15


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.6, 1.0])
def test_mouth_close_shuts_the_lips_under_an_open_jaw(face: PosedFace, weight: float) -> None:
    assert face.lip_gap_mm(jawOpen=weight, mouthClose=weight) < 0.5


@pytest.mark.parametrize(
    "pose",
    [
        {"mouthPucker": 1.0},
        {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
        {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "jawOpen": 0.3, "mouthClose": 0.3},
        {"mouthPressLeft": 1.0, "mouthPressRight": 1.0},
        {"mouthRollLower": 0.6, "mouthRollUpper": 0.6},
    ],
)
def test_shapes_of_closed_lips_keep_them_closed(face: PosedFace, pose: dict[str, float]) -> None:
    assert face.lip_gap_mm(**pose) < 0.7


def test_pucker_with_funnel_keeps_left_left(face: PosedFace) -> None:
    at = face.posed(mouthPucker=1.0, mouthFunnel=1.0)
    neutral = face.mesh.positions[face.skin]
    left = face.skin[(neutral[:, 0] > 0.004) & (np.abs(neutral[:, 1] - face.mouth_y) < 0.012) & (neutral[:, 2] > 0.06)]
    assert (at[left, 0] > 0).all()


def test_the_tongue_comes_out_in_front_of_the_lips(face: PosedFace) -> None:
    at = face.posed(tongueOut=1.0)
    assert at[face._part("mouth"), 2].max() > at[face.lower_lip, 2].max() + 0.003


def test_eyes_and_upper_teeth_stay_when_the_jaw_opens(face: PosedFace) -> None:
    moved = np.abs(face.moved("jawOpen"))
    assert moved[face._part("eye_left")].max() == 0
    mouth = face._part("mouth")
    still = mouth[moved[mouth].max(axis=1) == 0]
    assert len(still) > 100


def test_no_shape_is_left_unmeasured() -> None:
    sided = [shape for shape, *_ in SIDED] + [*OUTWARD, *LID_SHAPES, *GAZE_SHAPES, "mouthPress"]
    measured = {f"{shape}{side}" for shape in sided for side in ("Left", "Right")} | {shape for shape, *_ in MIDDLE}
    assert measured | {"cheekPuff", "mouthClose", "tongueOut"} == set(ARKIT_SHAPES)
