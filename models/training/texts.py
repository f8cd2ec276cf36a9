"""Sentences to speak: the dialogues of fillets-ng (GPL-2, Debian's fillets-ng-data), in a dozen languages."""

import re
from functools import cache
from pathlib import Path

from .paths import ROOT

SCRIPTS = ROOT / "usr" / "share" / "games" / "fillets-ng" / "script"
LANGUAGES = ("bg", "cs", "de", "en", "es", "fr", "it", "nl", "pl", "ru", "sl", "sv")
_STRING = r'"((?:[^"\\]|\\.)*)"'
_ENTRY = re.compile(rf'dialogId\("([^"]+)",[^"]*"[^"]*",\s*{_STRING}\)\s*(?:dialogStr\({_STRING}\))?')


def dialogues(language: str) -> dict[tuple[str, str], str]:
    """(level, dialogue id) -> the sentence, for every level that has the language."""
    found = {}
    for path in sorted(SCRIPTS.glob(f"*/dialogs_{language}.lua")):
        for name, original, translated in _ENTRY.findall(path.read_text("utf-8", "replace")):
            text = translated or original
            if 3 < len(text) < 300:
                found[path.parent.name, name] = _plain(text)
    return found


@cache
def sentences(language: str) -> list[str]:
    """The distinct sentences of a language, in a fixed order."""
    return sorted(set(dialogues(language).values()))


def script_of(path: Path) -> str:
    """The level that a sound file belongs to."""
    return path.parent.parent.name


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace('\\"', '"').replace("\\n", " ")).strip()
