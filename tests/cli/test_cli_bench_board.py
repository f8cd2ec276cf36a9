"""mien bench board: files, progress, exit codes, Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mien.bench.board import files, run
from mien.bench.board.page import page_of
from mien.bench.board.report import BoardReport, as_json, read_report
from mien.cli.bench import bench
from mien.cli.bench_board import Follow, slug
from mien.cli.terminal import data_console
from mien.errors import ConfigError, MienError
from rigs.boards import report, spread

LATE = {"median_ms": {"value": 30.0}, "absolute_ms": spread(40.0)}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the fake run was asked; `changes` to the report that it returns, or the `error` that it raises."""
    seen: dict[str, Any] = {"changes": {}, "error": None}

    def run_board(request: run.Request, tell: Any) -> BoardReport:
        seen["request"] = request
        tell("idle: services without speech")
        tell("turns: 9 s left")
        tell("turns: 4 s left")
        if seen["error"] is not None:
            raise seen["error"]
        return report(name=request.name, note=request.note, **seen["changes"])

    monkeypatch.setattr(run, "run_board", run_board)
    return seen


def invoke(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(bench, ["board", "--out", str(folder), *words], terminal_width=200)


def test_it_writes_a_file_and_a_page_and_says_how_to_publish(measured: dict[str, Any], tmp_path: Path) -> None:
    result = invoke(tmp_path, "--name", "pi-4", "--note", "passive cooling")
    assert result.exit_code == 0, result.output
    written = read_report(tmp_path / "pi-4.json")
    assert written.note == "passive cooling"
    assert (tmp_path / "pi-4.md").read_text() == page_of(written)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pi-4.json", "pi-4.md"]
    for words in ("first sound, burst, p95", "reached", "docs/boards/", "make boards", "pull request"):
        assert words in result.output
    assert measured["request"].minutes == 10


@pytest.mark.usefixtures("measured")
def test_each_step_is_one_line_where_there_is_no_terminal(tmp_path: Path) -> None:
    lines = [line for line in invoke(tmp_path, "--name", "pi-4").stderr.splitlines() if " of about 10:00" in line]
    assert [line.partition("  ")[2] for line in lines] == ["idle: services without speech", "turns: 9 s left"]


def test_a_terminal_shows_each_change_in_place() -> None:
    shown: list[str] = []

    class Status:
        def update(self, text: object) -> None:
            shown.append(str(text))

    follow = Follow(Status(), 2, live=True, echo=lambda _: pytest.fail("a line"))  # type: ignore[arg-type]
    follow("turns: 9 s left")
    follow("turns: 4 s left")
    assert [text.partition("  ")[2] for text in shown] == ["turns: 9 s left", "turns: 4 s left"]
    assert shown[0].startswith("0:00 of about 2:00")
    assert data_console(stderr=True) is not None


def test_a_missed_limit_exits_1_with_the_files_written(measured: dict[str, Any], tmp_path: Path) -> None:
    measured["changes"] = {"offset": LATE}
    result = invoke(tmp_path, "--name", "pi-4")
    assert result.exit_code == 1
    assert "missed" in result.stdout
    assert read_report(tmp_path / "pi-4.json")


@pytest.mark.usefixtures("measured")
def test_json_is_the_file(tmp_path: Path) -> None:
    result = invoke(tmp_path, "--name", "pi-4", "--json")
    assert result.stdout.encode() == (tmp_path / "pi-4.json").read_bytes()
    assert json.loads(result.stdout)["schema"] == 1


def test_the_name_is_made_from_the_board() -> None:
    assert slug("Raspberry Pi 4 Model B Rev 1.4") == "raspberry-pi-4-model-b-rev-1-4"
    assert slug("x86_64-desktop") == "x86-64-desktop"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--minutes", "0.5"], "--minutes 0.5: measure a board for 1 to 20 minutes"),
        (["--minutes", "21"], "1 to 20 minutes"),
        (["--name", "Pi 4"], "use small letters, digits and single hyphens"),
        (["--note", "a | b"], "--note: write one line"),
        (["--note", "in /home/ada"], "--note: names this machine"),
        (["--note", f"on {socket.gethostname()}"], "--note: names this machine"),
    ],
)
def test_a_wrong_argument_is_one_sentence_before_anything_is_measured(
    measured: dict[str, Any], tmp_path: Path, words: list[str], sentence: str
) -> None:
    result = invoke(tmp_path, *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "request" not in measured


def test_a_file_that_exists_is_kept(measured: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "pi-4.json").write_text("mine")
    result = invoke(tmp_path, "--name", "pi-4")
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert (tmp_path / "pi-4.json").read_text() == "mine"
    assert "request" not in measured


def test_a_folder_that_is_absent_is_said_before_the_ten_minutes(measured: dict[str, Any], tmp_path: Path) -> None:
    result = invoke(tmp_path / "absent", "--name", "pi-4")
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr
    assert "request" not in measured


def test_board_is_measured_alone(tmp_path: Path) -> None:
    result = CliRunner().invoke(bench, ["board", "motion", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "board is measured alone" in result.output


@pytest.mark.parametrize(
    ("error", "code"), [(MienError("it broke"), 1), (ConfigError("mien is running"), 2), (KeyboardInterrupt(), 130)]
)
def test_a_run_that_ends_early_leaves_no_file(
    measured: dict[str, Any], tmp_path: Path, error: BaseException, code: int
) -> None:
    measured["error"] = error
    result = invoke(tmp_path, "--name", "pi-4")
    assert result.exit_code == code
    assert list(tmp_path.iterdir()) == []
    assert str(error) in result.stderr
    assert "Traceback" not in result.output


def test_a_disk_that_fills_up_leaves_no_half_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MienError, match="No space left"):
        files.write_report(report(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    data, page = files.write_report(report(), tmp_path)
    assert data.read_bytes() == as_json(report())
    assert page.name == "raspberry-pi-4.md"


@pytest.mark.timeout(300)
def test_ctrl_c_ends_the_real_command_with_130_without_files_or_processes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "mien", "bench", "board", "--minutes", "1", "--out", str(out), "--name", "cut"]
    command += ["--set", "face.width=90", "--set", "face.height=160"]
    environment = {**os.environ, "SDL_VIDEODRIVER": "offscreen", "TMPDIR": str(tmp_path), "RUNTIME_DIRECTORY": ""}
    started = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert started.stderr is not None
    said = ""
    for line in started.stderr:
        said += line
        if "idle: services" in line:
            break
    time.sleep(0.5)
    started.send_signal(signal.SIGINT)
    said += started.stderr.read()
    assert started.wait(60) == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert list(out.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # the services' folder is gone
    mine = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path) in _text(path)]
    assert mine == []


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
