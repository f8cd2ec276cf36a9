"""Written for good, and wiped for good."""

import os
from pathlib import Path
from typing import Any

import pytest
from provisioning import storage
from provisioning.storage import store, wipe, wipe_free_space

from rigs.card import Card


def test_a_secret_is_nobody_else_s_even_while_it_is_written(tmp_path: Path, monkeypatch: Any) -> None:
    modes: list[int] = []
    monkeypatch.setattr(storage.os, "fchmod", lambda fd, _: modes.append(os.fstat(fd).st_mode & 0o777))
    store(tmp_path, {"wpa_supplicant.conf": "psk"})
    assert modes == [0o600]


def test_a_part_that_was_left_or_laid_there_is_neither_followed_nor_kept(tmp_path: Path) -> None:
    (tmp_path / "a.part").write_text("a longer text that was left")
    store(tmp_path, {"a": "b"})
    assert (tmp_path / "a").read_text() == "b"
    (tmp_path / "a.part").symlink_to(tmp_path / "other")
    with pytest.raises(OSError):
        store(tmp_path, {"a": "c"})
    assert not (tmp_path / "other").exists()
    assert (tmp_path / "a").read_text() == "b"


def test_a_file_that_cannot_be_put_in_its_place_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError):
        store(tmp_path, {"a": "b"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_wiped_was_overwritten_first(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("passphrase")
    with secret.open("rb") as still_open:
        wipe(secret)
        assert still_open.read() == b"\0" * len("passphrase")
    assert not secret.exists()


def test_the_zeros_reach_the_card_before_the_name_goes(tmp_path: Path, monkeypatch: Any) -> None:
    there: list[bool] = []
    (tmp_path / "secret").write_text("x")
    monkeypatch.setattr(storage.os, "fsync", lambda _: there.append((tmp_path / "secret").read_bytes() == b"\0"))
    wipe(tmp_path / "secret")
    assert there == [True]


@pytest.mark.parametrize("free", [5, 1 << 20, (1 << 20) + 1])
def test_free_space_is_filled_with_zeros_and_given_back(tmp_path: Path, monkeypatch: Any, free: int) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(storage.os, "fsync", lambda _: written.append((tmp_path / ".filler").read_bytes()))
    wipe_free_space(tmp_path, free)
    assert written == [bytes(free)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "content", "wiped"), [
    ("board.toml", 'hostname = "a"\n[wifi]\nssid = "a"\npassphrase = "12345678"\ncountry = "DE"\n', True),
    ("board.toml", 'hostname = "a"', False),
])  # fmt: skip
def test_free_space_is_wiped_where_a_secret_was(card: Card, name: str, content: str, wiped: bool) -> None:
    card.put(name, content)
    assert card.main() == 0
    assert card.free_bytes == ([] if wiped else [5])
    assert not (card.board.firmware / ".filler").exists()


def test_a_card_fuller_than_it_says_is_told(card: Card) -> None:
    (card.board.firmware / ".filler").mkdir()
    card.put("board.toml", '[wifi]\nssid = "a"\npassphrase = "12345678"\ncountry = "DE"\n')
    assert card.main() == 1
    assert "free space could not be overwritten, and may contain a secret: Is a directory" in card.note
