"""mien motion, record, check-config and doctor on real files."""

import csv
import json
import re
import subprocess
import wave

import numpy as np
import pytest
from click.testing import CliRunner

from mien.cli import COMMANDS, main
from mien.core.pose import ARKIT_SHAPES, HEAD_CHANNELS


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    """A spoken sentence at 22.05 kHz."""
    path = tmp_path_factory.mktemp("speech") / "voice.wav"
    subprocess.run(["espeak-ng", "-w", path, "Hello! My mother came by."], check=True)
    return path


def seconds(path):
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"mien {command}" in shown.output


def test_motion_writes_every_column_on_the_audios_clock(wav, tmp_path):
    out = tmp_path / "voice.csv"
    ran = run("motion", wav, "--out", out, "--json")
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.output)
    with out.open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["time_s", *ARKIT_SHAPES, *HEAD_CHANNELS]
    table = np.array(rows, dtype=float)
    assert len(table) == told["frames"]
    assert np.allclose(np.diff(table[:, 0]), 1 / told["frame_hz"])
    assert table[-1, 0] == pytest.approx(seconds(wav), abs=2 / told["frame_hz"])
    assert table[:, 1:53].min() >= 0
    assert table[:, 1:53].max() <= 1
    assert table[:, 1 + ARKIT_SHAPES.index("jawOpen")].std() > 0.05


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"not a wav at all" * 10])
def test_a_file_that_is_no_wav_is_told_and_exits_1(tmp_path, content):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    for command in ("motion", "record"):
        ran = run(command, path, "--out", tmp_path / "out")
        assert ran.exit_code == 1
        assert "bad.wav" in ran.output
        assert "Traceback" not in ran.output


def test_record_makes_a_film_with_sound(wav, tmp_path):
    out = tmp_path / "voice.mp4"
    ran = run("record", wav, "--out", out, "--size", "128x160", "--fps", "10")
    assert ran.exit_code == 0, ran.output
    probed = json.loads(
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_streams", "-of", "json", out], capture_output=True, check=True
        ).stdout
    )
    streams = {stream["codec_type"]: stream for stream in probed["streams"]}
    assert (streams["video"]["width"], streams["video"]["height"]) == (128, 160)
    assert float(streams["video"]["duration"]) == pytest.approx(seconds(wav) + 0.8, abs=0.15)
    assert float(streams["audio"]["duration"]) == pytest.approx(seconds(wav) + 0.3, abs=0.1)


@pytest.mark.parametrize("size", ["big", "10x10", "127x160", "128", "128x99999"])
def test_an_impossible_size_is_bad_usage(wav, tmp_path, size):
    assert run("record", wav, "--out", tmp_path / "x.mp4", "--size", size).exit_code == 2


def test_check_config(tmp_path):
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("[face]\nfps = 25\n")
    bad.write_text("[face]\nfsp = 25\n")
    assert run("check-config", good).exit_code == 0
    assert json.loads(run("check-config", good, "--json").output)["face"]["fps"] == 25
    refused = run("check-config", bad)
    assert refused.exit_code == 2
    assert "face.fsp: no such key; did you mean 'fps'?" in refused.output


def test_doctor_opens_everything_and_says_what_is_missing(tmp_path):
    ran = run(
        "doctor",
        "--json",
        "--set",
        "playback.sink=null",
        "--set",
        f"run_dir={tmp_path}",
        "--set",
        "face.width=128",
        "--set",
        "face.height=160",
    )
    rows = {row["name"]: row for row in json.loads(ran.stdout)}
    assert ran.exit_code == 1  # no service runs, and the null sink is silent: both poor
    assert rows["display"]["verdict"] in ("good", "poor")
    assert "times faster than real time" in rows["model"]["detail"]
    assert re.search(r"run by (LiteRT|tflite-runtime) \d", rows["model"]["detail"])
    assert rows["service"]["verdict"] == "poor"
    assert "mien run" in rows["service"]["remedy"]
    missing = run(
        "doctor",
        "--json",
        "--set",
        "playback.sink=alsa",
        "--set",
        "playback.device=nobody",
        "--set",
        "face.width=128",
        "--set",
        "face.height=160",
        "--set",
        "face.avatar=/none.mien-avatar",
    )
    assert missing.exit_code == 1
    rows = {row["name"]: row for row in json.loads(missing.stdout)}
    assert (rows["sound"]["verdict"], rows["avatar"]["verdict"]) == ("bad", "bad")
    assert "aplay -L" in rows["sound"]["remedy"]
