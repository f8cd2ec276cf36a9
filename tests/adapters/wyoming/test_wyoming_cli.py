"""`mien wyoming` as a process, and examples/wyoming_say.py against it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rigs.services import running_voice

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "wyoming_say.py"
PATIENCE_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def command(*arguments):
    return [sys.executable, "-m", "mien", "wyoming", *arguments]


@contextlib.contextmanager
def serving(run_dir, *arguments, services=3):
    """The command, once it has printed where it serves so many services."""
    process = subprocess.Popen(
        command("--snd-port", free_port(), "--mic-port", free_port(), *arguments),
        env={**os.environ, "RUNTIME_DIRECTORY": str(run_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        process.served = [process.stdout.readline() for _ in range(services)]
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_example_is_heard(tmp_path):
    port = free_port()
    with running_voice(tmp_path), serving(tmp_path, "--satellite-port", port) as process:
        assert f"satellite: tcp://127.0.0.1:{port}\n" in process.served
        made = subprocess.run(
            [sys.executable, str(EXAMPLE), "Hello there", "127.0.0.1", port],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        assert int(made.stdout.split()[1]) > 500
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, complaints
        assert "authentication" not in complaints


def test_beyond_loopback_it_warns_and_can_be_found(tmp_path):
    arguments = ("--host", "0.0.0.0", "--satellite-port", free_port(), "--zeroconf", "--name", "test-kiosk")
    with running_voice(tmp_path), serving(tmp_path, *arguments, services=4) as process:
        assert process.served[-1].startswith("mDNS: test-kiosk._wyoming._tcp.local. at ")
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=PATIENCE_S)
        assert "Wyoming has no authentication" in complaints


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--rate", "12345"], "it must be one of"),
        (["--tts-uri", "http://x"], "it must be tcp://HOST:PORT"),
        (["--zeroconf"], "give --host too"),
    ],
)
def test_bad_usage_says_what_is_wanted(arguments, why):
    made = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert made.returncode == 2
    assert why in made.stderr


def test_a_taken_port_is_one_sentence(tmp_path):
    with socket.socket() as taken, running_voice(tmp_path):
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        made = subprocess.run(
            command("--snd-port", str(taken.getsockname()[1]), "--mic-port", "0", "--satellite-port", "0"),
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert made.returncode == 1
    assert "a port cannot be opened" in made.stderr
    assert "Traceback" not in made.stderr
