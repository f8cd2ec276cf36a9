"""mien say, against a voice double on the local socket."""

import json
import signal
import subprocess
import sys
import time
import wave

import numpy as np
import pytest
from click.testing import CliRunner

from mien.cli.say import say
from mien.core import wire
from rigs.voice_server import served_voice

MS = 32
PATIENCE_S = 20


@pytest.fixture
def run_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture
def voice(run_dir):
    with served_voice(f"ipc://{run_dir}/voice.sock") as server:
        yield server


def call(*arguments, stdin=b""):
    return CliRunner().invoke(say, arguments, input=stdin)


def write_wav(path, pcm, *, rate_hz=16000, channels=1, width=2):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return str(path)


def audio(voice):
    return bytes(next(iter(voice.double.audio.values())))


class TestSources:
    def test_a_wav_file_is_heard_as_it_is(self, voice, tmp_path):
        pcm = np.arange(800, dtype=np.int16).tobytes()
        result = call("--file", write_wav(tmp_path / "a.wav", pcm))
        assert (result.exit_code, result.stdout, result.stderr) == (0, "50 ms heard\n", "")
        assert audio(voice) == pcm

    def test_the_files_own_rate_is_spoken(self, run_dir, tmp_path):
        with served_voice(f"ipc://{run_dir}/voice.sock", rate_hz=22050) as voice:
            assert call("-f", write_wav(tmp_path / "a.wav", bytes(2205 * 2), rate_hz=22050)).exit_code == 0
            assert voice.received(wire.Hello)[0].rate_hz == 22050

    def test_what_is_converted_is_told(self, run_dir, tmp_path):
        with served_voice(f"ipc://{run_dir}/voice.sock", rate_hz=22050) as voice:
            path = write_wav(tmp_path / "a.wav", bytes(6 * 2000), rate_hz=20000, channels=2, width=3)
            result = call("--file", path)
            assert result.exit_code == 0
            assert voice.received(wire.Hello)[0].rate_hz == 22050
        for what in ("2 channels; mixed down", "24-bit samples; converted", "20000 Hz; resampled to 22050 Hz"):
            assert what in result.stderr

    def test_raw_pcm_on_stdin(self, voice):
        pcm = bytes(range(200)) * 16
        result = call("-", "--rate", "16000", stdin=pcm)
        assert (result.exit_code, result.stdout) == (0, "100 ms heard\n")
        assert audio(voice) == pcm

    @pytest.mark.usefixtures("voice")
    def test_half_a_sample_on_stdin(self):
        result = call("-", stdin=bytes(33))
        assert result.exit_code == 1
        assert "middle of a sample" in result.stderr

    @pytest.mark.usefixtures("voice")
    def test_nothing_on_stdin_is_a_turn_without_sound(self):
        assert call("-").stdout == "0 ms heard\n"

    def test_a_text_through_an_engine(self, run_dir):
        with served_voice(f"ipc://{run_dir}/voice.sock", rate_hz=22050) as voice:
            result = call("Good  morning", "--engine", "espeak-ng", "--json")
            heard = json.loads(result.stdout)
            assert (result.exit_code, heard["reason"], heard["interrupted"]) == (0, "played", False)
            assert 300 < heard["played_ms"] < 3000
            assert voice.received(wire.Caption)[0].text == "Good  morning"
            assert np.abs(np.frombuffer(audio(voice), np.int16)).max() > 1000


class TestErrors:
    @pytest.mark.usefixtures("run_dir")
    @pytest.mark.parametrize("arguments", [(), ("text", "--file", "a.wav"), ("-", "--rate", "17"),
                                           ("text", "--engine", "nosuch"), ("text", "--endpoint", "nonsense")])
    def test_bad_usage(self, arguments):
        assert call(*arguments).exit_code == 2

    def test_nobody_answers(self, run_dir):
        result = call("-", "--timeout", "0.2")
        assert result.exit_code == 3
        assert str(run_dir) in result.stderr
        assert "mien run" in result.stderr

    @pytest.mark.usefixtures("voice")
    @pytest.mark.parametrize("arguments", [("",), ("text", "--engine", "espeak-ng", "--voice", "nosuch"),
                                           ("--file", "/nothing.wav")])
    def test_nothing_to_speak(self, arguments):
        result = call(*arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("mien say: ")

    def test_a_refusal(self, voice):
        voice.refuse_with = wire.Error(code="too_many_clients", message="at most 16 clients")
        result = call("-", stdin=bytes(64))
        assert result.exit_code == 1
        assert "at most 16 clients" in result.stderr

    def test_cut_short_by_somebody_else(self, voice, monkeypatch):
        play = type(voice)._send

        def interrupting(server, identity, messages):
            for message in messages:
                if isinstance(message, wire.Progress) and message.played_ms > 20:
                    play(server, identity, server.doubles[identity]._interrupt(None))
                    return
            play(server, identity, messages)

        monkeypatch.setattr(type(voice), "_send", interrupting)
        result = call("-", stdin=bytes(5000 * MS))
        assert result.exit_code == 1
        assert "ms heard, then interrupted" in result.stdout


def test_ctrl_c_interrupts_and_tells_what_was_heard(voice):
    # A job in the background of a script is started with SIGINT ignored.
    code = "import signal; signal.signal(2, signal.default_int_handler); from mien.cli.say import say; say()"
    process = subprocess.Popen([sys.executable, "-c", code, "-", "--json"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(bytes(900 * MS))
    process.stdin.flush()
    deadline_s = time.monotonic() + PATIENCE_S
    while not (voice.doubles and any(turn.played > 0 for turn in list(voice.double.turns.values()))):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    heard = json.loads(out)
    assert process.returncode == 130
    assert heard["interrupted"]
    assert 0 < heard["played_ms"] <= 900


def test_help_has_an_example():
    assert 'mien say "Good morning"' in call("--help").output
