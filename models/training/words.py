"""Single words by many speakers, from games and educational programs in Debian.

- klettres-data: letters and syllables in some twenty languages, one volunteer each (GPL-2+); texts in its sounds.xml.
- ktuberling-data: names of facial features and other objects (GPL-2+); files are named after the spoken word.
- hedgewars-data: shouts in English by several actors (GFDL-1.3); file names are the sentences.

Finnish and Greek are skipped, because Finnish voices and a Greek volunteer are held out.
"""

import re
from collections.abc import Iterator

from .paths import ROOT
from .recording import Recording

_KLETTRES = ROOT / "usr/share/klettres"
_TUBERLING = ROOT / "usr/share/ktuberling/sounds"
_HEDGEHOGS = ROOT / "usr/share/games/hedgewars/Data/Sounds/voices"
_EACH = 150  # per speaker
# Languages with another name in espeak-ng. Low German is read as German.
_VOICES = {"en": "en-us", "en_GB": "en-gb-x-rp", "pt_BR": "pt-br", "nds": "de"}
_SOUND = re.compile(r'<sound\s+name\s*=\s*"([^"]+)"\s+file\s*=\s*"([^"]+)"')
_WORDED = ("da", "en", "es", "fr", "ga", "it", "nds", "nl", "pt", "ro", "sv")
_DANISH = {"ae": "æ", "oe": "ø", "aa": "å"}
_ENGLISH = ("British", "Classic", "Default", "HillBilly", "Mobster", "Pirate", "Russian", "Surfer")
SHOUTS = {
    "Amazing": "amazing", "Boring": "boring", "Brilliant": "brilliant", "Bugger": "bugger", "Byebye": "bye bye",
    "Comeonthen": "come on then", "Coward": "coward", "Cutitout": "cut it out", "Drat": "drat",
    "Enemydown": "enemy down", "Excellent": "excellent", "Fire": "fire", "Firstblood": "first blood",
    "Flawless": "flawless", "Flyaway": "fly away", "Gonnagetyou": "gonna get you", "Grenade": "grenade",
    "Hello": "hello", "Hurry": "hurry", "Illgetyou": "I'll get you", "Incoming": "incoming",
    "Justyouwait": "just you wait", "Kamikaze": "kamikaze", "Leavemealone": "leave me alone", "Melon": "melon",
    "Missed": "missed", "Nutter": "nutter", "Ohdear": "oh dear", "Oops": "oops", "Perfect": "perfect",
    "Reinforcements": "reinforcements", "Revenge": "revenge", "Runaway": "run away", "Sameteam": "same team",
    "Solong": "so long", "Stupid": "stupid", "Takecover": "take cover", "Thisoneismine": "this one is mine",
    "Traitor": "traitor", "Uh-oh": "uh oh", "Victory": "victory", "Watchit": "watch it", "Watchthis": "watch this",
    "Whatthe": "what the", "Yessir": "yes sir", "Youllregretthat": "you'll regret that",
}  # fmt: skip


def listed(table: str) -> Iterator[tuple[str, str]]:
    """KLettres' sounds.xml -> (text, file below its folder). Words become lower case: espeak-ng spells capitals."""
    for text, file in _SOUND.findall(table):
        yield (text if len(text) == 1 else text.lower()), file


def named(stem: str, language: str) -> str:
    """The word in the name of a KTuberling file: "egypt_oejenbryn" in Danish -> "øjenbryn"."""
    word = re.sub(r"[-\d]+", " ", stem.rpartition("_")[2]).strip()
    if language == "da":
        for written, letter in _DANISH.items():
            word = word.replace(written, letter)
    return word


def klettres() -> Iterator[Recording]:
    """Letters and syllables, from KLettres."""
    for table in sorted(_KLETTRES.glob("*/sounds.xml")):
        language = table.parent.name
        pairs = [(text, file) for text, file in listed(table.read_text("utf-8")) if (_KLETTRES / file).is_file()]
        for text, file in pairs[:: -(-len(pairs) // _EACH) or 1]:
            speaker, voice = f"klettres-{language}", _VOICES.get(language, language)
            yield Recording(speaker, voice, file, _KLETTRES / file, text)


def tuberling() -> Iterator[Recording]:
    """Names of objects, from KTuberling."""
    for language in _WORDED:
        paths = sorted(path for path in (_TUBERLING / language).iterdir() if path.suffix in (".ogg", ".wav"))
        for path in paths[:: -(-len(paths) // _EACH) or 1]:
            voice = _VOICES.get(language, language)
            yield Recording(f"tuberling-{language}", voice, path.name, path, named(path.stem, language))


def hedgehogs() -> Iterator[Recording]:
    """Shouts, from Hedgewars."""
    for actor in _ENGLISH:
        for path in sorted((_HEDGEHOGS / actor).glob("*.ogg")):
            if path.stem in SHOUTS:
                yield Recording(f"hedgehog-{actor}", "en-us", path.name, path, SHOUTS[path.stem])


def every(_: str) -> Iterator[Recording]:
    """The recordings of all three."""
    yield from klettres()
    yield from tuberling()
    yield from hedgehogs()
