"""The processes of mien on one machine: how each is started, and how all are stopped."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mien.host import stack
from mien.host.stack import STOP_TIMEOUT_S, Stack, has_display, service_environment


class Process:
    """Stands in for a started process. hangs: it ignores SIGTERM."""

    hangs = False

    def __init__(self, calls, command, options):
        self._calls, self.command, self.options = calls, command, options
        self.module = command[2]

    def send_signal(self, number):
        self._calls.append((self.module, number))

    def wait(self, timeout=None):
        self._calls.append((self.module, "wait", timeout))
        if self.hangs and timeout is not None:
            raise subprocess.TimeoutExpired(self.module, timeout)

    def kill(self):
        self._calls.append((self.module, "kill"))


@pytest.fixture
def calls(monkeypatch):
    """What was done to the processes, in order."""
    done = []
    monkeypatch.setattr(stack.subprocess, "Popen", lambda command, **options: Process(done, command, options))
    return done


def test_every_service_gets_the_run_dir_the_settings_and_the_configuration(calls, tmp_path):
    started = Stack(
        tmp_path, config=Path("/c.toml"), settings={"playback.sink": "null"}, face_arguments=("--seconds", "3")
    )
    started.start_voice()
    started.start_face()
    started.start_ear()
    common = ["--config", "/c.toml", "--set", f"run_dir={tmp_path}", "--set", "playback.sink=null"]
    assert started.voice.command == [sys.executable, "-m", "mien.voice", *common]
    assert started.face.command == [sys.executable, "-m", "mien.face", *common, "--seconds", "3"]
    assert started.ear.command == [sys.executable, "-m", "mien.ear", *common]
    assert all(process.options["start_new_session"] for process in (started.voice, started.face, started.ear))
    assert calls == []


def test_the_voice_stops_last_so_that_nobody_loses_it(calls, tmp_path):
    with Stack(tmp_path) as started:
        started.start_ear()
    assert calls == [
        entry
        for module in ("mien.ear", "mien.face", "mien.voice")
        for entry in ((module, signal.SIGTERM), (module, "wait", STOP_TIMEOUT_S))
    ]


def test_one_that_does_not_stop_is_killed_and_waited_for(calls, tmp_path, monkeypatch):
    monkeypatch.setattr(Process, "hangs", True)
    with Stack(tmp_path).voice_alone() as started:
        assert (started.face, started.ear) == (None, None)
    assert calls == [
        ("mien.voice", signal.SIGTERM),
        ("mien.voice", "wait", STOP_TIMEOUT_S),
        ("mien.voice", "kill"),
        ("mien.voice", "wait", None),
    ]


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(("quiet", "output"), [(True, subprocess.DEVNULL), (False, None)])
def test_what_they_say_is_heard_unless_it_is_to_be_quiet(tmp_path, quiet, output):
    started = Stack(tmp_path, quiet=quiet)
    started.start_voice()
    assert (started.voice.options["stdout"], started.voice.options["stderr"]) == (output, output)
    assert "--config" not in started.voice.command


@pytest.mark.parametrize(
    ("display", "cards", "driver"),
    [("", [], "offscreen"), (":0", [], None), ("", ["card0"], None), (":0", ["card0"], None)],
)
def test_without_a_display_and_a_card_the_face_draws_offscreen(monkeypatch, display, cards, driver):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(cards))
    environment = service_environment()
    assert environment.get("SDL_VIDEODRIVER") == driver
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert has_display() is (driver is None)


def test_a_service_has_five_seconds_to_stop():
    assert STOP_TIMEOUT_S == 5.0
