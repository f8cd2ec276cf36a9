"""Classes of phones that look or sound alike, by their IPA."""

import re
from typing import Final

NAMES: Final = (
    *("silence", "p b", "m", "f v", "θ ð", "t d", "n", "s z", "ʃ ʒ", "k g", "h x", "l", "r", "j", "w"),
    *("i", "ɪ", "e", "ɛ", "a", "ə", "ɔ o", "u", "y ø"),
)
INDEX: Final = {name: index for index, name in enumerate(NAMES)}
SILENCE: Final = INDEX["silence"]

# The first match wins, on IPA without stress, length and secondary articulation.
_IPA: Final = tuple(
    (re.compile(pattern), INDEX[name])
    for pattern, name in (
        *(("p|b|ɓ|ɸ", "p b"), ("m|ɱ", "m"), ("f|v|ʋ|β", "f v"), ("θ|ð", "θ ð")),
        *(("tʃ|dʒ|tɕ|dʑ|tʂ|dʐ|ʃ|ʒ|ɕ|ʑ|ʂ|ʐ", "ʃ ʒ"), ("ts|dz|s|z|ɬ", "s z")),
        *(("t|d|ʈ|ɖ|ɗ|c|ɟ", "t d"), ("n|ɲ|ɳ", "n"), ("k|g|ɡ|q|ɢ|ŋ|ɴ|ʔ", "k g")),
        *(("h|x|χ|ɣ|ħ|ɦ|ç|ʕ", "h x"), ("l|ɫ|ʎ|ɭ|ʟ", "l"), ("r|ɹ|ɾ|ʁ|ʀ|ɻ|ɽ", "r"), ("j|ʝ|ɥ", "j"), ("w|ʍ|ɰ", "w")),
        *(("iː?|ɨ", "i"), ("ɪ|ᵻ|ɘ", "ɪ"), ("e", "e"), ("ɛ", "ɛ"), ("a|ɑ|ɐ|æ|ɶ", "a"), ("ə|ʌ|ɜ|ɝ|ɚ|ɤ", "ə")),
        *(("ɔ|o|ɒ|ɵ", "ɔ o"), ("u|ʊ|ʉ|ɯ", "u"), ("y|ʏ|ø|œ", "y ø")),
    )
)
_MARKS: Final = re.compile("[ˈˌːˑʲʰʷˠˤʼ'̩̪̃͡ˑ̯̥̬̰̺̻̟̠̝̞̊ᵊ\\d\u200d-]")
_VOWELS: Final = frozenset("iɪᵻɨeɛæaɑɐɒɔoʊuʉɯyʏøœəʌɜɝɚɤɵɘ")


def classes(ipa: str) -> tuple[int, ...]:
    """The phone classes of an IPA symbol: two for a diphthong, else one. Unknown symbols count as ə."""
    bare = _MARKS.sub("", ipa)
    if not bare:
        return (SILENCE,)
    if len(bare) == 2 and bare[0] != bare[1] and _VOWELS.issuperset(bare):
        return (_class(bare[0]), _class(bare[1]))
    return (_class(bare),)


def is_phone(ipa: str) -> bool:
    """Whether this is a phone in IPA, marks allowed."""
    bare = _MARKS.sub("", ipa)
    return bool(bare) and all(_known(letter) for letter in (bare if len(bare) == 2 else bare[:1]))


def _class(bare: str) -> int:
    return next((index for pattern, index in _IPA if pattern.match(bare)), INDEX["ə"])


def _known(bare: str) -> bool:
    return any(pattern.match(bare) for pattern, _ in _IPA)
