"""Sentences in a dozen languages: the dialogues of fillets-ng (GPL-2, Debian's fillets-ng-data)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .paths import ROOT

SCRIPTS = ROOT / "usr" / "share" / "games" / "fillets-ng" / "script"
LANGUAGES = ("bg", "cs", "de", "en", "es", "fr", "it", "nl", "pl", "ru", "sl", "sv")
_STRING = r'"((?:[^"\\]|\\.)*)"'
_ENTRY = re.compile(rf'dialogId\("([^"]+)",\s*"font_([^"]*)",\s*{_STRING}\)\s*(?:dialogStr\({_STRING}\))?')
_FISH = re.compile(r"[^-]+-([mv])-")  # "vit-m-krabi": the small fish


@dataclass(frozen=True, slots=True)
class Line:
    """A line of game dialogue. The colour of its subtitles identifies the speaker."""

    level: str
    name: str
    figure: str
    text: str

    @property
    def speaker(self) -> str:
        """The speaker of a line: the two fish are the same actors in all levels, all others are specific to a level."""
        own = _FISH.match(self.name)
        return own[1] if own else f"{self.level}-{self.figure}"


def entries(script: str, level: str) -> Iterator[Line]:
    """The dialogue of a level's Lua script, in the original language where a translation is missing."""
    for name, figure, original, translated in _ENTRY.findall(script):
        text = _plain(translated or original)
        if 3 < len(text) < 300:
            yield Line(level, name, figure, text)


def dialogues(language: str) -> list[Line]:
    """All lines of all levels that have the language."""
    paths = sorted(SCRIPTS.glob(f"*/dialogs_{language}.lua"))
    return [line for path in paths for line in entries(path.read_text("utf-8", "replace"), path.parent.name)]


@cache
def sentences(language: str) -> list[str]:
    """The distinct sentences of a language, in a fixed order."""
    return sorted({line.text for line in dialogues(language)})


def script_of(path: Path) -> str:
    """The level of a sound file."""
    return path.parent.parent.name


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace('\\"', '"').replace("\\n", " ")).strip()
