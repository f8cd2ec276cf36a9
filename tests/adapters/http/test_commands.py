"""The command `mien http` and the example, as processes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from adapters.http.rig import wav
from rigs.services import running_voice

PATIENCE_S = 60  # a process needs many seconds to start on a busy machine
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
ENGINE = """#!{python}
import sys, wave
words = sys.stdin.read().split()
with wave.open("/dev/stdout", "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(24000)
    out.writeframes(bytes(4800 * len(words)))
"""


@contextlib.contextmanager
def served(run_dir, *arguments):
    """The command, with a TTS that takes 100 ms a word. Its URL and process."""
    programs = run_dir / "bin"
    programs.mkdir(exist_ok=True)
    engine = programs / "espeak-ng"
    engine.write_text(ENGINE.format(python=sys.executable))
    engine.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "mien", "http", "--port", "0", *arguments],
        env={**os.environ, "RUNTIME_DIRECTORY": str(run_dir), "PATH": f"{programs}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield re.search(r"http://\S+", process.stderr.readline()), process
    finally:
        process.kill()
        process.communicate()


def test_text_and_wav_are_spoken_and_sigterm_ends_it(tmp_path):
    with running_voice(tmp_path), served(tmp_path) as (found, process):
        url = found[0]
        for body, kind, ms in ((b"good morning", "text/plain", 200), (wav(300), "audio/wav", 300)):
            request = Request(url, body, {"Content-Type": kind, "Accept": "application/json"})
            with urlopen(request, timeout=PATIENCE_S) as answer:
                heard = json.load(answer)
            assert (round(heard["played_ms"]), heard["reason"]) == (ms, "played")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def test_the_example_prints_what_was_heard(tmp_path):
    with running_voice(tmp_path), served(tmp_path) as (found, _):
        command = [sys.executable, EXAMPLES / "http_say.py", "one two three", found[0]]
        said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        lines = said.stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["started", "finished"], said.stderr
        assert "'played_ms': 300.0" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(("--host", "0.0.0.0"), 2, "loopback"), (("--rate", "7"), 2, "must be one of"), ((), 3, "nothing answers")],
)
def test_bad_usage_says_what_to_do(tmp_path, arguments, code, words):
    def ended():
        command = [sys.executable, "-m", "mien", "http", "--timeout", "0.2", *arguments]
        environ = {**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_S)

    with running_voice(tmp_path) if code != 3 else contextlib.nullcontext():
        told = ended()
    assert (told.returncode, words in told.stderr) == (code, True), told.stderr
