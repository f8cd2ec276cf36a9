"""The ARKit shapes that a file's morph targets stand for, by the names that common exporters use.

ARKit names in their usual spellings come first, then other names for the same shapes. A shape that is still missing is
substituted by the nearest viseme or expression. A target for both sides is split at the middle of the face.

Sources of the tables, whose keys are lower case without separators: Oculus Lipsync's 15 visemes; the presets of VRM 0.x
and 1.0; VRoid Studio's Fcl_ targets; Reallusion's CC3 and CC4 extended profiles; Ready Player Me; VRChat's unified
expressions; Mixamo; the Facial Action Coding System; MikuMikuDance.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from mien.core.pose import ARKIT_SHAPES

# From a shape to its (target, weight, side). side: +1 the avatar's left half only, -1 its right, 0 both.
Matches: TypeAlias = dict[str, list[tuple[str, float, int]]]
Expressions: TypeAlias = dict[str, list[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Use:
    """A target contributes to `shape` at `weight`. side: +1 the avatar's left half only, -1 its right, 0 both."""

    shape: str
    weight: float = 1.0
    side: int = 0


def _both(shape: str, weight: float = 1.0) -> tuple[Use, Use]:
    return Use(f"{shape}Left", weight, 1), Use(f"{shape}Right", weight, -1)


def _sides(key: str, shape: str) -> dict[str, str]:
    return {
        **{key.replace("*", side): f"{shape}Left" for side in ("l", "left")},
        **{key.replace("*", side): f"{shape}Right" for side in ("r", "right")},
    }


# Ekman's action units that name one ARKit shape for each side of the face.
_ACTION_UNITS: Final = {
    2: "browOuterUp", 4: "browDown", 5: "eyeWide", 6: "cheekSquint", 7: "eyeSquint", 9: "noseSneer",
    10: "mouthUpperUp", 12: "mouthSmile", 14: "mouthDimple", 15: "mouthFrown", 16: "mouthLowerDown",
    20: "mouthStretch", 24: "mouthPress", 43: "eyeBlink", 45: "eyeBlink",
}  # fmt: skip

# Other names for the same shape.
SYNONYMS: Final[dict[str, str]] = {
    **_sides("browdrop*", "browDown"),
    **_sides("browraiseouter*", "browOuterUp"),
    **_sides("cheekraise*", "cheekSquint"),
    **_sides("mouthdownlower*", "mouthLowerDown"),
    **_sides("mouthupupper*", "mouthUpperUp"),
    **_sides("eye*lookup", "eyeLookUp"),
    **_sides("eye*lookdown", "eyeLookDown"),
    **_sides("eyeclosed*", "eyeBlink"),
    **_sides("eyeclose*", "eyeBlink"),
    **_sides("eye*blink", "eyeBlink"),
    **_sides("eye*wide", "eyeWide"),
    **_sides("eye*squint", "eyeSquint"),
    **_sides("wink*", "eyeBlink"),
    **_sides("mouthcornerpull*", "mouthSmile"),
    **_sides("fcleyeclose*", "eyeBlink"),
    "eyellookl": "eyeLookOutLeft",
    "eyellookr": "eyeLookInLeft",
    "eyerlookl": "eyeLookInRight",
    "eyerlookr": "eyeLookOutRight",
    "mouthl": "mouthLeft",
    "mouthr": "mouthRight",
    "jawl": "jawLeft",
    "jawr": "jawRight",
    "lipfunnel": "mouthFunnel",
    "lippucker": "mouthPucker",
    "vopen": "jawOpen",
    # Mixamo's and Adobe Fuse's facial shapes.
    **_sides("browsdown*", "browDown"),
    **_sides("browsup*", "browOuterUp"),
    **_sides("smile*", "mouthSmile"),
    **_sides("frown*", "mouthFrown"),
    **_sides("squint*", "eyeSquint"),
    **_sides("eyeswide*", "eyeWide"),
    **_sides("nosescrunch*", "noseSneer"),
    **_sides("upperlipup*", "mouthUpperUp"),
    **_sides("lowerlipdown*", "mouthLowerDown"),
    "upperlipin": "mouthRollUpper",
    "lowerlipin": "mouthRollLower",
    # Blender artists' usual words.
    **_sides("browup*", "browOuterUp"),
    **_sides("eyesclosed*", "eyeBlink"),
    **_sides("eyesclose*", "eyeBlink"),
    **_sides("eyelidclosed*", "eyeBlink"),
    **_sides("eyelidclose*", "eyeBlink"),
    **_sides("lidclose*", "eyeBlink"),
    "jawdrop": "jawOpen",
    # Action units of the Facial Action Coding System, whole or for one side.
    **{key: value for unit, shape in _ACTION_UNITS.items() for key, value in _sides(f"au{unit}*", shape).items()},
}

# Targets that add up to one shape, from exporters that split it.
SPLIT: Final[dict[str, tuple[str, float]]] = {
    **{f"browinnerup{side}": ("browInnerUp", 1.0) for side in ("l", "r", "left", "right")},
    **{f"browraiseinner{side}": ("browInnerUp", 1.0) for side in ("l", "r", "left", "right")},
    **{f"cheekpuff{side}": ("cheekPuff", 1.0) for side in ("l", "r", "left", "right")},
    **{
        f"mouth{part}{which}{side}": (f"mouth{part.title()}", 1.0)
        for part in ("funnel", "pucker")
        for which in ("up", "down", "upper", "lower")
        for side in ("l", "r", "left", "right")
    },
    **{f"lipfunnel{w}{s}": ("mouthFunnel", 1.0) for w in ("upper", "lower") for s in ("left", "right")},
    **{f"lippucker{w}{s}": ("mouthPucker", 1.0) for w in ("upper", "lower") for s in ("left", "right")},
    **{f"mouthrollinupper{side}": ("mouthRollUpper", 1.0) for side in ("", "l", "r")},
    **{f"mouthrollinlower{side}": ("mouthRollLower", 1.0) for side in ("", "l", "r")},
    **{f"mouthnarrow{side}": ("mouthPucker", 1.0) for side in ("left", "right")},
}

# The nearest substitutes for missing shapes, in order of preference.
SUBSTITUTES: Final[tuple[tuple[str, tuple[Use, ...]], ...]] = (
    *(
        (key, (Use("jawOpen"),))
        for key in (
            "visemeaa",
            "mouthopen",
            "openmouth",
            "aa",
            "a",
            "ah",
            "fclmtha",
            "vrcvaa",
            "jawdown",
            "open",
            "ai",
            "vaa",
            "au26",
            "au27",
            "visemea",
            "visemeah",
            "fclmthlarge",
        )
    ),
    *((key, (Use("mouthFunnel"),)) for key in ("visemeo", "oh", "o", "fclmtho", "vrcvoh", "vtighto", "tighto", "au22")),
    *(
        (key, (Use("mouthPucker"),))
        for key in ("visemeu", "ou", "u", "fclmthu", "vrcvou", "vtight", "tight", "wq", "woo", "oo", "au18", "kiss")
    ),
    *((key, _both("mouthStretch")) for key in ("visemee", "ee", "e", "fclmthe", "vrcve", "vwide", "wide")),
    *((key, _both("mouthDimple")) for key in ("visemei", "ih", "i", "fclmthi", "vrcvih")),
    *(
        (key, _both("mouthPress"))
        for key in ("visemepp", "vrcvpp", "vexplosive", "pp", "mbp", "bmp", "explosive", "visemem", "fclmthclose")
    ),
    *(
        (key, (*_both("mouthUpperUp", 0.6), Use("mouthRollLower", 0.6)))
        for key in ("visemeff", "vrcvff", "vdentallip", "ff", "fv", "dentallip", "visemef")
    ),
    *((key, (Use("tongueOut", 0.6),)) for key in ("visemeth", "vrcvth", "th")),
    *((key, _both("mouthLowerDown", 0.7)) for key in ("visemess", "vrcvss", "ss", "lipopen")),
    *((key, (Use("mouthShrugUpper", 0.6),)) for key in ("visemech", "vrcvch", "ch", "affricate", "vaffricate")),
    *(
        (key, _both("eyeBlink"))
        for key in (
            "blink",
            "eyesclosed",
            "eyeblink",
            "eyesclose",
            "fcleyeclose",
            "vrcblink",
            "eyeclose",
            "blinkboth",
            "eyelidsclosed",
            "eyeclosed",
            "au43",
            "au45",
        )
    ),
    *((key, (Use("eyeBlinkLeft"),)) for key in ("blinkleft", "blinkl")),
    *((key, (Use("eyeBlinkRight"),)) for key in ("blinkright", "blinkr")),
    *(
        (key, _both("mouthSmile"))
        for key in ("mouthsmile", "smile", "au12", "fclmthfun", "fclmthjoy", "relaxed", "fun")
    ),
    *((key, _both("mouthSmile", 0.8)) for key in ("happy", "joy")),
    *((key, _both("mouthFrown")) for key in ("fclmthsorrow", "mouthfrown", "frown", "au15", "sad", "sorrow")),
    *((key, _both("browDown")) for key in ("fclbrwangry", "browdown", "browsdown", "frownbrow", "au4", "angry")),
    *(
        (key, (Use("browInnerUp"),))
        for key in ("au1", "fclbrwsurprised", "browsup", "browup", "eyebrowsup", "surprised", "fclbrwsorrow")
    ),
    *((key, _both("browOuterUp")) for key in ("au2", "fclbrwsurprised", "browsup", "browup", "eyebrowsup")),
    *((key, _both("eyeWide")) for key in ("fcleyesurprised", "eyeswide", "eyewide")),
    *((key, _both("eyeSquint")) for key in ("fcleyefun", "eyessquint", "eyesquint")),
    *((key, _both("cheekSquint")) for key in ("cheeksquint", "cheekraise")),
    *((key, _both("noseSneer")) for key in ("nosesneer", "nosewrinkle")),
    *((key, _both("eyeLookUp")) for key in ("lookup", "eyeslookup")),
    *((key, _both("eyeLookDown")) for key in ("lookdown", "eyeslookdown")),
    *((key, (Use("eyeLookOutLeft", 1, 1), Use("eyeLookInRight", 1, -1))) for key in ("lookleft", "eyeslookleft")),
    *((key, (Use("eyeLookInLeft", 1, 1), Use("eyeLookOutRight", 1, -1))) for key in ("lookright", "eyeslookright")),
)

_SUBSTITUTE_KEYS: Final = frozenset(key for key, _ in SUBSTITUTES)
# MikuMikuDance's Japanese names, for the tables' keys.
_JAPANESE: Final = {
    "あ": "a", "い": "i", "う": "u", "え": "e", "お": "o", "まばたき": "blink",
    "ウィンク": "winkl", "ウィンク右": "winkr", "にやり": "smile", "口角上げ": "smile",
    "口角下げ": "mouthfrown", "怒り": "browdown", "上": "browup", "困る": "fclbrwsorrow",
    "びっくり": "eyewide", "ん": "pp",
}  # fmt: skip
_BY_KEY: Final = {name.lower(): name for name in ARKIT_SHAPES}
_BY_LENGTH: Final = sorted(_BY_KEY, key=len, reverse=True)
# Many other names end in these, such as cornerMouthLeft, so they count only after a separator.
_TOO_SHORT_TO_END: Final = frozenset({"jawleft", "jawright", "mouthleft", "mouthright"})
_SIDES: Final = frozenset({"l", "r", "left", "right"})


def plain(name: str) -> str:
    """A name in lower case, without its object's name or separators: "Head.eye_Blink-L" is "eyeblinkl"."""
    tail = _tail(name)
    return _JAPANESE.get(tail) or re.sub(r"[^0-9a-z]", "", tail.lower())


def _tail(name: str) -> str:
    """A name without its object's: "Head.eyeBlink" is "eyeBlink". Blender's endings stay: "eye closed.L.001"."""
    parts = [part.strip() for part in re.split(r"[.:|]", name)]
    while len(parts) > 1 and (not parts[-1] or parts[-1].isdigit()):
        parts.pop()
    sided = len(parts) > 1 and parts[-1].lower() in _SIDES
    return f"{parts[-2]}_{parts[-1]}" if sided else parts[-1]


def _spellings(key: str) -> tuple[str, ...]:
    """A key, also with a trailing l or r spelled out as left or right."""
    sided = {"l": f"{key[:-1]}left", "r": f"{key[:-1]}right"}.get(key[-1:])
    return (key,) if sided is None else (key, sided)


def arkit_name(name: str) -> str | None:
    """The ARKit shape that a target's name spells, or None.

    Understands eyeBlinkLeft, EyeBlink_L, eye_blink_left, blendShape1.eyeBlinkLeft, head_eyeBlink_L.
    """
    key = plain(name)
    for spelling in _spellings(key):
        if spelling in _BY_KEY:
            return _BY_KEY[spelling]
    if key in SYNONYMS:
        return SYNONYMS[key]
    return _behind_prefix(name, key)


def _behind_prefix(name: str, key: str) -> str | None:
    """The shape that a name ends in, if a word starts there."""
    tail = _tail(name)
    kept = [at for at, character in enumerate(tail) if character.isascii() and character.isalnum()]
    for spelling in _spellings(key):
        for known in _BY_LENGTH:
            before = len(spelling) - len(known)
            if spelling.endswith(known) and 0 < before < len(kept):
                start = kept[before]
                apart = not tail[start - 1].isalnum()
                word = apart or tail[start].isupper() or tail[start - 1].isdigit()
                if apart or (word and known not in _TOO_SHORT_TO_END):
                    return _BY_KEY[known]
    return None


def candidates(names: list[str], expressions: Expressions) -> set[str]:
    """The morph targets that match() may use: those whose name, or whose expression's name, is in the tables."""
    bound = {target for name, binds in expressions.items() if _is_known(name) for target, _ in binds}
    return bound | {name for name in names if _is_known(name)}


def _is_known(name: str) -> bool:
    return arkit_name(name) is not None or plain(name) in SPLIT or plain(name) in _SUBSTITUTE_KEYS


def match(names: list[str], expressions: Expressions) -> Matches:
    """The shapes that the morph targets `names` and VRM `expressions` (from a name to its binds) provide."""
    found: Matches = {}
    # A target with ARKit's own name comes before another exporter's name for the same shape.
    for name in (*(name for name in names if _is_arkit(name)), *names):
        shape = arkit_name(name)
        if shape is not None:
            found.setdefault(shape, [(name, 1.0, 0)])
    for expression, binds in expressions.items():
        shape = arkit_name(expression)
        if shape is not None:
            found.setdefault(shape, [(target, weight, 0) for target, weight in binds])
    _add_split(names, found)
    _add_substitutes(names, expressions, found)
    return found


def _is_arkit(name: str) -> bool:
    return any(spelling in _BY_KEY for spelling in _spellings(plain(name)))


def _add_split(names: list[str], found: Matches) -> None:
    whole = set(found)
    for name in names:
        shape, weight = SPLIT.get(plain(name), ("", 0.0))
        if shape and shape not in whole:
            found.setdefault(shape, []).append((name, weight, 0))


def _add_substitutes(names: list[str], expressions: Expressions, found: Matches) -> None:
    known: Expressions = {plain(name): [(name, 1.0)] for name in reversed(names)}
    known |= {plain(name): binds for name, binds in expressions.items()}
    for key, uses in SUBSTITUTES:
        for use in uses if key in known else ():
            if use.shape not in found:
                found[use.shape] = [(target, weight * use.weight, use.side) for target, weight in known[key]]
