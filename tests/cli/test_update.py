"""`mien update status`: what a person reads of an update."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mien.cli.update import WORDS, update
from mien.link.update.record import FILE, Last, Phase, Record, Store


def said(folder: Path, *more: str) -> tuple[int, str]:
    found = CliRunner().invoke(update, ["status", "--folder", str(folder), *more])
    return found.exit_code, found.output


def test_no_update(tmp_path: Path) -> None:
    assert said(tmp_path) == (0, "no update is under way\n")


def test_an_update_on_trial(tmp_path: Path) -> None:
    Store(tmp_path).save(Record(phase="trial", action="7", version="0.3.0", face=True))
    code, text = said(tmp_path)
    assert code == 0
    assert text.splitlines() == [f"0.3.0 (action 7): {WORDS['trial']}", "face seen: yes, turn heard: not yet"]


@pytest.mark.parametrize(("outcome", "code"), [("failed", 1), ("rolled_back", 1), ("good", 0), ("cancelled", 0)])
def test_how_the_last_one_ended(tmp_path: Path, outcome: str, code: int) -> None:
    last = Last(action="7", version="0.3.0", outcome=outcome, why="no space")
    Store(tmp_path).save(Record(last=last))
    found, text = said(tmp_path)
    assert found == code
    assert f"last: 0.3.0 (action 7): {outcome.replace('_', ' ')}: no space" in text


def test_for_a_program(tmp_path: Path) -> None:
    Store(tmp_path).save(Record(phase="downloading", action="7", version="0.3.0"))
    code, text = said(tmp_path, "--json")
    told = json.loads(text)
    assert (code, told["stage"], told["phase"], told["action"]) == (0, "downloading", "downloading", "7")


def test_a_torn_record_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"half")
    code, text = said(tmp_path)
    assert code == 1
    assert "torn" in text


def test_every_phase_has_words() -> None:
    assert set(WORDS) == set(Phase.__args__)  # type: ignore[attr-defined]
