"""mien keys."""

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from mien.cli.keys import keys


@pytest.fixture
def mien_keys(tmp_path):
    return lambda *arguments: CliRunner().invoke(keys, ["--keys", str(tmp_path / "keys"), *arguments])


def test_make_and_list(mien_keys, tmp_path):
    made = mien_keys("make", "ada", "--role", "agent", "--out", str(tmp_path / "stick"))
    assert made.exit_code == 0
    assert {path.name for path in (tmp_path / "stick").iterdir()} == {"ada.key_secret", "voice.key"}
    listed = json.loads(mien_keys("list", "--json").stdout)
    assert [(row["name"], row["role"], len(row["public"])) for row in listed["allowed"]] == [("ada", "agent", 40)]
    assert listed["voice"] in (tmp_path / "stick" / "voice.key").read_text()
    assert "ada" in mien_keys("list").stdout


def test_a_name_twice_is_refused(mien_keys, tmp_path):
    mien_keys("make", "ada", "--out", str(tmp_path / "a"))
    again = mien_keys("make", "ada", "--role", "observer", "--out", str(tmp_path / "b"))
    assert again.exit_code == 2
    assert "already" in again.stderr


def test_an_empty_list(mien_keys):
    listed = json.loads(mien_keys("list", "--json").stdout)
    assert listed == {"voice": None, "allowed": []}


def test_a_clients_files_may_go_to_another_file_system(mien_keys, tmp_path):
    """As a memory stick is one."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=shared) as stick:
        made = mien_keys("make", "ada", "--out", stick)
        assert made.exit_code == 0, made.stderr
        assert {path.name for path in Path(stick).iterdir()} == {"ada.key_secret", "voice.key"}
    assert [row["name"] for row in json.loads(mien_keys("list", "--json").stdout)["allowed"]] == ["ada"]
