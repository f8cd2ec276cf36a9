"""Measures how late the labels of a source are relative to its sound: python -m training.timing SOURCE...

The level falls at a voiceless stop and rises at a following vowel: its mean slope around those boundaries peaks where
the sound changes. Printed in ms, positive when labels are late.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import corpus
from .corpus import Utterance
from .paths import RATE_HZ
from .phones import INDEX, SILENCE, classes
from .targets import TimedPhone

_HOP, _REACH = 32, 50  # 2 ms; 100 ms to each side
_STOPS = "ptk"
_ENOUGH = 60


def level(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """dB of 16 ms windows every 2 ms, the first centred on the first sample."""
    power = np.convolve((pcm / 32768.0) ** 2, np.hanning(256) / 128, "same")[::_HOP]
    return np.asarray(10 * np.log10(power + 1e-7))


def slopes(utterance: Utterance) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """The level changes around all vowel-to-stop and all stop-to-vowel boundaries."""
    change = np.gradient(level(utterance.pcm))
    falls, rises = [], []
    for (before, _, _), (after, start, _) in zip(utterance.phones, utterance.phones[1:], strict=False):
        at = round(start * RATE_HZ / _HOP)
        piece = change[max(0, at - _REACH) : at + _REACH + 1]
        if len(piece) != 2 * _REACH + 1:
            continue
        if _vowel(before) and after[:1] in _STOPS and after:
            falls.append(-piece)
        elif _vowel(after) and before[:1] in _STOPS and before:
            rises.append(piece)
    return falls, rises


def lateness_s(utterances: Sequence[Utterance]) -> float:
    """The lateness of the labels in s, a mean over falls and rises; 0 for too few boundaries."""
    pairs = [slopes(utterance) for utterance in utterances]
    sides = [[piece for pair in pairs for piece in pair[side]] for side in (0, 1)]
    if min(map(len, sides)) < _ENOUGH:
        return 0.0
    return float(np.mean([(_REACH - int(np.argmax(np.mean(side, axis=0)))) * _HOP / RATE_HZ for side in sides]))


def shifted(phones: Sequence[TimedPhone], by_s: float) -> list[TimedPhone]:
    """The phones shifted in time, none before the start."""
    moved = [(ipa, max(0.0, start + by_s), max(0.0, end + by_s)) for ipa, start, end in phones]
    return [(ipa, round(start, 4), round(end, 4)) for ipa, start, end in moved if end > start]


def centred(utterances: list[Utterance]) -> list[Utterance]:
    """The utterances of a source with their labels shifted to where the sound changes."""
    late_s = lateness_s(utterances)
    print(f"timing: labels {1000 * late_s:.0f} ms late, moved back", flush=True)
    return [replace(utterance, phones=shifted(utterance.phones, -late_s)) for utterance in utterances]


def _vowel(ipa: str) -> bool:
    kind = classes(ipa)[-1]
    return kind != SILENCE and kind >= INDEX["i"]


def main(sources: list[str]) -> None:
    """See the module."""
    for source in sources:
        by_speaker: dict[str, list[Utterance]] = {}
        for utterance in corpus.read(source):
            by_speaker.setdefault(utterance.speaker, []).append(utterance)
        for speaker, own in sorted(by_speaker.items(), key=lambda entry: -len(entry[1]))[:16]:
            pairs = [slopes(utterance) for utterance in own]
            falls, rises = ([piece for pair in pairs for piece in pair[side]] for side in (0, 1))
            if min(len(falls), len(rises)) < 20:
                continue
            late = [(_REACH - int(np.argmax(np.mean(side, axis=0)))) * 2 for side in (falls, rises)]
            print(f"{speaker}: falls {late[0]} ms late, rises {late[1]} ms late, {len(falls)} + {len(rises)}")


if __name__ == "__main__":
    main(sys.argv[1:])
