"""A board's commands: what they print is kept whatever it is, and none of them runs for ever."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from provisioning import board


def test_what_a_command_says_and_how_it_ended_are_kept() -> None:
    done = board.run(["sh", "-c", r"printf 'a\377'; printf b >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, r"a\xff", "b")


def test_a_command_has_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert board.MOST_S == 120
    monkeypatch.setattr(board, "MOST_S", 0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        board.run(["sleep", "20"])


def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        board.run(["/no/such/command"])


def test_free_is_what_is_left_and_not_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {Path("/data"): SimpleNamespace(total=100, used=60, free=30)}
    monkeypatch.setattr(shutil, "disk_usage", usage.__getitem__)
    assert board.free_bytes(Path("/data")) == 30
