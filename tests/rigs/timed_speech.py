"""Speech with phone timings in milliseconds, as printed by flite."""

import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from mien.motion.base import Pcm

RATE_HZ = 16000
VOICES = ("slt", "rms", "awb", "kal16")


@dataclass(frozen=True)
class TimedPhone:
    """An ARPAbet phone, "pau" for silence, with its start and end in seconds."""

    name: str
    start_s: float
    end_s: float


def say(text: str, voice: str) -> tuple[Pcm, list[TimedPhone]]:
    """Mono int16 at 16 kHz, with its phones in order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        printed = subprocess.run(["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)],
                                 capture_output=True, text=True, check=True, timeout=60).stdout  # fmt: skip
        with wave.open(str(path)) as sound:
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
            rate_hz = sound.getframerate()
    phones, start_s = [], 0.0
    for word in printed.split():
        name, _, end = word.rpartition(":")
        phones.append(TimedPhone(name, start_s, float(end)))
        start_s = float(end)
    return soxr.resample(pcm, rate_hz, RATE_HZ), phones
