"""Text of a recording as guidance for its lips."""

from pathlib import Path
from typing import Final

import msgspec

from mien.client.phones import TimedPhones, phones_of_text, phones_of_words
from mien.errors import MienError
from mien.motion.guidance import GuideReport, SpokenWord

FORM: Final = '[["Hi", 0, 180], ["there", 200, 540]] or {"phones": [["h", 0, 60], ["aɪ", 60, 180]]}, times in ms'
_MOST_BYTES: Final = 4 << 20

_Timed = tuple[str, int, int]


class _Phones(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    phones: list[_Timed]


def read_guidance(text: str, words: Path | None, language: str) -> list[SpokenWord]:
    """What is said, from a text or a file of timed words or phones. Raises MienError, OSError."""
    if words is None:
        return spoken(phones_of_text(text, language))
    if words.stat().st_size > _MOST_BYTES:
        raise MienError(f"{words}: is larger than {_MOST_BYTES >> 20} MB")
    try:
        found = msgspec.json.decode(words.read_bytes(), type=list[_Timed] | _Phones)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MienError(f"{words}: {error}; expected {FORM}") from None
    if isinstance(found, _Phones):
        return spoken([TimedPhones(*phone) for phone in found.phones])
    return spoken(phones_of_words(found, language))


def spoken(words: list[TimedPhones]) -> list[SpokenWord]:
    """The same words as a motion engine takes them."""
    return [
        SpokenWord(
            tuple(word.phones.split()),
            None if word.start_ms is None else word.start_ms / 1000,
            None if word.end_ms is None else word.end_ms / 1000,
        )
        for word in words
    ]


def explained(report: GuideReport) -> list[str]:
    """What became of a text, for people."""
    ignored = {
        "with a phone that is no IPA": report.unknown,
        "beyond the most of a turn": report.dropped,
    }
    share = report.trusted / max(1, report.frames)
    return [
        f"{report.words} words",
        *(f"{count} words {why}: ignored" for why, count in ignored.items() if count),
        *([f"{report.untimed} words with times that go back: their times are ignored"] if report.untimed else []),
        f"the text decided the lips in {share:.0%} of the frames, the sound alone in the others",
    ]
