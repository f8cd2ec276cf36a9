"""`mien motion --text` and `--words`, with the shipped model."""

import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from mien.cli.motion import motion

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    at = np.arange(16_000) / 16_000
    sound = 6000 * np.sin(2 * np.pi * 150 * at) * (np.sin(2 * np.pi * 4 * at) > 0)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(sound.astype("<i2").tobytes())
    return tmp_path / "a.wav"


def run(recording: Path, *options: str) -> Result:
    return CliRunner().invoke(motion, [str(recording), "--out", str(recording.with_suffix(".csv")), *options])


@needs_espeak
def test_text_is_aligned_and_explained(recording: Path) -> None:
    told = run(recording, "--text", "Mama", "--lang", "en", "--explain")
    assert told.exit_code == 0
    assert "1 words" in told.stderr
    assert "the text decided the lips in" in told.stderr
    assert recording.with_suffix(".csv").is_file()


def test_phones_with_times_need_no_espeak(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    words = recording.with_name("words.json")
    words.write_text(json.dumps({"phones": [["m", 0, 100], ["a", 100, 300], ["%", 300, 400], ["m", 900, 800]]}))
    told = run(recording, "--words", str(words), "--explain")
    assert told.exit_code == 0
    assert "1 words with a phone that is no IPA: ignored" in told.stderr
    assert "1 words with times that go back" in told.stderr


@needs_espeak
def test_timed_words(recording: Path) -> None:
    words = recording.with_name("words.json")
    words.write_text(json.dumps([["Mama", 0, 400], ["there", 500, 900]]))
    assert run(recording, "--words", str(words)).exit_code == 0


@pytest.mark.parametrize(
    ("content", "says"), [("[[1, 2]]", "expected"), ("{", "expected"), ('{"phones": [["a", 0]]}', "expected")]
)
def test_a_file_that_holds_no_words_names_the_form(recording: Path, content: str, says: str) -> None:
    words = recording.with_name("words.json")
    words.write_text(content)
    told = run(recording, "--words", str(words))
    assert told.exit_code != 0
    assert says in told.stderr


def test_a_text_in_another_script_is_refused(recording: Path) -> None:
    told = run(recording, "--text", "Привет", "--lang", "en")
    assert told.exit_code == 1
    assert "Cyrillic" in told.stderr


def test_without_text_explain_says_so(recording: Path) -> None:
    assert "the sound alone decided" in run(recording, "--explain").stderr


def test_two_texts_exclude_each_other(recording: Path) -> None:
    assert run(recording, "--text", "a", "--words", "b").exit_code == 2
