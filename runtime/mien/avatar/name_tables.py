"""What exporters call the shapes of a face, where they do not use ARKit's names.

Keys are lower case without separators. Sources: Oculus Lipsync's 15 visemes; the presets of VRM 0.x and 1.0; VRoid
Studio's Fcl_ targets; Reallusion's CC3 and CC4 extended profiles; Ready Player Me; VRChat's unified expressions.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Use:
    """A target goes into `shape` times `weight`; side: +1 only the avatar's left half, -1 its right, 0 both."""

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


# One target is one shape, in another wording.
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
}

# Several targets add up to one shape: exporters that split what ARKit keeps whole.
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
}

# What comes nearest to a shape that is missing; the first that is there is taken. At most what it costs in looks.
SUBSTITUTES: Final[tuple[tuple[str, tuple[Use, ...]], ...]] = (
    *((key, (Use("jawOpen"),)) for key in ("visemeaa", "mouthopen", "aa", "a", "ah", "fclmtha", "vrcvaa", "jawdown")),
    *((key, (Use("mouthFunnel"),)) for key in ("visemeo", "oh", "o", "fclmtho", "vrcvoh", "vtighto")),
    *((key, (Use("mouthPucker"),)) for key in ("visemeu", "ou", "u", "fclmthu", "vrcvou", "vtight")),
    *((key, _both("mouthStretch")) for key in ("visemee", "ee", "e", "fclmthe", "vrcve", "vwide")),
    *((key, _both("mouthDimple")) for key in ("visemei", "ih", "i", "fclmthi", "vrcvih")),
    *((key, _both("mouthPress")) for key in ("visemepp", "vrcvpp", "vexplosive")),
    *((key, (*_both("mouthUpperUp", 0.6), Use("mouthRollLower", 0.6))) for key in ("visemeff", "vrcvff", "vdentallip")),
    *((key, (Use("tongueOut", 0.6),)) for key in ("visemeth", "vrcvth")),
    *((key, _both("mouthLowerDown", 0.7)) for key in ("visemess", "vrcvss")),
    *((key, (Use("mouthShrugUpper", 0.6),)) for key in ("visemech", "vrcvch")),
    *(
        (key, _both("eyeBlink"))
        for key in ("blink", "eyesclosed", "eyeblink", "eyesclose", "fcleyeclose", "vrcblink", "eyeclose", "blinkboth")
    ),
    *((key, (Use("eyeBlinkLeft"),)) for key in ("blinkleft", "blinkl")),
    *((key, (Use("eyeBlinkRight"),)) for key in ("blinkright", "blinkr")),
    *((key, _both("mouthSmile")) for key in ("mouthsmile", "smile", "fclmthfun", "fclmthjoy", "relaxed", "fun")),
    *((key, _both("mouthSmile", 0.8)) for key in ("happy", "joy")),
    *((key, _both("mouthFrown")) for key in ("fclmthsorrow", "mouthfrown", "sad", "sorrow")),
    *((key, _both("browDown")) for key in ("fclbrwangry", "browdown", "browsdown", "angry")),
    *((key, (Use("browInnerUp"),)) for key in ("fclbrwsurprised", "browsup", "browup", "surprised", "fclbrwsorrow")),
    *((key, _both("browOuterUp")) for key in ("fclbrwsurprised", "browsup", "browup")),
    *((key, _both("eyeWide")) for key in ("fcleyesurprised", "eyeswide", "eyewide")),
    *((key, _both("eyeSquint")) for key in ("fcleyefun", "eyessquint", "eyesquint")),
    *((key, _both("cheekSquint")) for key in ("cheeksquint", "cheekraise")),
    *((key, _both("noseSneer")) for key in ("nosesneer", "nosewrinkle")),
    *((key, _both("eyeLookUp")) for key in ("lookup", "eyeslookup")),
    *((key, _both("eyeLookDown")) for key in ("lookdown", "eyeslookdown")),
    *((key, (Use("eyeLookOutLeft", 1, 1), Use("eyeLookInRight", 1, -1))) for key in ("lookleft", "eyeslookleft")),
    *((key, (Use("eyeLookInLeft", 1, 1), Use("eyeLookOutRight", 1, -1))) for key in ("lookright", "eyeslookright")),
)
