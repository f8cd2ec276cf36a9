"""Heads that people bring: empty shapes, other exporters' names, loud jaws, wide heads, faces by joints, no faces."""

from pathlib import Path

import numpy as np
import pytest

from avatar.glb_file import GlbFile, add_mesh, ball, head
from mien.avatar.bake.calibration import LIP_GAP, calibrate
from mien.avatar.bake.inspection import inspected
from mien.avatar.bake.landmarks import Face, lip_gap
from mien.avatar.bake.names import arkit_name, match, plain
from mien.avatar.bake.pipeline import Baked, bake
from mien.avatar.bake.tuning import Tuning, tuning_path
from mien.errors import AvatarError

ROWS, COLUMNS = 61, 41


def baked(file: GlbFile, tmp_path: Path, tuning: Tuning | None = None) -> Baked:
    return bake(file.save(tmp_path / "head.glb"), tuning)


def moved(result: Baked, shape: str) -> np.ndarray:
    return next(target.positions for target in result.mesh.targets if target.name == shape)


def face_points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A curved sheet as a face, 16 x 24 cm, slit at the mouth: points, triangles, which lie below the slit."""
    y, x = np.meshgrid(np.linspace(-0.12, 0.12, ROWS), np.linspace(-0.08, 0.08, COLUMNS), indexing="ij")
    points = np.stack([x, y, 0.1 - 4 * x * x], axis=-1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(ROWS - 1), np.arange(COLUMNS - 1), indexing="ij")
    a = (row * COLUMNS + column).ravel()
    tris = np.concatenate([np.stack([a, a + 1, a + COLUMNS], 1), np.stack([a + 1, a + COLUMNS + 1, a + COLUMNS], 1)])
    mouth = ROWS // 4
    slit = (row.ravel() == mouth) & (np.abs(column.ravel() - COLUMNS // 2) < 8)
    return points, tris[~np.tile(slit, 2)], points[:, 1] <= points[mouth * COLUMNS, 1] + 1e-9


def with_jaw(drop_m: float, **more: np.ndarray) -> GlbFile:
    """The sheet, with a jaw that drops by `drop_m`, a mouthClose that cancels it, and two eyeballs."""
    file = GlbFile()
    points, tris, lower = face_points()
    jaw = np.zeros_like(points)
    jaw[lower, 1] = -drop_m
    add_mesh(file, "Head", points, tris, {"jawOpen": jaw, "mouthClose": -jaw, **more})
    for side, label in ((1, "EyeLeft"), (-1, "EyeRight")):
        add_mesh(file, label, *ball((side * 0.03, 0.01, 0.09), 0.012), {})
    file.json["scenes"] = [{"nodes": [0, 1, 2]}]
    return file


def test_an_empty_jaw_gives_way_to_a_viseme(tmp_path: Path) -> None:
    file = head(("jawOpen", "viseme_aa", "eyeBlink_L", "eyeBlink_R"))
    accessor = file.json["meshes"][0]["primitives"][0]["targets"][0]["POSITION"]
    view = file.json["bufferViews"][file.json["accessors"][accessor]["bufferView"]]
    file.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] = bytes(view["byteLength"])
    result = baked(file, tmp_path)
    assert result.matches["jawOpen"] == [("viseme_aa", 1.0, 0)]
    assert moved(result, "jawOpen").any()
    assert any("jawOpen" in note and "move nothing" in note for note in result.notes)
    assert inspected(result).speaks


def test_a_jaw_that_only_moves_the_teeth_gives_way_too(tmp_path: Path) -> None:
    file = head(("viseme_aa", "eyeBlink_L", "eyeBlink_R"))
    points, tris = ball((0, -0.03, 0.05), 0.02)
    down = np.tile([0.0, -0.02, 0.0], (len(points), 1))
    file.json["scenes"][0]["nodes"].append(add_mesh(file, "Teeth", points, tris, {"jawOpen": down}))
    assert baked(file, tmp_path).matches["jawOpen"] == [("viseme_aa", 1.0, 0)]


@pytest.mark.parametrize("drop_m", [0.012, 0.022, 0.05])
def test_the_same_jaw_opens_every_mouth_alike_and_the_lips_still_meet(tmp_path: Path, drop_m: float) -> None:
    result = baked(with_jaw(drop_m), tmp_path)
    jaw, close = moved(result, "jawOpen"), moved(result, "mouthClose")
    unit = 0.01 - face_points()[0][ROWS // 4 * COLUMNS, 1]
    assert -jaw[:, 1].min() == pytest.approx(LIP_GAP * unit, rel=0.25)
    assert -jaw[:, 1].min() == pytest.approx(close[:, 1].max(), abs=2e-4)


def test_a_tuning_that_asks_for_no_calibration_gets_none(tmp_path: Path) -> None:
    result = baked(with_jaw(0.05), tmp_path, Tuning(calibration=False))
    assert -moved(result, "jawOpen")[:, 1].min() == pytest.approx(0.05, abs=1e-5)
    assert result.gains == {}


def test_a_face_near_the_usual_amounts_is_left_alone() -> None:
    points, _, lower = face_points()
    jaw = np.zeros(points.shape, np.float32)
    jaw[lower, 1] = -0.9 * LIP_GAP * 0.08
    face = Face(
        positions=points.astype(np.float32), deltas={"jaw": jaw}, skin=np.ones(len(points), bool),
        middle=0.0, head=0.24, unit=0.08,
    )  # fmt: skip
    matches = {"jawOpen": [("jaw", 1.0, 0)]}
    assert lip_gap(face, matches, {"jawOpen": 1.0}) == pytest.approx(0.9 * LIP_GAP, rel=0.02)
    assert calibrate(face, matches, {}) == {}


def test_a_wide_head_stays_in_a_portrait(tmp_path: Path) -> None:
    file = with_jaw(0.02)
    points, tris = ball((0.25, 0.0, 0.0), 0.05)
    file.json["scenes"][0]["nodes"].append(add_mesh(file, "Ear", points, tris, {}))
    mesh = baked(file, tmp_path).mesh
    ears = np.abs(mesh.positions[mesh.positions[:, 1] > -0.1, 0]).max()
    assert mesh.frame_width > 2 * ears > 0.73 * mesh.frame_height


def test_a_head_with_visemes_alone_gets_brows_and_is_told_that_it_never_blinks(tmp_path: Path) -> None:
    result = baked(with_jaw(0.022), tmp_path)
    assert moved(result, "browInnerUp")[:, 1].max() > 0.002
    assert moved(result, "browDownLeft")[:, 1].min() < -0.001
    left = next(target for target in result.mesh.targets if target.name == "browOuterUpLeft")
    assert (result.mesh.positions[left.vertices, 0] > 0).all()
    assert any("never blinks" in cost for cost in inspected(result).costs)


JOINTS = {
    "Head": (0, 0.0, 0.0), "LeftEye": (0.03, 0.01, 0.08), "RightEye": (-0.03, 0.01, 0.08),
    "eyelid_upper_L": (0.03, 0.02, 0.095), "eyelid_upper_R": (-0.03, 0.02, 0.095),
    "lip_corner_L": (0.02, -0.06, 0.1), "lip_corner_R": (-0.02, -0.06, 0.1),
    "brow_L": (0.03, 0.04, 0.1), "brow_R": (-0.03, 0.04, 0.1), "jaw": (0, -0.03, 0.0),
}  # fmt: skip


def by_joints(off_m: float = 0.0) -> GlbFile:
    """A sheet whose points each follow the nearest joint. off_m: how far the lip corners stand off their bind pose."""
    file = GlbFile()
    points, tris, lower = face_points()
    names = list(JOINTS)
    places = np.array(list(JOINTS.values()), float)
    near = np.linalg.norm(points[:, None] - places[None], axis=2)
    near[:, [1, 2]] = 9  # eyes move no skin
    near[:, -1] = np.where(lower, 0.03, 9)
    joint = np.where(near.min(axis=1) < 0.035, near.argmin(axis=1), 0)
    primitive = {
        "attributes": {
            "POSITION": file.add(points),
            "JOINTS_0": file.add(np.c_[joint, np.zeros((len(points), 3))], "u1"),
            "WEIGHTS_0": file.add(np.tile([1.0, 0, 0, 0], (len(points), 1))),
        },
        "indices": file.add(tris.reshape(-1), "u2"),
    }
    file.json["meshes"].append({"name": "Face", "primitives": [primitive]})
    inverse = np.tile(np.eye(4), (len(names), 1, 1))
    inverse[:, :3, 3] = -places
    nodes = [{"name": "Face", "mesh": 0, "skin": 0}]
    for name, place in JOINTS.items():
        local = np.array(place) - (0 if name == "Head" else np.array(JOINTS["Head"]))
        nodes.append({"name": name, "translation": (local + np.array([0, off_m * name.startswith("lip"), 0])).tolist()})
    nodes[1]["children"] = list(range(2, len(nodes)))
    file.json["nodes"] = nodes
    matrices = file.add(inverse.transpose(0, 2, 1).reshape(-1, 16))
    file.json["skins"] = [{"joints": list(range(1, len(nodes))), "inverseBindMatrices": matrices}]
    file.json["scenes"] = [{"nodes": [0, 1]}]
    return file


def test_a_face_of_joints_gets_shapes_from_them(tmp_path: Path) -> None:
    result = baked(by_joints(), tmp_path)
    names = {target.name for target in result.mesh.targets}
    assert {"jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthPucker", "browInnerUp"} <= names
    assert 0.003 < moved(result, "mouthSmileLeft")[:, 1].max() < 0.03  # up
    assert moved(result, "eyeBlinkLeft")[:, 1].min() < -0.003  # down
    smile = next(target for target in result.mesh.targets if target.name == "mouthSmileLeft")
    assert (result.mesh.positions[smile.vertices, 0] > -0.005).all()  # the avatar's left only
    assert result.made["mouthSmileLeft"] == "the joints of the face"


def test_joints_that_stand_off_their_bind_pose_are_put_back(tmp_path: Path) -> None:
    off = baked(by_joints(0.03), tmp_path).mesh.positions
    np.testing.assert_allclose(off, baked(by_joints(), tmp_path).mesh.positions, atol=1e-5)


@pytest.mark.parametrize("names", [("angry",), ("surprised", "lookUp")])
def test_what_moves_neither_mouth_nor_lids_is_no_face(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(AvatarError, match="not a face"):
        baked(head(names), tmp_path)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("eye closed.L", "eyeBlinkLeft"), ("Face.eye closed.R.001", "eyeBlinkRight"), ("AU12_L", "mouthSmileLeft"),
        ("Smile_Right", "mouthSmileRight"), ("UpperLipUp_Left", "mouthUpperUpLeft"), ("jaw drop", "jawOpen"),
    ],
)  # fmt: skip
def test_other_names_of_single_shapes(name: str, shape: str) -> None:
    assert arkit_name(name) == shape


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("CH", "mouthShrugUpper"), ("PP", "mouthPressLeft"), ("FF", "mouthRollLower"), ("MBP", "mouthPressRight"),
        ("あ", "jawOpen"), ("まばたき", "eyeBlinkLeft"), ("AU26", "jawOpen"), ("blink.L", "eyeBlinkLeft"),
    ],
)  # fmt: skip
def test_other_names_that_stand_in(name: str, shape: str) -> None:
    assert shape in match([name], {}), plain(name)


def test_arkits_own_name_comes_before_another_exporters() -> None:
    assert match(["Fcl_EYE_Close_L", "eyeBlinkLeft"], {})["eyeBlinkLeft"] == [("eyeBlinkLeft", 1.0, 0)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        (b"\n<html lang='en'>", "web page"),
    ],
)
def test_what_was_downloaded_instead_of_a_head_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "head.glb"
    path.write_bytes(content)
    with pytest.raises(AvatarError, match=said):
        bake(path)


def test_a_tuning_beside_the_head_is_taken(tmp_path: Path) -> None:
    path = with_jaw(0.022).save(tmp_path / "head.glb")
    plain_ = bake(path)
    tuning_path(path).write_text(
        'gaze = 0.5\nlight = 0.5\n[gains]\njawOpen = 0.5\n[frame]\nzoom = 2.0\n[background]\ntop = "#ffffff"\n'
        'bottom = "#000000"\n'
    )
    tuned = bake(path)
    np.testing.assert_allclose(moved(tuned, "jawOpen"), 0.5 * moved(plain_, "jawOpen"), atol=1e-4)
    assert tuned.mesh.frame_height == pytest.approx(plain_.mesh.frame_height / 2)
    assert tuned.mesh.eye_range == 0.5
    assert tuned.mesh.background == ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert tuned.mesh.colors[:, :3].max() < plain_.mesh.colors[:, :3].max()


@pytest.mark.parametrize(
    "text",
    ["light = 9.0", "[gains]\nsmurf = 1.0", "brightness = 1", "[background]\ntop = 'red'\nbottom = '#000000'", "="],
)
def test_a_tuning_that_says_nonsense_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = with_jaw(0.022).save(tmp_path / "head.glb")
    tuning_path(path).write_text(text)
    with pytest.raises(AvatarError, match=r"head\.tune\.toml"):
        bake(path)
