"""The WAV microphone's own promises; the contract is in tests/contracts/test_capture.py."""

import wave

import numpy as np
import pytest

from mien.capture.wav import WavCapture
from mien.core.clock import ManualClock
from mien.errors import CaptureError


def write(path, pcm, rate_hz=16000, width=2):
    with wave.open(str(path), "wb") as file:
        file.setparams((pcm.shape[1], width, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes() if width == 2 else bytes(pcm.size))
    return path


def test_the_file_is_heard_once_then_silence(tmp_path):
    said = np.arange(1, 3201).reshape(-1, 2)
    clock = ManualClock(77)
    capture = WavCapture(clock, write(tmp_path / "said.wav", said), 500)
    heard = []
    for _ in range(10):
        clock.advance_ms(20)
        heard.append(capture.read())
    heard = np.concatenate(heard)
    assert len(heard) == 3200
    assert np.array_equal(heard[:1600], said)
    assert not heard[1600:].any()


def test_rate_and_channels_are_the_file_s(tmp_path):
    capture = WavCapture(ManualClock(), write(tmp_path / "a.wav", np.zeros((10, 3)), rate_hz=44100), 500)
    assert (capture.format.rate_hz, capture.format.channels) == (44100, 3)


def test_sound_that_nobody_read_is_not_heard_later(tmp_path):
    said = np.arange(16000).reshape(-1, 1)
    clock = ManualClock()
    capture = WavCapture(clock, write(tmp_path / "a.wav", said), buffer_ms=100)
    clock.advance_ms(500)
    assert capture.read()[0, 0] == 16 * 400
    assert capture.overruns == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.wav", None, r"absent\.wav: cannot be read as a WAV file .*ear\.wav_path"),
        ("text.wav", b"no sound at all", r"text\.wav: cannot be read as a WAV file"),
        ("empty.wav", b"", r"empty\.wav: cannot be read as a WAV file"),
    ],
)
def test_what_is_no_wav_is_refused(tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptureError, match=sentence):
        WavCapture(ManualClock(), tmp_path / name, 500)


def test_samples_of_8_bits_are_refused(tmp_path):
    with pytest.raises(CaptureError, match="samples of 8 bits; mien needs 16"):
        WavCapture(ManualClock(), write(tmp_path / "a.wav", np.zeros((10, 1)), width=1), 500)
