"""mien bench: the table, the JSON, the exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mien.bench import face
from mien.bench.rows import Report, Row
from mien.cli.bench import bench
from mien.errors import MienError

REACHED = Row(name="draw calls", value=7, unit="", bar=8)
MISSED = Row(name="memory", value=120.5, unit="MB PSS", bar=110)
ABSENT = Row(name="instructions", value=None, unit="million", note="needs QEMU")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """The rows that the face benchmark returns, then the avatars it was given."""
    rows: list[Row] = []

    def run_face(others: tuple[Path, ...], _: object) -> Report:
        named = tuple(Row(name=path.name, value=1.0, unit="") for path in others)
        return Report(benchmark="face", rows=(*rows, *named), machine={"cpu": "a cpu"})

    monkeypatch.setattr(face, "run_face", run_face)
    return rows


def test_a_table_gives_bars_verdicts_and_what_is_missing(measured: list[Row]) -> None:
    measured += [REACHED, MISSED, ABSENT]
    result = CliRunner().invoke(bench, ["face", "--avatar", "head.glb"], terminal_width=200)
    assert result.exit_code == 1
    for word in ("draw calls", "<= 8", "reached", "120.5", "missed", "needs", "QEMU", "head.glb", "a cpu"):
        assert word in result.stdout


def test_a_figure_that_could_not_be_had_and_has_no_bar_misses_nothing(measured: list[Row]) -> None:
    measured += [REACHED, ABSENT]
    assert CliRunner().invoke(bench, ["face"]).exit_code == 0


def test_json_is_for_machines(measured: list[Row]) -> None:
    measured += [REACHED, ABSENT]
    (report,) = json.loads(CliRunner().invoke(bench, ["face", "--json"]).stdout)
    assert report["benchmark"] == "face"
    assert [row["value"] for row in report["rows"]] == [7, None]
    assert report["rows"][1]["note"] == "needs QEMU"


def test_what_cannot_be_measured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_face(*_: object) -> Report:
        raise MienError("espeak-ng cannot speak")

    monkeypatch.setattr(face, "run_face", run_face)
    result = CliRunner().invoke(bench, ["face"])
    assert result.exit_code == 1
    assert "espeak-ng cannot speak" in result.output
