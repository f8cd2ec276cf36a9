"""Speech with phone times (-psdur) by flite's American and Scottish voices."""

import random
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from . import corpus
from .corpus import Utterance
from .paths import RATE_HZ
from .phones import from_arpabet
from .targets import TimedPhone
from .texts import sentences

VOICES = ("slt", "rms", "awb", "kal16")


def speak(text: str, voice: str, stretch: float, pitch_hz: float | None) -> tuple[NDArray[np.int16], list[TimedPhone]]:
    """Text -> int16 PCM at 16 kHz and its timed phones."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "-psdur", "--setf", f"duration_stretch={stretch}"]
        if pitch_hz is not None:
            command += ["--setf", f"int_f0_target_mean={pitch_hz}"]
        printed = subprocess.run(
            [*command, "-t", text, "-o", str(path)], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        with wave.open(str(path)) as sound:
            rate_hz = sound.getframerate()
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    phones, start = [], 0.0
    for word in printed.split():
        name, _, end = word.rpartition(":")
        phones.append((from_arpabet(name), start, float(end)))
        start = float(end)
    return soxr.resample(pcm, rate_hz, RATE_HZ), phones


def generate(minutes: float, seed: int = 2) -> None:
    """Write the source "flite": speech by the four voices in turn."""
    draw, texts = random.Random(seed), sentences("en")
    made: list[Utterance] = []
    seconds = 0.0
    while seconds < minutes * 60:
        voice = VOICES[len(made) % len(VOICES)] if len(made) % 3 else draw.choice(VOICES[:3])
        pitch_hz = draw.uniform(80, 220) if voice == "kal16" else None
        pcm, phones = speak(draw.choice(texts), voice, draw.uniform(0.85, 1.2), pitch_hz)
        if len(pcm) > 16 * RATE_HZ or len(phones) < 4:
            continue
        made.append(Utterance("flite", f"flite-{voice}", "en", f"{len(made)}", pcm, phones))
        seconds += len(pcm) / RATE_HZ
        if len(made) % 200 == 0:
            print(f"flite: {seconds / 60:.0f} of {minutes:.0f} min", flush=True)
    corpus.write("flite", made)


if __name__ == "__main__":
    generate(90)
