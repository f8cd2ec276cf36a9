"""Every program of examples/, run as it stands there against a real voice."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mien.client import connect
from rigs.fake_ear import FakeEar
from rigs.services import running_voice

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".py", ".js"))
MOST_LINES = 40
SECONDS = 60
SPEECH = bytes(2 * 16000 * 3)


@contextlib.contextmanager
def started(run_dir, name, *arguments, **environ):
    """An example as a process: its stdin, and its stdout and stderr as one stream of lines."""
    runner = shutil.which("node") if name.endswith(".js") else sys.executable
    process = subprocess.Popen(
        [runner, str(EXAMPLES / name), *arguments],
        env={**os.environ, "RUNTIME_DIRECTORY": str(run_dir), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def output(process, said=None):
    """All that a program prints until it ends by itself, without an error."""
    text, _ = process.communicate(said, timeout=SECONDS)
    assert process.returncode == 0, text
    return text


def test_each_program_is_short_and_in_the_list():
    listed = (EXAMPLES / "README.md").read_text()
    for program in PROGRAMS:
        assert len(program.read_text().splitlines()) <= MOST_LINES, program
        assert f"[{program.name}]" in listed


def test_say(tmp_path):
    with running_voice(tmp_path), started(tmp_path, "say.py", "Hello there") as process:
        assert output(process).startswith("played: ")


def test_stream_tts(tmp_path):
    with running_voice(tmp_path), started(tmp_path, "stream_tts.py") as process:
        words = output(process).split()
        assert words[0] == "played:"
        assert int(words[1]) == int(words[3]) > 2000


def test_barge_in(tmp_path):
    with running_voice(tmp_path) as voice, started(tmp_path, "barge_in.py") as process:
        assert process.stdout.readline().startswith("speaking")
        with connect(voice.endpoints[-1], role="observer") as observer:
            observer.subscribe("state")
            while getattr(observer.poll(SECONDS), "played_ms", 0) < 500:
                pass
        text = output(process, "\n")
    assert text.startswith("interrupted: ")
    assert int(text.split()[1]) >= 500
    assert int(text.split(" words heard")[0].split()[-1]) > 0


def test_takeover(tmp_path):
    with running_voice(tmp_path) as voice, connect(voice.endpoints[-1], name="bot") as bot:
        first, second = bot.turn(), bot.turn()
        for turn in (first, second):
            turn.write(SPEECH)
            turn.end()
        while first.played_ms == 0:
            bot.poll(0.05)
        with started(tmp_path, "takeover.py") as process:
            assert output(process).startswith("played: ")
        assert (first.wait().reason, second.wait().reason) == ("taken_over", "played")


def test_listen(tmp_path):
    with running_voice(tmp_path) as voice, FakeEar(tmp_path) as ear:
        ear.until(lambda: voice._engine.ear.present)
        with started(tmp_path, "listen.py") as process:
            assert process.stdout.readline() == "ear: ok\n"
            ear.start()
            for _ in range(3):
                ear.block()
            ear.stop()
            assert process.stdout.readline() == "the customer speaks\n"
            line = process.stdout.readline()
            assert re.fullmatch(r"for \d+ ms, in 3 blocks\n", line), line
            process.send_signal(signal.SIGINT)
            output(process)


def test_watch(tmp_path):
    with running_voice(tmp_path) as voice, started(tmp_path, "watch.py") as process:
        assert process.stdout.readline() == "watching\n"
        with connect(voice.endpoints[-1], name="bot") as bot:
            bot.caption("t1", "Hi there")
            bot.say(SPEECH[:32000], name="t1")
        lines = []
        while not lines or "bot's turn" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        process.send_signal(signal.SIGINT)
        output(process)
    assert "bot says: Hi there\n" in lines
    assert any(line.startswith("speaking bot ") for line in lines)
    assert lines[-1] == "bot's turn t1 ended: played after 1000 ms\n"


@pytest.fixture(scope="session")
def node_modules():
    """The packages of package-lock.json, in a cache beyond the repository; fetched by npm once."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mien-examples"
    cache.mkdir(parents=True, exist_ok=True)
    modules = cache / "node_modules"
    lock = EXAMPLES / "package-lock.json"
    stamp = cache / "installed.json"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(EXAMPLES / name, cache)
        made = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=cache, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"npm could not fetch zeromq and @msgpack/msgpack: {made.stderr[-300:]}")
        shutil.copy(lock, stamp)
    return modules


def test_say_js(tmp_path, node_modules):
    with running_voice(tmp_path) as voice:
        arguments = ("Hello there", voice.endpoints[-1])
        with started(tmp_path, "say.js", *arguments, NODE_PATH=str(node_modules)) as process:
            first, last = output(process).splitlines()
    assert first == "speaking"
    assert last.startswith("played: ")
