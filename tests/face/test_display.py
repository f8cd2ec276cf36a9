"""A display that is absent, fails a few times, or is lost: the face waits, retries and reports it."""

import logging
import threading
import time
from pathlib import Path

import pytest

from mien.config import load_config, parse_overrides
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import DisplayError
from mien.face import display
from mien.face.display import DisplayWait
from mien.face.service import FaceService
from mien.host.clock import MonotonicClock
from mien.render.headless import HeadlessRenderer


class Notified:
    """Records notifications to systemd."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def ready(self) -> None:
        self.told.append("ready")

    def waiting(self, for_s: int) -> None:
        self.told.append(f"waiting {for_s}")

    def status(self, text: str) -> None:
        self.told.append(text)

    def watchdog(self) -> None:
        self.told.append("watchdog")

    def stopping(self) -> None:
        self.told.append("stopping")


class Stopping(threading.Event):
    """An event that records its waits without waiting. after: the number of waits until it sets itself."""

    def __init__(self, after: int = 10**6) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._after = after

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if len(self.waits) >= self._after:
            self.set()
        return self.is_set()


class Flaky:
    """An opener that fails a number of times, then returns a renderer."""

    def __init__(self, failures: int, reason: str = "no screen") -> None:
        self.failures, self.reason, self.tries = failures, reason, 0
        self.renderer = HeadlessRenderer(64, 64, MonotonicClock())

    def __call__(self) -> HeadlessRenderer:
        self.tries += 1
        if self.tries <= self.failures:
            raise DisplayError(self.reason)
        return self.renderer


def test_a_display_that_fails_seven_times_is_opened_at_the_eighth_ever_less_often() -> None:
    opener, stopping, notified, counters = Flaky(7), Stopping(), Notified(), Counters()
    assert DisplayWait(opener, notified, stopping, counters, notified.watchdog).open() is opener.renderer  # type: ignore[arg-type]
    assert opener.tries == 8
    assert sum(stopping.waits) == pytest.approx(0.5 + 1 + 2 + 4 * display.MOST_RETRY_S)
    assert counters.snapshot()["display_retries"] == 7


def test_while_it_waits_systemd_knows_that_it_lives_and_is_not_ready() -> None:
    stopping, notified = Stopping(), Notified()
    DisplayWait(Flaky(4), notified, stopping, Counters(), notified.watchdog).open()  # type: ignore[arg-type]
    assert f"waiting {display.PATIENCE_S}" in notified.told
    assert "waiting for a display: no screen" in notified.told
    assert notified.told.count("watchdog") == len(stopping.waits)
    assert max(stopping.waits) <= 0.5
    assert "ready" not in notified.told


def test_the_log_gives_each_reason_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mien.face"):
        DisplayWait(Flaky(20), Notified(), Stopping(), Counters(), lambda: None).open()  # type: ignore[arg-type]
    assert [record.message for record in caplog.records] == ["waiting for a display: no screen"]


def test_a_stop_ends_the_waiting() -> None:
    opener = Flaky(10**9)
    assert DisplayWait(opener, Notified(), Stopping(after=5), Counters(), lambda: None).open() is None  # type: ignore[arg-type]
    assert opener.tries < 5


class Vanishing(HeadlessRenderer):
    """Loses its display at one frame."""

    def __init__(self, clock: Clock, at: int) -> None:
        super().__init__(64, 64, clock)
        self._left = at
        self.closed = False

    def present(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise DisplayError("the cable is out")
        super().present()

    def close(self) -> None:
        self.closed = True
        super().close()


def test_a_face_whose_display_is_lost_comes_back_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "FIRST_RETRY_S", 0.01)
    clock = MonotonicClock()
    lost, second = Vanishing(clock, at=5), HeadlessRenderer(64, 64, clock)
    outcomes: list[object] = [DisplayError("none yet"), lost, DisplayError("gone"), second]

    def opener(*_: object) -> HeadlessRenderer:
        outcome = outcomes.pop(0)
        if isinstance(outcome, DisplayError):
            raise outcome
        assert isinstance(outcome, HeadlessRenderer)
        return outcome

    service = FaceService(load_config(None, parse_overrides(("face.fps=60",))), tmp_path, clock, opener=opener)
    thread = threading.Thread(target=service.run)
    thread.start()
    deadline_s = time.monotonic() + 30
    while len(second.records()[0]) < 5 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    service.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert len(second.records()[0]) >= 5
    assert lost.closed
    assert len(lost.records()[0]) == 5
    assert service._counters.snapshot()["display_lost"] == 1
    assert service._counters.snapshot()["display_retries"] == 2
