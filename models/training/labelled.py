"""Recorded speech with phone labels: festvox-ru, one Russian man (permissive licence)."""

from pathlib import Path

from . import corpus
from .corpus import Utterance
from .human import decode
from .paths import RATE_HZ, ROOT
from .segments import read_segments

_RUSSIAN = ROOT / "usr/share/festival/voices/russian/msu_ru_nsh_clunits"
MINUTES = 40


def read(folder: Path = _RUSSIAN) -> list[Utterance]:
    """The first MINUTES of the voice, with their .lab files."""
    found, seconds = [], 0.0
    for path in sorted((folder / "lab").glob("*.lab")):
        if seconds > MINUTES * 60:
            break
        pcm = decode(folder / "wav" / f"{path.stem}.wav")
        phones = read_segments(path.read_text("latin-1"), "russian")
        found.append(Utterance("festvox-ru", "festvox-ru", "ru", path.stem, pcm, phones))
        seconds += len(pcm) / RATE_HZ
    return found


def generate(source: str) -> None:
    """Write the source."""
    corpus.write(source, read())


if __name__ == "__main__":
    generate("festvox-ru")
