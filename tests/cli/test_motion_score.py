"""`mien motion --score`, on the CSV of a face that shuts its lips on time."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mien.cli.motion import motion


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    rows = ["time_s,jawOpen", *(f"{n / 100},{0.0 if 50 <= n < 60 else 0.8}" for n in range(120))]
    (tmp_path / "hall_one.csv").write_text("\n".join(rows))
    phones = [["a", 0.2, 0.5], ["b", 0.5, 0.6], ["a", 0.6, 1.0]]
    (tmp_path / "align.json").write_text(json.dumps({"hall/one": {"dur": 1.2, "phones": phones}}))
    return tmp_path


def test_figures_of_a_folder_for_machines_and_people(recordings: Path) -> None:
    arguments = [str(recordings), "--score", str(recordings / "align.json")]
    told = CliRunner().invoke(motion, [*arguments, "--json"])
    assert told.exit_code == 0
    result = json.loads(told.stdout)
    assert (result["prompts"], result["bilabials"]) == (1, 1)
    assert result["delivered"]["bilabial_f1"] == 1
    assert "bilabial_f1" in CliRunner().invoke(motion, arguments).stdout


def test_one_csv(recordings: Path) -> None:
    told = CliRunner().invoke(motion, [str(recordings / "hall_one.csv"), "--score", str(recordings / "align.json")])
    assert told.exit_code == 0
    assert "1 recordings, 1 bilabials" in told.stdout


def test_a_folder_without_recordings_names_one(recordings: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told = CliRunner().invoke(motion, [str(tmp_path / "empty"), "--score", str(recordings / "align.json")])
    assert told.exit_code != 0
    assert "hall_one.wav" in told.stderr


@pytest.mark.parametrize("options", [[], ["--out", "x.csv", "--score", "align.json"]])
def test_one_of_the_two_purposes_must_be_named(options: list[str]) -> None:
    told = CliRunner().invoke(motion, ["a.wav", *options])
    assert told.exit_code == 2
    assert "--score" in told.stderr
