"""What the face says about a person who listens or speaks through it from elsewhere, in each language."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mien.core.bus import AttendSign
from mien.text.clean import clean


class _Words(NamedTuple):
    someone: str
    listening: str
    speaking: str
    both: str


_WORDS: Final = {
    "en": _Words("A colleague", "is listening", "is speaking", "is listening and speaking"),
    "de": _Words("Jemand aus dem Team", "hört zu", "spricht", "hört zu und spricht"),
    "es": _Words("Alguien del equipo", "escucha", "habla", "escucha y habla"),
}
LANGUAGES: Final = tuple(_WORDS)
MOST_OF_A_NAME: Final = 24  # characters: the line must not hide the face


def attend_text(sign: AttendSign, languages: Sequence[str]) -> str:
    """One sentence in each language, a line each; "" while nobody attends. languages: of LANGUAGES."""
    if not (sign.listening or sign.speaking):
        return ""
    return "\n".join(dict.fromkeys(_sentence(sign, _WORDS[language]) for language in languages))


def _sentence(sign: AttendSign, words: _Words) -> str:
    name = " ".join(clean(sign.name).split())
    if len(name) > MOST_OF_A_NAME:
        name = f"{name[: MOST_OF_A_NAME - 1].rstrip()}…"
    does = words.both if sign.listening and sign.speaking else words.listening if sign.listening else words.speaking
    return f"{name or words.someone} {does}"
