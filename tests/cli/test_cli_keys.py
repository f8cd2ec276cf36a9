"""mien keys."""

import io
import json
import random
import tempfile
from pathlib import Path

import pytest
import zmq.utils.z85
from click.testing import CliRunner
from rich.console import Console

from mien.cli import terminal
from mien.cli.keys import as_table, keys
from mien.transport.keys import AllowedKey


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
    assert listed == {"voice": None, "allowed": [], "problems": []}


def test_a_clients_files_may_go_to_another_file_system(mien_keys, tmp_path):
    """Such as a memory stick."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=shared) as stick:
        made = mien_keys("make", "ada", "--out", stick)
        assert made.exit_code == 0, made.stderr
        assert {path.name for path in Path(stick).iterdir()} == {"ada.key_secret", "voice.key"}
    assert [row["name"] for row in json.loads(mien_keys("list", "--json").stdout)["allowed"]] == ["ada"]


def test_a_client_is_removed(mien_keys, tmp_path):
    for name, role in (("ada", "agent"), ("eve", "observer")):
        mien_keys("make", name, "--role", role, "--out", str(tmp_path / "stick"))
    removed = mien_keys("remove", "ada")
    assert (removed.exit_code, removed.stdout) == (0, "removed the agent ada\n")
    assert [row["name"] for row in json.loads(mien_keys("list", "--json").stdout)["allowed"]] == ["eve"]
    again = mien_keys("remove", "ada")
    assert again.exit_code == 2
    assert "there is no key 'ada'; `mien keys list` shows the keys" in again.stderr
    assert mien_keys("remove", "eve", "--role", "agent").exit_code == 2
    assert mien_keys("remove", "eve", "--role", "observer").exit_code == 0


def test_a_file_that_is_no_key_is_told_beside_the_list(mien_keys, tmp_path):
    mien_keys("make", "ada", "--out", str(tmp_path / "stick"))
    (tmp_path / "keys" / "allowed" / "speaker" / "bad.key").write_text("[/nonsense]")
    (tmp_path / "keys" / "voice.key_secret").write_text("nonsense")
    listed = mien_keys("list")
    assert listed.exit_code == 1
    assert "ada" in listed.stdout
    assert [line.split(": ")[2].endswith(("bad.key", "voice.key_secret")) for line in listed.stderr.splitlines()] == [
        True,
        True,
    ]
    found = mien_keys("list", "--json")
    assert found.exit_code == 1
    assert [row["name"] for row in json.loads(found.stdout)["allowed"]] == ["ada"]
    assert len(json.loads(found.stdout)["problems"]) == 2
    made = mien_keys("make", "bot", "--out", str(tmp_path / "stick"))  # for a voice that could not use its own
    assert made.exit_code == 2
    assert "voice.key_secret: is not a key file" in made.stderr


@pytest.mark.parametrize("width", [80, 200])
def test_many_keys_are_shown_as_they_are(monkeypatch, width):
    """To rich, [b] is bold, [/] an error and :x: an emoji; Z85 can contain all of them."""
    draw = random.Random(14)
    texts = [zmq.utils.z85.encode(draw.randbytes(32)) for _ in range(1_500)]
    texts += [b"[/]" + b"a" * 37, b"[b]" + b"a" * 37, b":x:" + b"a" * 37, b"[link=a]" + b"a" * 32, b"a" * 39 + b"["]
    written = io.StringIO()
    monkeypatch.setattr(terminal, "Console", lambda **options: Console(file=written, width=width, **options))
    allowed = [AllowedKey("agent", "a", text, b"") for text in texts]
    terminal.data_console().print(as_table("[/]", allowed))
    lines = written.getvalue().splitlines()[3:-1]
    assert len(lines) == 1 + len(texts)
    assert "[/]" in lines[0]
    assert all(text.decode() in line for text, line in zip(texts, lines[1:], strict=True))
