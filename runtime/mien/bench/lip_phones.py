"""Phones as the lip measure sees them: what each asks of a mouth.

Phones come in ARPAbet or IPA; IPA is reduced to the nearest ARPAbet phone. The classes and heights are those of the
project's measure of lip-sync (../shared/speech/lipscore.py), so that figures can be compared.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRID_HZ: Final = 100
SILENCE: Final = "SIL"
BILABIAL: Final = ("P", "B", "M")
APPROXIMANT: Final = "BH"  # Spanish β: the lips may meet or not
LABIODENTAL: Final = ("F", "V")
ROUNDED: Final = ("UW", "UH", "OW", "W", "AO", "OY")
UNROUNDED: Final = ("IY", "IH", "EY", "EH", "AE", "AA", "AH", "AY")

REST, FV, ROUND, OPEN, SPREAD, FREE = range(6)  # FREE: nothing is asked of the lips, and nothing is scored
_MEMBERS: Final = {
    REST: (SILENCE, *BILABIAL),
    FV: LABIODENTAL,
    ROUND: ROUNDED,
    OPEN: ("AA", "AE", "AH", "AW", "AY", "EH"),
    SPREAD: ("IY", "IH", "EY", "S", "Z", "SH", "ZH", "CH", "JH", "T", "D", "N", "TH", "DH", "Y"),
}
CLASS_OF: Final = {phone: kind for kind, phones in _MEMBERS.items() for phone in phones}

# Height of the jaw by phone, 0..1.
_BY_HEIGHT: Final = {
    0.0: "SIL P B M",
    0.1: "BH F V S Z",
    0.15: "SH ZH CH JH W",
    0.2: "TH DH T D N R Y IY UW",
    0.25: "K G NG L",
    0.3: "HH ER IH UH",
    0.4: "EY",
    0.45: "OW OY",
    0.5: "AH EH",
    0.6: "AO",
    0.7: "AW AY AE",
    0.8: "AA",
}
JAW: Final = {phone: height for height, phones in _BY_HEIGHT.items() for phone in phones.split()}
# Openness of the vowels, by rank only.
_BY_OPENNESS: Final = {
    0.5: "IY UW",
    1.0: "IH UH",
    1.5: "EY ER",
    2.0: "AH EH OW OY",
    2.5: "AO",
    3.0: "AA AE AW AY",
}
OPENNESS: Final = {phone: rank for rank, phones in _BY_OPENNESS.items() for phone in phones.split()}

# First characters of an IPA phone, without marks -> ARPAbet. The first row that matches wins: diphthongs and affricates
# come before their first halves.
_IPA: Final = [
    (re.compile(pattern), phone)
    for pattern, phone in (
        *(("aɪ", "AY"), ("aʊ", "AW"), ("eɪ", "EY"), ("oʊ|əʊ", "OW"), ("ɔɪ", "OY")),
        *(("tʃ|tɕ", "CH"), ("dʒ|dʑ", "JH"), ("ts", "T"), ("dz", "D")),
        *(("β", "BH"), ("p", "P"), ("b", "B"), ("m", "M"), ("f", "F"), ("v", "V")),
        *(("ʃ|ɕ|ʂ", "SH"), ("ʒ|ʑ|ʐ", "ZH"), ("t|c", "T"), ("d|ɟ", "D"), ("n|ɲ", "N"), ("s", "S"), ("z", "Z")),
        *(("θ", "TH"), ("ð", "DH"), ("k", "K"), ("ɡ|g", "G"), ("ŋ", "NG"), ("h|x|χ|ɣ|ħ", "HH")),
        *(("l|ɫ|ʎ", "L"), ("r|ɹ|ɾ|ʁ|ʀ", "R"), ("j|ɥ", "Y"), ("w", "W"), ("u|ʉ", "UW"), ("ʊ|y|ʏ|ø", "UH")),
        *(("o|ɔ|ɒ|œ|ɵ", "OW"), ("a|ɑ|ɐ|æ", "AA"), ("ʌ|ə|ɜ", "AH"), ("ɛ", "EH"), ("e|ᵻ|ɪ|ɘ", "IH"), ("i|ɨ", "IY")),
    )
]
_MARKS: Final = re.compile("[ːˈˌʲʰ\u0329\u032a\u0303\u0361\\d]")
_BELL: Final = np.exp(-0.5 * (np.arange(-12, 13) / 4) ** 2)  # 40 ms: how fast a jaw moves


def arpabet(phone: str) -> str:
    """The ARPAbet phone nearest to one in ARPAbet or IPA. A name in capitals that is no phone counts as silence."""
    if phone in JAW:
        return phone
    bare = _MARKS.sub("", phone)
    if not bare:
        return SILENCE
    near = next((name for pattern, name in _IPA if pattern.match(bare)), None)
    return near or (SILENCE if bare.isupper() else "L")


def on_grid(phones: Sequence[tuple[str, float, float]], seconds: float) -> NDArray[np.str_]:
    """The phone of each 10 ms, str (frames,): silence where the alignment has none. phones: (phone, start_s, end_s)."""
    frames = int(seconds * GRID_HZ)
    track = np.full(frames, SILENCE, dtype="<U3")
    for phone, start_s, end_s in phones:
        track[max(0, round(start_s * GRID_HZ)) : max(0, min(frames, round(end_s * GRID_HZ)))] = arpabet(phone)
    return track


def classes(track: NDArray[np.str_]) -> NDArray[np.int_]:
    """The class of each frame, int (frames,)."""
    return np.array([CLASS_OF.get(str(phone), FREE) for phone in track], dtype=np.int_)


def jaw_curve(track: NDArray[np.str_]) -> NDArray[np.float64]:
    """The height of the jaw that the phones ask for, smoothed, float (frames,)."""
    if not len(track):
        return np.zeros(0)
    half = len(_BELL) // 2
    return np.convolve([JAW[str(phone)] for phone in track], _BELL / _BELL.sum(), "full")[half : half + len(track)]
