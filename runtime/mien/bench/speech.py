"""Test speech: short sentences by espeak-ng, trimmed of silence, mono int16 at 16 kHz."""

import io
import subprocess
import wave

import numpy as np
import soxr

from mien.errors import MienError
from mien.motion.base import Pcm

RATE_HZ = 16000
SENTENCES = (
    "Pepper makes people move.",
    "Five very fine voices.",
    "Who knew the moon was blue?",
    "Please mind the platform.",
    "Maybe both of them may come.",
    "Welcome, what may I do for you?",
    "Above all, be brave.",
    "My mum bought a map.",
    "You will find it on the left.",
    "Show me the way home.",
)


def utterances(count: int) -> list[Pcm]:
    """`count` utterances of one to three seconds, cycling through sentences, voices and paces."""
    voices, paces = ("en", "en-us+f3", "en+m3"), ("150", "175", "200")
    return [_speak(SENTENCES[i % len(SENTENCES)], voices[i % 3], paces[(i // 3) % 3]) for i in range(count)]


def _speak(text: str, voice: str, pace: str) -> Pcm:
    try:
        made = subprocess.run(["espeak-ng", "--stdout", "-v", voice, "-s", pace, text], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MienError(f"espeak-ng failed ({error}); install Debian's espeak-ng") from None
    with wave.open(io.BytesIO(made.stdout)) as source:
        pcm = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
        rate_hz = source.getframerate()
    spoken = soxr.resample(pcm.astype(np.float32) / 32768, rate_hz, RATE_HZ)
    loud = np.flatnonzero(np.abs(spoken) > 0.01)
    trimmed: Pcm = (np.clip(spoken[loud[0] : loud[-1]], -1, 1) * 32767).astype(np.int16)
    return trimmed
