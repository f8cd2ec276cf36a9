"""Prometheus' own tools read the rules, the example configuration, and what a board renders."""

import subprocess
from pathlib import Path

import pytest

from mien.fleet.event import Turn
from mien.fleet.status import Health, Status
from mien.fleet.topics import Board
from mien.link.metrics.metrics import Metrics

FOLDER = Path(__file__).resolve().parents[2] / "monitoring"


def promtool(*arguments: str, text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, input=text, capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "mien.rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "mien.rules.test.yml"),
    ],
)
def test_the_files_are_right(arguments: tuple[str, ...]) -> None:
    done = promtool(*arguments)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_a_wrong_threshold_is_found(tmp_path: Path) -> None:
    for path in FOLDER.glob("mien.rules*.yml"):
        (tmp_path / path.name).write_text(path.read_text().replace("> 1.5", "> 2.5"))
    done = subprocess.run(
        ["promtool", "test", "rules", "mien.rules.test.yml"], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1


def test_what_a_board_renders_follows_prometheus_conventions() -> None:
    metrics = Metrics(Board("lab", "k7"))
    metrics.observe_status(Status(online=True, volume=0.5, brightness=0.5, started=1.0))
    numbers = {
        name: 1
        for name in Health.__struct_fields__
        if name not in ("at", "throttled", "screen", "sound", "ear", "counters")
    }
    metrics.observe_health(Health(sound="open", throttled=(), **{**numbers, "clock_synchronized": True}))  # type: ignore[arg-type]
    metrics.observe_event(
        Turn(queue="q", seq=1, client="c", turn="t", reason="completed", heard_ms=1.0, latency_ms=1.0)
    )
    done = promtool("check", "metrics", text=metrics.render())
    assert done.returncode == 0, done.stderr.decode()
