"""mien avatar on files that are heads and files that are none."""

import json

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


def test_a_head_is_inspected_and_baked(tmp_path, monkeypatch):
    from mien.avatar import bake
    from mien.avatar.load import load_avatar

    mesh = load_avatar(None)
    monkeypatch.setattr(bake, "_guarded", lambda _: (mesh, {}, ["extra"]))
    told = json.loads(run("inspect", tmp_path / "head.glb", "--json").output)
    assert told["vertices"] == len(mesh.positions)
    assert "extra" in run("inspect", tmp_path / "head.glb").output
    ran = run("bake", tmp_path / "head.glb")
    assert ran.exit_code == 0, ran.output
    again = load_avatar(tmp_path / "head.mien-avatar")
    assert len(again.positions) == len(mesh.positions)
