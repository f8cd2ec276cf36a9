"""Sounds for the ear, as WAV files."""

import shutil
import subprocess
import wave

import numpy as np
import pytest


def wav(path, sound, rate_hz=16000, channels=1):
    pcm = np.zeros((len(sound), channels), "<i2")
    pcm[:, -1] = sound
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    return path


def noise(seconds, rate_hz=16000, level=300):
    return np.random.default_rng(1).normal(0, level, int(seconds * rate_hz))


def sentence_in_a_room(folder):
    """Two seconds of a quiet room, a sentence, three more seconds. Returns (path, when the sentence begins in s)."""
    tts = shutil.which("espeak-ng") or shutil.which("espeak")
    if tts is None:
        pytest.skip("no speech to hear: apt-get install espeak-ng")
    said = folder / "said.wav"
    subprocess.run([tts, "-w", said, "Good morning, I would like to ask you a question"], check=True, timeout=30)
    with wave.open(str(said)) as file:
        rate_hz = file.getframerate()
        sentence = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    first_s = int(np.argmax(np.abs(sentence) > 500)) / rate_hz
    room = noise(5 + len(sentence) / rate_hz, rate_hz, level=20)
    room[2 * rate_hz : 2 * rate_hz + len(sentence)] += sentence * 0.5
    return wav(folder / "room.wav", room, rate_hz), 2 + first_s
