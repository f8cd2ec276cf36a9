"""Speech with phone times by espeak-ng, through its C API.

Source: espeak-ng's speak_lib.h. Phone events carry the IPA name and the audio position in ms.
"""

import ctypes
import random
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from . import corpus
from .corpus import Utterance
from .paths import RATE_HZ
from .targets import TimedPhone
from .texts import sentences

_SYNCHRONOUS, _PHONEME_EVENTS, _PHONEME_IPA, _EVENT_PHONEME, _UTF8 = 2, 1, 2, 7, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_IPA = 2

# espeak-ng voice -> language of the text. A Finnish voice on Italian text widens the range of phones.
VOICES = {
    "en-us": "en", "en-gb-x-rp": "en", "en-gb-scotland": "en", "de": "de", "fr": "fr", "it": "it", "nl": "nl",
    "pl": "pl", "ru": "ru", "cs": "cs", "sv": "sv", "bg": "bg", "sl": "sl", "pt-br": "it", "ro": "it", "fi": "it",
    "hu": "pl", "tr": "de", "id": "it", "da": "sv", "el": "en", "sw": "it", "vi": "it", "hr": "sl", "ca": "fr",
    "eo": "it",
}  # fmt: skip
VARIANTS = ("", "+f1", "+f2", "+f3", "+f4", "+f5", "+m1", "+m2", "+m3", "+m4", "+m6", "+m7", "+anika", "+belinda",
            "+steph", "+linda", "+Annie", "+Andy", "+john", "+max", "+adam", "+Michael")  # fmt: skip


_LATE_S = 0.012
_CLOSURE_S = {"p": 0.04, "t": 0.04, "k": 0.04, "c": 0.04, "q": 0.04, "b": 0.02, "d": 0.02, "ɡ": 0.02, "ɟ": 0.02}


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_id", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_ms", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    ]  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The espeak-ng engine of this process. Raises OSError when libespeak-ng is not installed."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._pcm: list[NDArray[np.int16]] = []
        self._starts: list[tuple[str, float]] = []
        self._callback = _Callback(self._receive)
        self.rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _PHONEME_IPA)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def speak(
        self, text: str, voice: str, *, rate_wpm: int = 170, pitch: int = 50, pitch_range: int = 50
    ) -> tuple[NDArray[np.int16], list[TimedPhone]]:
        """Text -> int16 PCM at 16 kHz and its timed phones."""
        self._pcm, self._starts = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        for parameter, value in ((_RATE, rate_wpm), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        pcm = np.concatenate(self._pcm) if self._pcm else np.zeros(0, dtype=np.int16)
        ends = [start for _, start in self._starts[1:]] + [len(pcm) / self.rate_hz]
        phones = [(ipa, start, end) for (ipa, start), end in zip(self._starts, ends, strict=True) if end > start]
        return soxr.resample(pcm, self.rate_hz, RATE_HZ), _on_time(phones)

    def transcribe(self, text: str, voice: str) -> list[list[str]]:
        """Text -> words of IPA phones, stress marks included, without speaking."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        pointer = ctypes.c_char_p(text.encode())
        clauses = []
        while pointer.value is not None:
            clauses.append(self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, _IPA | ord("_") << 8))
        words = " ".join(clause.decode() for clause in clauses if clause).split()
        return [word.split("_") for word in words]

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._pcm.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].type != 0:
            if events[index].type == _EVENT_PHONEME:
                ipa = events[index].id.string.decode("utf-8", "replace")
                self._starts.append(("" if ipa.startswith("_") else ipa, events[index].audio_ms / 1000))
            index += 1
        return 0


def _on_time(phones: list[TimedPhone]) -> list[TimedPhone]:
    """espeak-ng's events, shifted to where the sound changes.

    Measured on the energy around 5000 events: all are 12 ms late, and a stop's event is at its burst, 40 ms after the
    lips closed (20 ms for a voiced stop).
    """
    starts = [max(0.0, start - _LATE_S - _CLOSURE_S.get(ipa[:1], 0.0)) for ipa, start, _ in phones]
    starts = [max(own, before) for own, before in zip(starts, [0.0, *starts], strict=False)]
    ends = [*starts[1:], phones[-1][2] if phones else 0.0]
    return [(ipa, start, end) for (ipa, _, _), start, end in zip(phones, starts, ends, strict=True) if end > start]


def generate(minutes: float, seed: int = 1) -> None:
    """Write the source "espeak": speech that cycles through voices, with random variants, rates and pitches."""
    engine, draw = Espeak(), random.Random(seed)
    made: list[Utterance] = []
    seconds, said = 0.0, 0
    texts = {language: sentences(language) for language in sorted(set(VOICES.values()))}
    while seconds < minutes * 60:
        voice = sorted(VOICES)[said % len(VOICES)]
        text, variant = draw.choice(texts[VOICES[voice]]), draw.choice(VARIANTS)
        pcm, phones = engine.speak(
            text, voice + variant, rate_wpm=draw.randint(120, 215), pitch=draw.randint(20, 80),
            pitch_range=draw.randint(20, 80),
        )  # fmt: skip
        said += 1
        if len(phones) < 4 or len(pcm) > 16 * RATE_HZ:
            continue
        made.append(Utterance("espeak", f"espeak-{voice}{variant}", voice, f"{said}", pcm, phones))
        seconds += len(pcm) / RATE_HZ
        if said % 400 == 0:
            print(f"espeak: {seconds / 60:.0f} of {minutes:.0f} min", flush=True)
    corpus.write("espeak", made)


if __name__ == "__main__":
    generate(150)
