"""The command mien-voice: in which order it does what, with the service replaced."""

import os
import signal

import pytest
from click.testing import CliRunner

from mien.host.exits import Exit
from mien.voice import __main__ as command
from mien.voice import service


@pytest.fixture
def done(monkeypatch):
    """What the command has done. Its service ends when it is told to stop."""
    done = []

    class Service:
        def __init__(self, config, run_dir, _):
            done.append(("service", config.playback.sink, run_dir))

        def run(self):
            done.append("run")
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(os.getpid(), number)

        def stop(self):
            done.append("stop")

    class Lock:
        def __init__(self, run_dir, *names):
            done.append(("lock", run_dir, *names))

        def release(self):
            done.append("released")

    monkeypatch.setattr(service, "VoiceService", Service)
    monkeypatch.setattr(command, "RunLock", Lock)
    monkeypatch.setattr(command, "end_with_parent", lambda: done.append("parent"))
    monkeypatch.setattr(command, "use_realtime_priority", lambda: done.append("realtime"))
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield done
    for number, handler in before:
        signal.signal(number, handler)


def run(*settings):
    return CliRunner().invoke(command.main, [part for setting in settings for part in ("--set", setting)])


def test_the_lock_comes_before_the_service_and_both_signals_stop_it(done, tmp_path):
    assert run("playback.sink=null", f"run_dir={tmp_path}").exit_code == 0
    assert done == [
        "parent",
        ("lock", tmp_path, "voice", "mien-voice"),
        ("service", "null", tmp_path),
        "realtime",
        "run",
        "stop",
        "stop",
        "released",
    ]


def test_a_bad_setting_ends_it_before_anything_is_taken(done):
    ended = run("playback.sink=loud")
    assert ended.exit_code == Exit.CONFIG
    assert done == ["parent"]
