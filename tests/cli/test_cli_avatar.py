"""mien avatar on heads and on invalid files."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from mien.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["avatar", *map(str, arguments)])


@pytest.mark.parametrize("command", ["bake", "inspect"])
@pytest.mark.parametrize("content", [None, b"", b"glTF", b"{}" * 100])
def test_what_is_no_head_is_told_and_exits_1(tmp_path, command, content):
    path = tmp_path / "head.glb"
    if content is not None:
        path.write_bytes(content)
    ran = run(command, path)
    assert ran.exit_code == 1
    assert "head.glb" in ran.output
    assert "Traceback" not in ran.output
    assert not (tmp_path / "head.mien-avatar").exists()


@pytest.fixture
def baked_default(monkeypatch):
    """The shipped avatar in the place of what a file would become."""
    from mien.avatar.bake import pipeline
    from mien.avatar.bake.pipeline import Baked
    from mien.avatar.load import load_avatar
    from mien.cli import avatar, avatar_tune

    mesh = load_avatar(None)
    matches = {"jawOpen": [("mouthOpen", 1.0, 0)], "mouthClose": [("mouthOpen", -1.0, 0)]}
    matches |= {target.name: [(target.name, 1.0, 0)] for target in mesh.targets if target.name not in matches}
    told = Baked(
        mesh=mesh,
        matches=matches,
        made={"mouthClose": "jawOpen"},
        names=["mouthOpen", "extra", *matches],
        source_vertices=20_000,
        notes=["it has a note"],
        gains={"jawOpen": 0.54},
    )
    monkeypatch.setattr(avatar, "bake", lambda _: told)
    monkeypatch.setattr(avatar_tune, "bake", lambda *_: told)
    monkeypatch.setattr(pipeline, "bake_glb", lambda _: mesh)
    return mesh


@pytest.mark.usefixtures("baked_default")
def test_a_head_is_inspected_for_people(tmp_path):
    text = run("inspect", tmp_path / "head.glb").output
    for said in (
        "vertices of 20000",
        "extra",
        "it has a note",
        "jawOpen <- mouthOpen",
        "mouthClose of jawOpen",
        "jawOpen 0.54",
        "ms on",
    ):
        assert said in text, text


def test_a_head_is_inspected_for_machines(tmp_path, baked_default):
    told = json.loads(run("inspect", tmp_path / "head.glb", "--json").output)
    assert told["vertices"] == len(baked_default.positions)
    assert told["unused"] == ["extra", "jawOpen", "mouthClose"]
    assert told["morph_ms"] > 0


def test_a_head_is_baked_to_a_file_that_loads(tmp_path, baked_default):
    from mien.avatar.load import load_avatar

    ran = run("bake", tmp_path / "head.glb")
    assert ran.exit_code == 0, ran.output
    assert "face.avatar" in ran.output
    assert len(load_avatar(tmp_path / "head.mien-avatar").positions) == len(baked_default.positions)
    told = json.loads(run("bake", tmp_path / "head.glb", "--json").output)
    assert told["file_bytes"] == (tmp_path / "head.mien-avatar").stat().st_size


@pytest.mark.usefixtures("baked_default")
def test_a_place_that_cannot_be_written_is_told(tmp_path):
    ran = run("bake", tmp_path / "head.glb", "--out", tmp_path / "nowhere" / "head.mien-avatar")
    assert ran.exit_code == 1
    assert "nowhere" in ran.output
    assert "Traceback" not in ran.output


def test_a_board_without_the_avatar_tools_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mien.avatar.bake.inspection", None)
    monkeypatch.delitem(sys.modules, "mien.cli.avatar", raising=False)
    result = CliRunner().invoke(main, ["avatar", "bake", str(tmp_path / "head.glb")])
    assert result.exit_code == 1
    assert (
        result.output == "Error: a board's image leaves the avatar tools out; run `mien avatar` on a desktop machine\n"
    )


@pytest.mark.parametrize("command", ["bake", "inspect"])
def test_a_head_whose_mouth_does_not_open_says_so_last_and_exits_1(tmp_path, monkeypatch, command):
    from mien.avatar.bake.pipeline import Baked
    from mien.avatar.load import load_avatar
    from mien.cli import avatar

    mesh = load_avatar(None)
    mute = dataclasses.replace(mesh, targets=tuple(target for target in mesh.targets if target.name != "jawOpen"))
    matches = {target.name: [(target.name, 1.0, 0)] for target in mute.targets}
    told = Baked(mesh=mute, matches=matches, made={}, names=[*matches], source_vertices=1)
    monkeypatch.setattr(avatar, "bake", lambda _: told)
    ran = run(command, tmp_path / "head.glb")
    assert ran.exit_code == 1
    assert ran.output.strip().splitlines()[-1].startswith("the mouth does not open")
    assert (tmp_path / "head.mien-avatar").exists() == (command == "bake")
    assert run(command, tmp_path / "head.glb", "--json").exit_code == 1


@pytest.mark.usefixtures("baked_default")
@pytest.mark.parametrize("name", ["head.glb", "head.mien-avatar"])
def test_a_preview_shows_eight_moments(tmp_path, name):
    pygame = pytest.importorskip("pygame")
    if name.endswith(".mien-avatar"):
        assert run("bake", tmp_path / "head.glb").exit_code == 0
    ran = run("preview", tmp_path / name)
    assert ran.exit_code == 0, ran.output
    sheet = pygame.surfarray.array3d(pygame.image.load(str(tmp_path / "head.preview.png")))
    assert sheet.shape == (4 * 270, 2 * 360, 3)
    rest, blink = sheet[:270, 60:360].astype(int), sheet[270:540, 60:360].astype(int)
    assert np.abs(rest - blink).max() > 40


def test_a_preview_of_nothing_is_told(tmp_path):
    ran = run("preview", tmp_path / "head.mien-avatar")
    assert ran.exit_code == 1
    assert "head.mien-avatar" in ran.output


@pytest.mark.usefixtures("baked_default")
def test_a_tuning_is_written_changed_and_read_again(tmp_path):
    from mien.avatar.bake.tuning import read_tuning

    head = tmp_path / "head.glb"
    assert run("tune", head, "--set", "gains.jawOpen=0.8", "--set", "frame.zoom=1.2").exit_code == 0
    assert "# jawOpen: calibration makes it 0.54" in (tmp_path / "head.tune.toml").read_text()
    assert run("tune", head, "--set", "background.top=#ffffff", "--set", "background.bottom=#000000").exit_code == 0
    tuning = read_tuning(head)
    assert (tuning.gain("jawOpen"), tuning.zoom) == (0.8, 1.2)
    assert tuning.background == ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


@pytest.mark.usefixtures("baked_default")
@pytest.mark.parametrize(
    "setting", ["jawOpen", "gains.smurf=1", "frame.zoom=9", "light=bright", "frame=1", "depth.x=1"]
)
def test_a_tuning_with_a_wrong_field_is_refused_and_not_written(tmp_path, setting):
    ran = run("tune", tmp_path / "head.glb", "--set", setting)
    assert ran.exit_code == 1
    assert "Traceback" not in ran.output
    assert not (tmp_path / "head.tune.toml").exists()
