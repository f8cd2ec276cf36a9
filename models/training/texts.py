"""Sentences to speak: the dialogues of fillets-ng (GPL-2, Debian's fillets-ng-data), in a dozen languages."""

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
    """What is said in a game, and by which of a level's figures: the colour of its subtitles tells them apart."""

    level: str
    name: str
    figure: str
    text: str

    @property
    def speaker(self) -> str:
        """The two fish of the game's own levels are two actors; all other figures count for each level."""
        own = _FISH.match(self.name)
        return own[1] if own else f"{self.level}-{self.figure}"


def entries(script: str, level: str) -> Iterator[Line]:
    """The dialogues of one level's lua script; the original text where a line has no translation."""
    for name, figure, original, translated in _ENTRY.findall(script):
        text = _plain(translated or original)
        if 3 < len(text) < 300:
            yield Line(level, name, figure, text)


def dialogues(language: str) -> list[Line]:
    """Every line of every level that has the language."""
    paths = sorted(SCRIPTS.glob(f"*/dialogs_{language}.lua"))
    return [line for path in paths for line in entries(path.read_text("utf-8", "replace"), path.parent.name)]


@cache
def sentences(language: str) -> list[str]:
    """The distinct sentences of a language, in a fixed order."""
    return sorted({line.text for line in dialogues(language)})


def script_of(path: Path) -> str:
    """The level that a sound file belongs to."""
    return path.parent.parent.name


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace('\\"', '"').replace("\\n", " ")).strip()
