"""Whisper tiny.en by ctranslate2, on speech, on noise, on what is no speech."""

from types import SimpleNamespace

import numpy as np
import pytest

from converse.engines.spoken import spoken
from mien.converse.hear.whisper import Whisper
from mien.errors import ConverseError

QUIET = np.zeros(4800, np.int16)


@pytest.fixture(scope="module")
def whisper():
    made = Whisper()
    made.load()
    return made


def heard(whisper, *sounds):
    return whisper.recognise(np.concatenate([QUIET, *sounds, QUIET[:1600]]).astype("<i2").tobytes(), "en")


@pytest.mark.parametrize(
    "text",
    ["Excuse me, where is the toilet?", "How much is a ticket for two children?", "Can I talk to a real person?"],
)
def test_a_question_is_recognised_word_by_word(whisper, text):
    found = heard(whisper, spoken(text))
    assert found.text == text
    assert not found.unclear


@pytest.mark.parametrize("level", [0, 5, 300, 3000])
def test_noise_is_no_text(whisper, level):
    noise = np.random.default_rng(1).normal(0, level, 16000).astype(np.int16)
    found = heard(whisper, noise)
    assert not found.text or found.unclear


def test_a_click_is_no_text(whisper):
    click = np.zeros(3200, np.int16)
    click[1000:1060] = 20000
    found = heard(whisper, click)
    assert not found.text or found.unclear


def test_half_a_minute_is_recognised_in_a_longer_window(whisper):
    found = heard(whisper, *[np.concatenate([spoken("Where is the toilet?"), QUIET * 0]) for _ in range(12)])
    assert "toilet" in found.text.lower()


def test_what_is_too_short_is_nothing(whisper):
    assert whisper.recognise(bytes(100), "en").text == ""


def test_a_result_that_is_no_number_is_an_error_and_no_silence(whisper, monkeypatch):
    class Broken:
        is_multilingual = False

        def generate(self, *_args, **_options):
            return [SimpleNamespace(sequences_ids=[[0]], scores=[float("nan")], no_speech_prob=0.0)]

    monkeypatch.setattr(whisper, "_model", Broken())
    with pytest.raises(ConverseError, match="NaN"):
        whisper.recognise(bytes(32_000), "en")
