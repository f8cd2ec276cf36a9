"""mien say --stream, against a voice double on the local socket, with a TTS of the test's own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from mien.cli.say import say
from mien.core import wire
from rigs.voice_server import served_voice

PATIENCE_S = 20
ENGINE = """#!{python}
import sys, wave
text = sys.stdin.read()
if "broken" in text:
    sys.exit("no such voice")
with wave.open("/dev/stdout", "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(24000)
    out.writeframes(bytes(4800 * len(text.split())))
"""


@pytest.fixture
def run_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    programs = tmp_path / "bin"
    programs.mkdir()
    engine = programs / "espeak-ng"
    engine.write_text(ENGINE.format(python=sys.executable))
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.fixture
def voice(run_dir):
    with served_voice(f"ipc://{run_dir}/voice.sock", rate_hz=24000) as server:
        yield server


def call(*arguments, stdin):
    return CliRunner().invoke(say, ["--stream", *arguments], input=stdin)


def test_every_line_is_a_turn_with_its_caption(voice):
    result = call(stdin="good morning\n\n  how may I   help\n")
    assert (result.exit_code, result.stdout) == (0, "200 ms heard: good morning\n400 ms heard: how may I help\n")
    assert [len(pcm) // 48 for pcm in voice.double.audio.values()] == [200, 400]
    assert [message.text for message in voice.received(wire.Caption)] == ["good morning", "how may I help"]


@pytest.mark.usefixtures("voice")
def test_json_prints_one_object_a_line():
    result = call("--json", stdin="one\ntwo words\n")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["text"], line["played_ms"], line["reason"]) for line in told] == [
        ("one", 100, "played"),
        ("two words", 200, "played"),
    ]


@pytest.mark.usefixtures("voice")
def test_nothing_to_say_is_no_failure():
    assert (call(stdin="\n").exit_code, call(stdin="").exit_code) == (0, 0)


@pytest.mark.usefixtures("voice")
def test_an_engine_that_fails_says_so_and_hangs_nothing():
    result = call(stdin="good morning\nbroken\n")
    assert result.exit_code == 1
    assert "no such voice" in result.stderr
    assert "good morning" in result.stdout


@pytest.mark.usefixtures("voice")
def test_a_text_and_a_stream_are_one_too_many():
    assert call("hello", stdin="").exit_code == 2


@pytest.mark.usefixtures("run_dir")
def test_without_a_voice_the_exit_code_is_3():
    assert call("--timeout", "0.2", stdin="hello\n").exit_code == 3


def start():
    return subprocess.Popen(
        [sys.executable, "-m", "mien", "say", "--stream"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("voice")
def test_a_line_is_heard_before_the_next_one_comes():
    with start() as saying:
        for line, told in (("one", "100 ms heard: one\n"), ("two words", "200 ms heard: two words\n")):
            saying.stdin.write(f"{line}\n")
            saying.stdin.flush()
            assert saying.stdout.readline() == told
        saying.stdin.close()
        assert saying.wait(PATIENCE_S) == 0


def test_ctrl_c_reports_what_was_heard(voice):
    voice.playing = False
    with start() as saying:
        saying.stdin.write("one two three\n")
        saying.stdin.flush()
        deadline_s = time.monotonic() + PATIENCE_S
        while not (voice.doubles and voice.received(wire.End)):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        saying.send_signal(signal.SIGINT)
        assert saying.stdout.readline() == "0 ms heard, then interrupted: one two three\n"
        assert saying.wait(PATIENCE_S) == 130
