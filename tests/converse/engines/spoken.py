"""Sentences as sound, by flite."""

import io
import shutil
import subprocess
import wave

import numpy as np
import pytest
import soxr


def spoken(text, voice="slt"):
    """Int16 at 16 kHz, without silence around it."""
    if shutil.which("flite") is None:
        pytest.fail("flite is missing: apt-get install flite")
    made = subprocess.run(
        ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"], capture_output=True, check=True, timeout=60
    )
    with wave.open(io.BytesIO(made.stdout)) as file:
        sound = np.frombuffer(file.readframes(1 << 30), "<i2")
        rate_hz = file.getframerate()
    if rate_hz != 16000:
        sound = soxr.resample(sound, rate_hz, 16000)
    loud = np.flatnonzero(np.abs(sound) > 300)
    return np.ascontiguousarray(sound[loud[0] : loud[-1] + 1], np.int16)
