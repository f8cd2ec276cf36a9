"""mien avatar on heads and on invalid files."""

import json
import sys

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
    from mien.avatar.bake.pipeline import Baked
    from mien.avatar.load import load_avatar
    from mien.cli import avatar

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
    )
    monkeypatch.setattr(avatar, "bake", lambda _: told)
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
