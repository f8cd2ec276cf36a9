"""The command mien-face: in which order it does what, with the service replaced."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from mien.core.pose import new_pose
from mien.face import __main__ as command
from mien.face import service
from mien.face.trace import Trace
from mien.host.exits import Exit


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What the command has done. Its service shows one frame, and ends when it is told to stop."""
    done: list[object] = []

    class Service:
        def __init__(self, config: object, run_dir: Path, clock: object, *, trace: Trace | None) -> None:
            self._trace = trace
            done.append(("service", run_dir))

        def run(self) -> None:
            if self._trace is not None:
                self._trace.add(7, 5, 3, new_pose())
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(os.getpid(), number)

        def stop(self) -> None:
            done.append("stop")

    class Lock:
        def __init__(self, run_dir: Path, *names: str) -> None:
            done.append(("lock", run_dir, *names))

        def __enter__(self) -> None:
            done.append("locked")

        def __exit__(self, *_: object) -> None:
            done.append("released")

    monkeypatch.setattr(service, "FaceService", Service)
    monkeypatch.setattr(command, "RunLock", Lock)
    monkeypatch.setattr(command, "end_with_parent", lambda: done.append("parent"))
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield done
    for number, handler in before:
        signal.signal(number, handler)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.main, arguments)


def test_the_lock_comes_before_the_service_and_both_signals_stop_it(done: list[object], tmp_path: Path) -> None:
    assert run("--set", f"run_dir={tmp_path}").exit_code == 0
    service = [("lock", tmp_path, "face", "mien-face"), "locked", ("service", tmp_path)]
    assert done == ["parent", *service, "stop", "stop", "released"]


@pytest.mark.usefixtures("done")
def test_a_trace_is_written_when_one_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "trace.npz"
    assert run("--set", f"run_dir={tmp_path}", "--trace", str(path)).exit_code == 0
    with np.load(path) as trace:
        assert (trace["visible_ns"].tolist(), trace["media_ns"].tolist(), trace["epoch"].tolist()) == ([7], [5], [3])


def test_a_bad_setting_ends_it_before_anything_is_taken(done: list[object]) -> None:
    assert run("--set", "face.fps=fast").exit_code == Exit.CONFIG
    assert done == ["parent"]
