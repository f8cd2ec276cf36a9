"""The real `rauc info`: bundles signed by our own key, by a stranger's, for another board."""

from pathlib import Path

import pytest

from mien.errors import UpdateError
from mien.link.update.board import Inspection
from mien.link.update.rauc import inspect, run
from rigs.bundles import Keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


def test_our_bundle(keys: Keys, tmp_path: Path) -> None:
    bundle = keys.bundle(tmp_path / "x.raucb", version="0.3.0", build="123")
    assert inspect(str(bundle), "mien-arm64", keys.options) == Inspection(version="0.3.0", build="123")


def test_a_bundle_for_another_board(keys: Keys, tmp_path: Path) -> None:
    bundle = keys.bundle(tmp_path / "x.raucb", compatible="toaster")
    assert "'toaster', and this board is 'mien-arm64'" in inspect(str(bundle), "mien-arm64", keys.options).why


def test_a_stranger_s_bundle(keys: Keys, tmp_path: Path) -> None:
    stranger = Keys(tmp_path / "stranger")
    bundle = stranger.bundle(tmp_path / "x.raucb")
    why = inspect(str(bundle), "mien-arm64", keys.options).why
    assert why.startswith("RAUC refuses the bundle: ")
    assert "signature" in why


@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: b"\0" * len(data), lambda data: data[:0]]
)
def test_a_spoilt_bundle(keys: Keys, tmp_path: Path, spoil: object) -> None:
    bundle = keys.bundle(tmp_path / "x.raucb")
    bundle.write_bytes(spoil(bundle.read_bytes()))  # type: ignore[operator]
    assert inspect(str(bundle), "mien-arm64", keys.options).why


def test_a_rauc_that_answers_nonsense_is_no_verdict_on_the_bundle() -> None:
    for out in ("", "{", "[]", '{"version": "1"}'):
        with pytest.raises(UpdateError, match="no JSON"):
            inspect("x", "mien-arm64", run=lambda _, out=out: (0, out, ""))  # type: ignore[misc]


def test_a_machine_without_rauc() -> None:
    with pytest.raises(UpdateError, match="no-such-rauc"):
        run(["no-such-rauc"])
