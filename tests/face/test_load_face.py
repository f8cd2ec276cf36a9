"""If the configured avatar cannot be used, the kiosk shows the default one."""

import logging
from pathlib import Path

import numpy as np
import pytest

from mien.avatar.load import default_avatar_path, load_avatar
from mien.face.opening import load_face


def test_a_changed_avatar_gives_way_to_the_shipped_one_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = bytearray(default_avatar_path().read_bytes())
    data[90_000] ^= 0xFF
    changed = tmp_path / "ours.mien-avatar"
    changed.write_bytes(data)
    with caplog.at_level(logging.ERROR, "mien.face"):
        mesh = load_face(str(changed))
    assert np.array_equal(mesh.positions, load_avatar().positions)
    assert str(changed) in caplog.text


def test_so_does_one_that_is_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_face(str(tmp_path / "none.mien-avatar"))
    assert "none.mien-avatar" in caplog.text


def test_a_good_one_is_used_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    other = default_avatar_path().with_name("ama.mien-avatar")
    mesh = load_face(str(other))
    assert not np.array_equal(mesh.positions, load_avatar().positions)
    assert not caplog.text
