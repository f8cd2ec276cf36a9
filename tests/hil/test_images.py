import os
from pathlib import Path

import pytest

from hil.errors import RigError
from hil.images import CHOICE, newest


def _images(folder: Path) -> str:
    for age, name in enumerate(("mien-1-trixie-arm64.img", "mien-1-bookworm-arm64.img")):
        (folder / name).touch()
        os.utime(folder / name, (1000 - age, 1000 - age))
    return str(folder / "mien-*-arm64.img")


def test_the_newest_image_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHOICE, raising=False)
    assert newest(_images(tmp_path)).name == "mien-1-trixie-arm64.img"


def test_the_chosen_image_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = _images(tmp_path)
    monkeypatch.setenv(CHOICE, str(tmp_path / "mien-1-bookworm-arm64.img"))
    assert newest(pattern).name == "mien-1-bookworm-arm64.img"


def test_a_chosen_image_that_does_not_exist_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOICE, str(tmp_path / "other.img"))
    with pytest.raises(RigError, match="no such file"):
        newest(_images(tmp_path))


def test_no_image_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHOICE, raising=False)
    with pytest.raises(RigError, match="sudo make image"):
        newest(str(tmp_path / "mien-*-arm64.img"))
