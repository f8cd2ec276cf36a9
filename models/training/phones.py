"""Visible articulation by phone: one row of articulator targets for each class of IPA phone.

Heights of the jaw follow vowel height, and for consonants the jaw positions of Keating, Lindblom, Lubker and Kreiman,
"Variability in jaw height for segments in English and Swedish VCVs", J. Phonetics 22 (1994): sibilants highest, then
t d n, then k, with l and h free to follow their vowels. Lip rounding and protrusion: Abry and Boe, "Laws for lips",
Speech Communication 5 (1986). Which consonants constrain the lips, and which leave them to their neighbours: Cohen and
Massaro, "Modeling coarticulation in synthetic visual speech" (1993), whose dominance appears here as a weight.
"""

from dataclasses import dataclass

from mien.motion.phone_classes import INDEX, NAMES, SILENCE, classes

__all__ = ["ARTICULATORS", "INDEX", "PHONES", "SILENCE", "Phone", "classes", "from_arpabet", "from_festival"]

ARTICULATORS = ("jaw", "close", "bite", "pucker", "funnel", "spread", "upper", "lower", "tongue", "press")


@dataclass(frozen=True, slots=True)
class Phone:
    """Targets in 0..1. jaw_weight, lip_weight: dominance (0: follows its neighbours)."""

    name: str
    jaw: float
    jaw_weight: float = 1.0
    lip_weight: float = 1.0
    close: float = 0.0
    bite: float = 0.0
    pucker: float = 0.0
    funnel: float = 0.0
    spread: float = 0.0
    upper: float = 0.15
    lower: float = 0.2
    tongue: float = 0.0
    press: float = 0.0


PHONES = (
    Phone("silence", 0.0, close=1.0, upper=0.0, lower=0.0),
    Phone("p b", 0.02, close=1.0, upper=0.0, lower=0.0, press=1.0),
    Phone("m", 0.02, close=1.0, upper=0.0, lower=0.0, press=0.7),
    Phone("f v", 0.08, jaw_weight=2.0, bite=1.0, upper=0.25, lower=0.0, lip_weight=1.5),
    Phone("θ ð", 0.2, tongue=0.7, lip_weight=0.5),
    Phone("t d", 0.2, spread=0.15, tongue=0.15, lip_weight=0.35),
    Phone("n", 0.2, spread=0.1, tongue=0.2, lip_weight=0.35),
    Phone("s z", 0.1, spread=0.35, lower=0.3, lip_weight=0.6),
    Phone("ʃ ʒ", 0.15, funnel=0.3, pucker=0.2, upper=0.25, lower=0.35, lip_weight=0.8),
    Phone("k g", 0.26, jaw_weight=0.7, lip_weight=0.2),
    Phone("h x", 0.3, jaw_weight=0.6, lip_weight=0.15),
    Phone("l", 0.26, jaw_weight=0.8, tongue=0.35, lip_weight=0.3),
    Phone("r", 0.2, jaw_weight=0.8, funnel=0.12, pucker=0.1, lip_weight=0.5),
    Phone("j", 0.2, spread=0.4),
    Phone("w", 0.14, pucker=0.9, funnel=0.3, upper=0.05, lower=0.05, lip_weight=1.5),
    Phone("i", 0.22, spread=0.6, upper=0.2, lower=0.3),
    Phone("ɪ", 0.31, spread=0.4, upper=0.15, lower=0.25),
    Phone("e", 0.36, spread=0.45, upper=0.2, lower=0.3),
    Phone("ɛ", 0.56, spread=0.3, upper=0.2, lower=0.35),
    Phone("a", 0.8, spread=0.1, upper=0.2, lower=0.35),
    Phone("ə", 0.5, spread=0.1, lower=0.25),
    Phone("ɔ o", 0.52, pucker=0.55, funnel=0.55, upper=0.1, lower=0.15, lip_weight=1.3),
    Phone("u", 0.22, pucker=0.95, funnel=0.35, upper=0.05, lower=0.05, lip_weight=1.5),
    Phone("y ø", 0.3, pucker=0.8, funnel=0.3, upper=0.05, lower=0.1, lip_weight=1.5),
)
assert tuple(phone.name for phone in PHONES) == NAMES

_ARPABET = {
    "pau": "", "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b",
    "ch": "tʃ", "d": "d", "dh": "ð", "eh": "ɛ", "er": "ɝ", "ey": "eɪ", "f": "f", "g": "g", "hh": "h", "ih": "ɪ",
    "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p",
    "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z",
    "zh": "ʒ", "el": "l", "em": "m", "en": "n", "dx": "ɾ", "nx": "n", "hv": "h",
}  # fmt: skip


# Labels of festival's phone sets that are not IPA. Stress digits and Czech length marks are removed first.
_FESTIVAL = {
    "italian": {"E": "ɛ", "O": "ɔ", "S": "ʃ", "Z": "ʒ", "tS": "tʃ", "dZ": "dʒ", "J": "ɲ", "ng": "ŋ", "nf": "ɱ",
                "L": "ʎ"},
    "catalan": {"ax": "ə", "E": "ɛ", "O": "ɔ", "S": "ʃ", "Z": "ʒ", "J": "ɲ", "L": "ʎ", "rr": "r"},
    "czech": {"c": "ts", "c~": "tʃ", "ch": "x", "d~": "ɟ", "dz~": "dʒ", "h": "ɦ", "n*": "ŋ", "n~": "ɲ", "r~": "ʒ",
              "r~*": "ʃ", "s~": "ʃ", "t~": "c", "z~": "ʒ"},
    "finnish": {"@": "æ", "7": "ø", "&": "ə", "T": "θ", "D": "ð", "S": "ʃ", "Z": "ʒ", "N": "ŋ", "L": "ʎ"},
    "hindi": {"aa": "a", "a": "ə", "ih": "ɪ", "iy": "i", "uh": "ʊ", "uw": "u", "eh": "e", "ee": "e", "ay": "aɪ",
              "oh": "o", "oo": "o", "aw": "aʊ", "ch": "tʃ", "T": "ʈ", "D": "ɖ", "N": "ɳ", "th": "t", "dh": "d",
              "y": "j", "L": "ɭ", "R": "ɽ", "sh": "ʃ", "j": "dʒ", "ksh": "kʃ", "kh": "k", "gh": "g", "td": "t",
              "tth": "t", "ddh": "d", "bh": "b", "zh": "ʒ", "@": "ə"},
    "russian": {"ay": "ə", "ae": "e", "aa": "a", "ee": "e", "ii": "i", "oo": "o", "uu": "u", "ur": "u", "yy": "ɨ",
                "y": "ɨ", "c": "ts", "ch": "tɕ", "sch": "ɕ", "sh": "ʂ", "zh": "ʐ", "h": "x", "hh": "x"},
}  # fmt: skip
_PAUSES = frozenset({"#", "##", "_", "pau", "ssil", "SIL"})
_PLAIN = frozenset(
    [
        "a",
        "b",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
        "j",
        "k",
        "l",
        "m",
        "n",
        "o",
        "p",
        "r",
        "s",
        "t",
        "u",
        "v",
        "w",
        "x",
        "y",
        "z",
        "ts",
        "dz",
    ]
)


def from_festival(label: str, phoneset: str) -> str:
    """A label of one of festival's phone sets -> IPA ("" for a pause). Raises KeyError for an unknown label."""
    if label in _PAUSES:
        return ""
    if phoneset == "radio":
        return from_arpabet(label)
    bare = label.rstrip("1:") if label not in _FESTIVAL[phoneset] else label
    # The Russian set doubles a palatalised consonant.
    single = bare[:1] if phoneset == "russian" and len(bare) == 2 and bare[0] == bare[1] else bare
    for name in (bare, single):
        if name in _FESTIVAL[phoneset]:
            return _FESTIVAL[phoneset][name]
    if single in _PLAIN:
        return single
    raise KeyError(f"{phoneset}: no phone {label!r}")


def from_arpabet(phone: str) -> str:
    """An ARPAbet phone as printed by flite and festival -> IPA ("" for a pause)."""
    return _ARPABET[phone.lower().rstrip("012")]
