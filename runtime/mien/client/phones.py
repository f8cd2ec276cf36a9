"""Phones of a text by espeak-ng, which runs as a process of its own.

espeak-ng is optional: without it there is no guidance, and speech goes on. Its licence, GPL-3, stays with its process.
"""

import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from mien.core.wire import Phones, PhoneWord
from mien.errors import MienError

PROGRAM: Final = "espeak-ng"
MOST_CHARACTERS: Final = 16_000
MOST_WORDS: Final = 4_000
TIMEOUT_S: Final = 5.0
_MOST_LETTERS: Final = 200  # of a word in phones: PhoneWord
_MESSAGE_BYTES: Final = 12_000  # of at most 16,384
_WORD_BYTES: Final = 16

_STRESS: Final = re.compile("[ˈˌ\u200d-]")
_SWITCH: Final = re.compile(r"\([a-z-]+\)")  # espeak-ng marks a foreign word's language
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*\Z")
# The scripts of languages that are not written in Latin letters, by the first word of Unicode's letter names.
_SCRIPTS: Final = {
    **dict.fromkeys(("ru", "uk", "bg", "be", "mk", "kk", "ky", "tt", "ba", "cv"), ("CYRILLIC",)),
    "sr": ("CYRILLIC", "LATIN"),
    "el": ("GREEK",),
    **dict.fromkeys(("ar", "fa", "ur", "sd", "ug"), ("ARABIC",)),
    "he": ("HEBREW",),
    **dict.fromkeys(("hi", "mr", "ne", "kok"), ("DEVANAGARI",)),
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
    **dict.fromkeys(("zh", "cmn", "yue", "hak"), ("CJK", "LATIN")),
    "ko": ("HANGUL",),
    "th": ("THAI",),
    "ka": ("GEORGIAN",),
    "hy": ("ARMENIAN",),
    "bn": ("BENGALI",),
    "as": ("BENGALI",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "kn": ("KANNADA",),
    "ml": ("MALAYALAM",),
    "gu": ("GUJARATI",),
    "pa": ("GURMUKHI",),
    "si": ("SINHALA",),
    "my": ("MYANMAR",),
    "am": ("ETHIOPIC",),
    "or": ("ORIYA",),
}


class PhonesError(MienError):
    """A text without phones: espeak-ng is missing or failed, or the text does not fit its language."""


class TimedPhones(NamedTuple):
    """IPA phones of a word, separated by spaces, and its times on the turn's own clock; None where unknown."""

    phones: str
    start_ms: int | None = None
    end_ms: int | None = None


def available() -> bool:
    """Whether espeak-ng is on the PATH."""
    return shutil.which(PROGRAM) is not None


def phones_of_text(text: str, language: str) -> list[TimedPhones]:
    """The words of a text, numbers and abbreviations spoken. language: as in en, en-US or pt-BR. Raises PhonesError."""
    _check(text, language)
    return [TimedPhones(word) for line in _run(text, language) for word in _words(line)]


def phones_of_words(words: Sequence[tuple[str, int, int]], language: str) -> list[TimedPhones]:
    """Words with start and end in ms, as in captions. Times that go back are left out. Raises PhonesError."""
    if len(words) > MOST_WORDS:
        raise PhonesError(f"{len(words)} words: at most {MOST_WORDS} a turn; begin another turn")
    spoken = [(re.sub(r"\s+", " ", text).strip(), start, end) for text, start, end in words]
    spoken = [word for word in spoken if word[0]]
    _check(" ".join(text for text, _, _ in spoken), language)
    # An empty line ends a clause, so each word is a line of phones of its own.
    lines = _run("\n\n".join(text for text, _, _ in spoken), language)
    if len(lines) != len(spoken):  # espeak-ng took a word for several clauses, or for none
        return [TimedPhones(word) for line in lines for word in _words(line)]
    made, latest = [], 0
    for line, (_, start, end) in zip(lines, spoken, strict=True):
        sound = latest <= start <= end
        latest = max(latest, start)
        made += [TimedPhones(word, start if sound else None, end if sound else None) for word in _words(line)]
    return made


def phone_messages(turn: str, words: Iterable[TimedPhones]) -> Iterator[Phones]:
    """The messages that carry words, each within the limits of a header."""
    part: list[PhoneWord] = []
    size = 0
    for word in words:
        told = PhoneWord(word.phones[:_MOST_LETTERS], word.start_ms, word.end_ms)
        part.append(told)
        size += len(told.phones.encode()) + _WORD_BYTES
        if size > _MESSAGE_BYTES:
            yield Phones(turn=turn, words=tuple(part))
            part, size = [], 0
    if part:
        yield Phones(turn=turn, words=tuple(part))


def _check(text: str, language: str) -> None:
    if not _LANGUAGE.match(language):
        raise PhonesError(f"{language!r} is no language; name it as in en, en-US or pt-BR")
    if len(text) > MOST_CHARACTERS:
        raise PhonesError(f"the text has {len(text)} characters: at most {MOST_CHARACTERS} a turn; begin another turn")
    expected = _SCRIPTS.get(_parts(language)[0], ("LATIN",))
    found = Counter(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())
    foreign = {script: count for script, count in found.items() if script not in expected}
    if 2 * sum(foreign.values()) > sum(found.values()):
        script = max(foreign, key=lambda name: foreign[name]).capitalize()
        raise PhonesError(f"the text is in {script} letters, which {language!r} is not written in; name its language")


def _run(text: str, language: str) -> list[str]:
    """Lines of phones. Raises PhonesError."""
    parts = _parts(language)
    for voice in dict.fromkeys(("-".join(parts), parts[0])):
        # "\0" would end the text; other control characters say nothing.
        said = "".join(" " if unicodedata.category(letter) == "Cc" and letter != "\n" else letter for letter in text)
        command = [PROGRAM, "-q", "--ipa", "--sep=_", "-v", voice, "--stdin"]
        try:
            done = subprocess.run(
                command, input=said.encode("utf-8", "replace"), capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except FileNotFoundError:
            raise PhonesError(f"{PROGRAM} is not installed: `apt-get install {PROGRAM}`") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PhonesError(f"{PROGRAM} gave no phones: {error}") from None
        if done.returncode == 0:
            lines = done.stdout.decode("utf-8", "replace").splitlines()
            return [line for line in lines if line.strip()]
    raise PhonesError(f"{PROGRAM} has no voice for {language!r}; `{PROGRAM} --voices` lists its languages")


def _words(line: str) -> list[str]:
    """A line of phones -> its words, phones separated by spaces."""
    words = [[_STRESS.sub("", phone) for phone in word.split("_")] for word in _SWITCH.sub("", line).split()]
    return [" ".join(filter(None, word)) for word in words if any(word)]


def _parts(language: str) -> list[str]:
    return language.lower().replace("_", "-").split("-")
