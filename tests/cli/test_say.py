"""mien say, against a voice double on the local socket."""

import json
import signal
import struct
import subprocess
import sys
import time
import wave

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from mien.cli.say import say
from mien.core import wire
from rigs.voice_double import LIMITS
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

    @pytest.mark.parametrize("length", ["0", "streamed", "exact"])
    def test_a_wav_on_stdin_says_its_own_rate(self, run_dir, length):
        """As espeak-ng --stdout writes it, without knowing the length; --rate applies to raw PCM only."""
        pcm = np.arange(2205, dtype="<i2").tobytes()
        size = {"0": 0, "streamed": 0x7FFFF000, "exact": len(pcm)}[length]
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            size + 36 if size else 0,
            b"WAVE",
            b"fmt ",
            16,
            1,
            1,
            22050,
            44100,
            2,
            16,
            b"data",
            size,
        )
        with served_voice(f"ipc://{run_dir}/voice.sock", rate_hz=22050) as voice:
            result = call("-", "--rate", "48000", stdin=head + pcm)
            assert (result.exit_code, result.stdout) == (0, "100 ms heard\n")
            assert voice.received(wire.Hello)[0].rate_hz == 22050
            assert audio(voice) == pcm

    def test_what_espeak_writes_to_a_pipe(self, run_dir):
        spoken = subprocess.run(["espeak-ng", "--stdout", "Good morning"], capture_output=True, check=True).stdout
        with served_voice(f"ipc://{run_dir}/voice.sock", rate_hz=22050) as voice:
            assert call("-", stdin=spoken).exit_code == 0
            assert voice.received(wire.Hello)[0].rate_hz == 22050
            assert audio(voice) == spoken[44:]

    def test_a_wav_on_stdin_that_is_cut_off_is_told(self):
        result = call("-", stdin=b"RIFF\0\0\0\0WAVEfmt ")
        assert result.exit_code == 1
        assert "cut off before its data" in result.stderr

    @pytest.mark.parametrize("pcm", [b"RI", b"RIFF", b"RIFF" + bytes(20), b"WAVE" * 5, b"ab" * 6])
    def test_raw_pcm_that_only_begins_like_a_wav_is_raw(self, voice, pcm):
        assert call("-", stdin=pcm).exit_code == 0
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


class TestLongSpeech:
    """Speech longer than max_turn_ms, which is 1000 ms here."""

    @pytest.fixture
    def voice(self, run_dir):
        with served_voice(
            f"ipc://{run_dir}/voice.sock", limits=msgspec.structs.replace(LIMITS, max_turn_ms=1000), capacity_ms=5000
        ) as server:
            yield server

    def turns(self, voice):
        return [bytes(pcm) for pcm in voice.double.audio.values()]

    @pytest.mark.parametrize("ms", [1000, 1001, 2500])
    def test_it_becomes_several_turns_and_no_sample_is_lost(self, voice, tmp_path, ms):
        pcm = np.resize(np.arange(-9000, 9000, dtype="<i2"), ms * 16).tobytes()
        result = call("--json", "--file", write_wav(tmp_path / "a.wav", pcm))
        heard = json.loads(result.stdout)
        assert result.exit_code == 0
        assert (heard["played_ms"], heard["reason"], heard["turns"]) == (ms, "played", -(-ms // 1000))
        assert b"".join(self.turns(voice)) == pcm
        assert max(map(len, self.turns(voice))) == 1000 * MS
        assert len(voice.received(wire.End)) == heard["turns"]

    def test_it_is_cut_at_a_pause(self, voice):
        pcm = np.full(1500 * 16, 9000, "<i2")
        pcm[850 * 16 : 1080 * 16] = 20
        result = call("-", stdin=pcm.tobytes())
        assert (result.exit_code, result.stdout) == (0, "1500 ms heard\n")
        assert b"".join(self.turns(voice)) == pcm.tobytes()
        assert [len(turn) / MS for turn in self.turns(voice)] == [1000, 500]  # 150 ms of quiet are no pause
        voice.doubles.clear()
        pcm[800 * 16 : 1080 * 16] = 20
        assert call("-", stdin=pcm.tobytes()).exit_code == 0
        assert [len(turn) / MS for turn in self.turns(voice)] == [1000, 500]

    def test_an_end_with_the_last_sample_of_a_turn_begins_no_other(self, voice):
        assert json.loads(call("-", "--json", stdin=bytes(900 * MS)).stdout)["turns"] == 1
        assert [len(turn) / MS for turn in self.turns(voice)] == [900]

    def test_cut_short_in_the_second_turn_it_says_the_sum(self, voice, monkeypatch):
        play = type(voice)._send

        def interrupting(server, identity, messages):
            double = server.doubles[identity]
            for message in messages:
                second = isinstance(message, wire.Progress) and len(double.done) == 1 and message.turn in double.turns
                if second and message.played_ms > 20:
                    play(server, identity, double._interrupt(None))
                    return
            play(server, identity, messages)

        monkeypatch.setattr(type(voice), "_send", interrupting)
        result = call("-", "--json", stdin=np.full(4000 * 16, 9000, "<i2").tobytes())
        heard = json.loads(result.stdout)
        assert result.exit_code == 1
        assert heard["interrupted"]
        assert heard["reason"] == "interrupted"
        assert 1020 <= heard["played_ms"] < 1500


class TestErrors:
    @pytest.mark.usefixtures("run_dir")
    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("text", "--file", "a.wav"),
            ("-", "--rate", "17"),
            ("text", "--engine", "nosuch"),
            ("text", "--endpoint", "nonsense"),
        ],
    )
    def test_bad_usage(self, arguments):
        assert call(*arguments).exit_code == 2

    def test_nobody_answers(self, run_dir):
        result = call("-", "--timeout", "0.2")
        assert result.exit_code == 3
        assert str(run_dir) in result.stderr
        assert "mien run" in result.stderr

    @pytest.mark.usefixtures("voice")
    @pytest.mark.parametrize(
        "arguments", [("",), ("text", "--engine", "espeak-ng", "--voice", "nosuch"), ("--file", "/nothing.wav")]
    )
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
    process = subprocess.Popen(
        [sys.executable, "-c", code, "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
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
