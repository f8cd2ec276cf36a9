"""Recorded human speech in Debian with its text: telephone prompts, game dialogue, Tux Paint stamps.

- asterisk-core-sounds-{fr,it,ru}: one speaker each (CC-BY-SA-3.0; ru CC-BY-3.0). The English and Spanish prompts of
  that family are the test set: they are not fetched, read or tuned on.
- asterisk-prompt-it-menardi-wav: another speaker of the Italian prompts (CC-BY-SA-3.0-IT). The French ones of
  asterisk-prompt-fr-armelle do not match their texts: a network recognises a third of the phones (Italian: two thirds).
- fillets-ng-data-{cs,nl}: acted dialogue, many voices (GPL-2).
- stamps-*: descriptions of Tux Paint's stamps, read by volunteers in nine languages, one person each (GPL-2+).
Single words are in words.py. festvox-ru comes with labels: see labelled.py.
"""

import gzip
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from .paths import RATE_HZ, ROOT
from .recording import Recording
from .texts import dialogues
from .words import every

_SOUNDS = ROOT / "usr/share/asterisk/sounds"
_SPEAKERS = {"fr": "fr_CA_f_June", "it": "it_IT_m_Carlo", "ru": "ru_RU_f_IvrvoiceRU"}
_OTHERS = {"it": "it_IT_f_Menardi"}
_STAMPS = ROOT / "usr/share/tuxpaint/stamps"
_STAMPS_EACH = 520  # of about 900 per language: more voices help more than more of one voice
_LINES_EACH = 300  # of about 600 lines of each of the two fish


def recordings(source: str) -> Iterator[Recording]:
    """All recordings of a source that have a text, in a fixed order."""
    family, language = source.split("-")
    families = {"asterisk": _prompts, "prompts": _others, "fillets": _dialogues, "stamps": _stamps, "words": every}
    return families[family](language)


def decode(path: Path) -> NDArray[np.int16]:
    """A sound file of any format -> mono int16 PCM at 16 kHz."""
    if path.suffix == ".g722":
        command = ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(path), "-ar", str(RATE_HZ), "-f", "s16le", "-"]
        return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, dtype="<i2")
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    # The French volunteer is on the right channel only. Vorbis may exceed the 16-bit range.
    mono = soxr.resample(sound.mean(axis=1), rate_hz, RATE_HZ)
    return np.asarray(np.rint(mono * (32767 / np.abs(mono).max(initial=1.0))), dtype=np.int16)


def _prompts(language: str) -> Iterator[Recording]:
    folder = _SOUNDS / _SPEAKERS[language]
    yield from _listed(f"asterisk-{language}", language, folder, ".g722")


def _others(language: str) -> Iterator[Recording]:
    # Another person's prompts with the same names have the same texts. Alignment reveals exceptions.
    yield from _listed(f"prompts-{language}", language, _SOUNDS / _OTHERS[language], ".wav")


def _listed(speaker: str, language: str, folder: Path, suffix: str) -> Iterator[Recording]:
    table = ROOT / f"usr/share/doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz"
    for line in gzip.decompress(table.read_bytes()).decode("utf-8", "replace").splitlines():
        name, colon, text = line.partition(":")
        path = folder / f"{name.strip()}{suffix}"
        spoken = re.sub(r"\[.*?\]|\(.*?\)|<.*?>", "", text).strip()
        single = name.startswith(("letters/", "digits/", "phonetic/")) or len(spoken) < 4
        if colon and spoken and not line.startswith(";") and not single and path.is_file():
            yield Recording(speaker, language, name.strip(), path, spoken)


def _dialogues(language: str) -> Iterator[Recording]:
    sounds = ROOT / "usr/share/games/fillets-ng/sound"
    found: dict[str, list[Recording]] = {}
    for line in dialogues(language):
        path = sounds / line.level / language / f"{line.name}.ogg"
        if path.is_file():
            who = f"fillets-{language}-{line.speaker}"
            found.setdefault(who, []).append(Recording(who, language, f"{line.level}/{line.name}", path, line.text))
    for who in sorted(found):
        yield from random.Random(0).sample(found[who], min(_LINES_EACH, len(found[who])))


def _stamps(language: str) -> Iterator[Recording]:
    found = []
    for path in sorted(_STAMPS.rglob(f"*_desc_{language}.ogg")):
        text = _described(path.with_name(path.name.replace(f"_desc_{language}.ogg", ".txt")), language)
        # It is unknown how digits and brackets were read.
        if text and not re.search(r"[\d$(){}\[\]/]", text):
            name = str(path.relative_to(_STAMPS))
            found.append(Recording(f"stamps-{language}", language, name, path, text))
    yield from random.Random(0).sample(found, min(_STAMPS_EACH, len(found)))


def _described(path: Path, language: str) -> str:
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    own = (line.partition("=")[2] for line in lines if line.startswith(f"{language}.utf8="))
    return next(own, "").strip()
