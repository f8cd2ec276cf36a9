"""Word errors of a speech recogniser on what the ear passes, against what the microphone captured."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.bench.ear_recogniser import REMEDY, is_there, recognise
from mien.bench.ear_rooms import Room, loudspeaker, noise, rms, through
from mien.bench.ear_scene import hear
from mien.bench.ear_voices import CUSTOMER, RATE_HZ, Signal, speak, synthetic
from mien.bench.rows import Row

ALONE: Final = "near end alone: word errors"
DOUBLE: Final = "double talk, 0 to 10 dB over the echo: word errors"
LEAD_S, TAIL_S = 1.0, 0.5
LEARNS_S: Final = 6.0
ECHO_DB: Final = -36.0
QUIET_DB: Final = -70.0
NOISE_DB: Final = -56.0
BAR_POINTS: Final = 1.0
_WORD: Final = re.compile(r"[a-z']+")


@dataclass(slots=True)
class Errors:
    """wrong: words that were left out, added or taken for others, of `words`."""

    wrong: int = 0
    words: int = 0

    def add(self, said: str, recognised: str) -> None:
        """Count those of one sentence."""
        wanted = words(said)
        self.wrong += distance(wanted, words(recognised))
        self.words += len(wanted)

    @property
    def percent(self) -> float:
        """Of the words that were said."""
        return 100 * self.wrong / max(1, self.words)


def words(text: str) -> list[str]:
    """In lower case, without punctuation."""
    return _WORD.findall(text.lower().replace("’", "'"))


def distance(wanted: Sequence[str], found: Sequence[str]) -> int:
    """The least number of words to remove, insert or replace (V. Levenshtein, 1966)."""
    row = list(range(len(found) + 1))
    for number, word in enumerate(wanted, start=1):
        before, row[0] = row[0], number
        for at, other in enumerate(found, start=1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


def word_rows(
    places: Sequence[Room], kiosk: Sequence[Signal], quick: bool, progress: Callable[[str], None]
) -> list[Row]:
    """Raises MienError: the recogniser failed. Without one, the rows say how to get it."""
    if not is_there():
        return [Row(name=name, value=None, unit="%", note=REMEDY) for name in (ALONE, DOUBLE)]
    voices = synthetic()[:: 4 if quick else 1]
    sentences = [(text, voice) for voice in voices for text in CUSTOMER]
    progress(f"word errors: {len(sentences)} sentences alone")
    alone = _errors([_alone(places[at % len(places)], *said, at) for at, said in enumerate(sentences)], sentences)
    progress(f"word errors: {len(sentences)} sentences over the kiosk")
    double = _errors(
        [_double(places[at % len(places)], kiosk[at % len(kiosk)], *said, at) for at, said in enumerate(sentences)],
        sentences,
    )
    count = len(sentences)
    worse = alone[1].percent - alone[0].percent
    return [
        _row(f"{ALONE}, raw", alone[0].percent, count),
        _row(f"{ALONE}, cleaned", alone[1].percent, count),
        Row(name=f"{ALONE}, more when cleaned", value=round(worse, 1), unit="points", bar=BAR_POINTS, samples=count),
        _row(f"{DOUBLE}, raw", double[0].percent, count),
        _row(f"{DOUBLE}, cleaned", double[1].percent, count),
    ]


def _row(name: str, percent: float, samples: int) -> Row:
    return Row(name=name, value=round(percent, 1), unit="%", samples=samples)


def _errors(sounds: Sequence[tuple[Pcm, Pcm]], said: Sequence[tuple[str, str]]) -> tuple[Errors, Errors]:
    """Of raw and cleaned sounds."""
    found = Errors(), Errors()
    for kind, errors in enumerate(found):
        for (text, _), recognised in zip(said, recognise([pair[kind] for pair in sounds]), strict=True):
            errors.add(text, recognised)
    return found


def _alone(room: Room, text: str, voice: str, seed: int) -> tuple[Pcm, Pcm]:
    """The customer speaks in a quiet room. Returns what the microphone captured, and what the ear makes of it."""
    near = _captured(room, text, voice, LEAD_S, ECHO_DB + 10)
    near += noise(len(near), np.random.default_rng(seed)) * 10 ** (QUIET_DB / 20)
    heard = hear(near, np.zeros(len(near)))
    return heard.raw, heard.clean


def _double(room: Room, kiosk: Signal, text: str, voice: str, seed: int) -> tuple[Pcm, Pcm]:
    """The customer speaks over the kiosk, which speaks on."""
    random = np.random.default_rng(seed)
    near = _captured(room, text, voice, LEARNS_S, ECHO_DB + float(random.uniform(0, 10)))
    far = np.roll(np.resize(kiosk, len(near)), -int(random.integers(len(kiosk)))) * 0.9
    echo = through(loudspeaker(far, 0.5), room.echo)
    near += echo * (10 ** (ECHO_DB / 20) / rms(echo)) + noise(len(near), random) * 10 ** (NOISE_DB / 20)
    heard = hear(near, far)
    first = round((LEARNS_S - LEAD_S) * RATE_HZ)
    return heard.raw[first:], heard.clean[first:]


def _captured(room: Room, text: str, voice: str, lead_s: float, level_db: float) -> Signal:
    """The customer's sentence at the microphone, after a silence."""
    dry = np.concatenate((speak(text, voice), np.zeros(round(TAIL_S * RATE_HZ))))
    wet = through(dry, room.mouth)
    return np.concatenate((np.zeros(round(lead_s * RATE_HZ)), wet * (10 ** (level_db / 20) / rms(wet))))
