"""The phones of a turn as a text or a TTS engine gives them, for an engine that aligns them to the sound."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from mien.motion.phone_classes import INDEX, SILENCE, classes, is_phone

MOST_PHONES: Final = 32  # of a word; a longer one is divided
MOST_WORDS: Final = 4_000  # of a turn; half an hour of fast speech

SOFT: Final = len(INDEX)  # Spanish β: the lips may meet or not. Beyond the classes of the phone model.
_BETA: Final = "β"
_ABUT_S: Final = 0.03
_JOINED: Final = 8


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word or a single phone, as IPA. start_s, end_s: on the turn's own clock; None where they are unknown."""

    phones: tuple[str, ...]
    start_s: float | None = None
    end_s: float | None = None


@dataclass(slots=True)
class GuideReport:
    """What became of a turn's text. words: taken. unknown: ignored, because of a phone that is no IPA. untimed: whose
    times go back, and are ignored. dropped: beyond MOST_WORDS. frames: with text; trusted: where it decided the lips.
    """

    words: int = 0
    unknown: int = 0
    untimed: int = 0
    dropped: int = 0
    frames: int = 0
    trusted: int = 0


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word as phone classes. times: (earliest start, latest end) in s of each; empty where they are unknown."""

    classes: tuple[int, ...]
    times: tuple[tuple[float, float], ...] = ()


def to_align(words: Sequence[SpokenWord], report: GuideReport) -> list[AlignedWord]:
    """Words as the aligner takes them: without pauses, long ones divided, single timed phones joined."""
    made: list[AlignedWord] = []
    end_s: float | None = None
    for word in words:
        if not all(is_phone(phone) or not classes_heard(phone) for phone in word.phones):
            report.unknown += 1
            end_s = None
            continue
        report.words += 1
        sound = _in_order(word)
        report.untimed += not sound
        found = _classes(word if sound else SpokenWord(word.phones))
        if not found.classes:
            end_s = None
            continue
        single = len(word.phones) == 1 and bool(found.times)
        abuts = single and end_s is not None and abs((word.start_s or 0.0) - end_s) <= _ABUT_S
        if abuts and len(made[-1].classes) < _JOINED:
            made[-1] = AlignedWord(made[-1].classes + found.classes, made[-1].times + found.times)
        else:
            made += _divided(found)
        end_s = word.end_s if single else None
    return made


def classes_heard(phone: str) -> bool:
    """Whether a phone is more than a pause."""
    return classes(phone) != (SILENCE,)


def _in_order(word: SpokenWord) -> bool:
    if word.start_s is None or word.end_s is None:
        return word.start_s is word.end_s
    return 0 <= word.start_s <= word.end_s


def _classes(word: SpokenWord) -> AlignedWord:
    kinds = [SOFT if phone.startswith(_BETA) else kind for phone in word.phones for kind in _kinds(phone)]
    found = tuple(kind for kind in kinds if kind != SILENCE)
    if word.start_s is None or word.end_s is None:
        return AlignedWord(found)
    return AlignedWord(found, ((word.start_s, word.end_s),) * len(found))


def _kinds(phone: str) -> tuple[int, ...]:
    return classes(phone)[:1] if phone.startswith(_BETA) else classes(phone)


def _divided(word: AlignedWord) -> list[AlignedWord]:
    cuts = range(0, len(word.classes), MOST_PHONES)
    return [replace(word, classes=word.classes[at : at + MOST_PHONES], times=word.times[at : at + MOST_PHONES])
            for at in cuts]  # fmt: skip
