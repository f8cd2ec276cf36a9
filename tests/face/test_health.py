"""A face with a dead thread must not pass for healthy: watchdog, log and exit code report it."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.config import load_config, parse_overrides
from mien.errors import DisplayError, FaceError
from mien.face.health import Heartbeat
from mien.face.motion_stage import MotionStage
from mien.face.presenter import Presenter
from mien.face.service import FaceService
from mien.host import notify
from mien.host.clock import MonotonicClock

PATIENCE_S = 20


def test_the_watchdog_is_fed_once_every_part_has_advanced_since_the_last_time() -> None:
    fed: list[int] = []
    heart = Heartbeat(lambda: fed.append(1))
    heart.feed()
    assert not fed, "nothing is watched yet: nothing lives"
    heart.watch("motion")
    heart.watch("drawing")
    heart.advance("drawing")
    heart.feed()
    assert not fed
    heart.advance("motion")
    heart.feed()
    assert len(fed) == 1
    heart.feed()
    assert len(fed) == 1, "no part advanced since"


@pytest.mark.parametrize("dead", ["motion", "drawing"])
def test_one_part_that_stops_starves_the_watchdog_however_often_the_other_advances(dead: str) -> None:
    fed: list[int] = []
    heart = Heartbeat(lambda: fed.append(1))
    for part in ("motion", "drawing"):
        heart.watch(part)
        heart.advance(part)
    heart.feed()
    alive = {"motion": "drawing", "drawing": "motion"}[dead]
    for _ in range(1000):
        heart.advance(alive)
        heart.feed()
    assert len(fed) == 1


def test_a_part_that_is_watched_later_must_advance_from_then_on() -> None:
    fed: list[int] = []
    heart = Heartbeat(lambda: fed.append(1))
    heart.watch("drawing")
    heart.advance("drawing")
    heart.feed()
    heart.watch("motion")
    heart.advance("drawing")
    heart.feed()
    assert len(fed) == 1


class Running:
    """A real FaceService, headless, in a thread. Records what run() raised and the notifications to systemd."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.raised: BaseException | None = None
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        monkeypatch.setattr(notify, "_find_sender", lambda: self.told.append)
        config = load_config(None, parse_overrides(("face.renderer=headless", "face.fps=120")))
        self.service = FaceService(config, folder, MonotonicClock())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.service.run()
        except BaseException as error:
            self.raised = error

    @property
    def feeds(self) -> int:
        return self.told.count("WATCHDOG=1")

    def until(self, true: Callable[[], bool]) -> bool:
        """Wait until a condition holds; False on timeout."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not true() and time.monotonic() < deadline_s:
            time.sleep(0.005)
        return true()

    def ended(self) -> bool:
        """Wait for the thread to end."""
        self._thread.join(PATIENCE_S)
        return not self._thread.is_alive()


def test_an_exception_in_the_motion_thread_ends_the_face_with_one_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = Running(tmp_path, monkeypatch)
    assert running.until(lambda: running.feeds > 2)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with caplog.at_level(logging.ERROR):
        monkeypatch.setattr(MotionStage, "work", broken)
        assert running.ended()
    assert isinstance(running.raised, FaceError)
    assert "RuntimeError: a bug" in str(running.raised)
    assert isinstance(running.raised.__cause__, RuntimeError)
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_a_motion_thread_that_hangs_starves_the_watchdog_while_drawing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, hangs, frames = threading.Event(), threading.Event(), [0]
    step = Presenter.step

    def hang(*_: object) -> None:
        hangs.set()
        release.wait(2 * PATIENCE_S)

    def counted(presenter: Presenter) -> object:
        frames[0] += 1
        return step(presenter)

    monkeypatch.setattr(Presenter, "step", counted)
    running = Running(tmp_path, monkeypatch)
    try:
        assert running.until(lambda: running.feeds > 2)
        monkeypatch.setattr(MotionStage, "work", hang)
        assert hangs.wait(PATIENCE_S)
        feeds, before = running.feeds, frames[0]
        assert running.until(lambda: frames[0] > before + 20)
        assert running.feeds <= feeds + 1, "at most the feed for which motion had advanced before it hung"
    finally:
        release.set()
        running.service.stop()
        assert running.ended()
    assert running.raised is None


def test_drawing_that_hangs_starves_the_watchdog_while_motion_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, hangs, turns = threading.Event(), threading.Event(), [0]
    work = MotionStage.work

    def counted(stage: MotionStage) -> None:
        turns[0] += 1
        work(stage)

    def hang(*_: object) -> None:
        hangs.set()
        release.wait(2 * PATIENCE_S)

    monkeypatch.setattr(MotionStage, "work", counted)
    running = Running(tmp_path, monkeypatch)
    try:
        assert running.until(lambda: running.feeds > 2)
        monkeypatch.setattr(Presenter, "step", hang)
        assert hangs.wait(PATIENCE_S)
        feeds, before = running.feeds, turns[0]
        assert running.until(lambda: turns[0] > before + 3)
        assert running.feeds == feeds
    finally:
        release.set()
        running.service.stop()
        assert running.ended()


def test_an_exception_while_drawing_ends_the_motion_thread_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(tmp_path, monkeypatch)
    assert running.until(lambda: running.feeds > 2)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Presenter, "step", broken)
    assert running.ended()
    assert isinstance(running.raised, RuntimeError)
    assert not [thread for thread in threading.enumerate() if thread.name == "motion"]


def test_a_motion_thread_that_ends_while_no_display_is_there_ends_the_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(tmp_path, monkeypatch)
    assert running.until(lambda: running.feeds > 2)
    monkeypatch.setattr(running.service._display, "_opener", lambda: _no_display())
    monkeypatch.setattr(Presenter, "step", lambda *_: _no_display())
    assert running.until(lambda: running.service._counters["display_retries"] > 0)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(MotionStage, "work", broken)
    assert running.ended()
    assert isinstance(running.raised, FaceError)


def _no_display() -> None:
    raise DisplayError("no screen")


BROKEN_FACE = """
import sys
from mien.face.motion_stage import MotionStage

def broken(stage):
    raise RuntimeError("a bug")

MotionStage.work = broken
sys.argv = ["mien-face", "--set", "face.renderer=headless", "--set", f"run_dir={sys.argv[1]}"]
from mien.face.__main__ import main
main()
"""


def test_the_process_ends_with_a_code_that_systemd_restarts_and_one_traceback(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN_FACE, str(tmp_path)], capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert said.count("Traceback") == 1
    assert "mien-face: the motion thread failed: RuntimeError: a bug" in said
