"""Which ARKit shapes a morph target stands for, whatever its exporter called it.

ARKit names in their usual spellings first; where a shape is missing, the Oculus visemes and the VRM expressions that
come nearest. A target for both eyes or both corners is split at the middle of the face.
"""

import re
from dataclasses import dataclass
from typing import Final

from mien.core.pose import ARKIT_SHAPES

_BY_KEY: Final = {name.lower(): name for name in ARKIT_SHAPES}


@dataclass(frozen=True, slots=True)
class Use:
    """A target goes into `shape` times `weight`; side: +1 only the avatar's left half, -1 its right, 0 both."""

    shape: str
    weight: float = 1.0
    side: int = 0


def _both(shape: str, weight: float = 1.0) -> tuple[Use, Use]:
    return Use(f"{shape}Left", weight, 1), Use(f"{shape}Right", weight, -1)


# Oculus Lipsync visemes (viseme_aa ..) and VRM 1.0 / 0.x expression presets, as the nearest single ARKit shape.
SUBSTITUTES: Final[dict[str, tuple[Use, ...]]] = {
    "viseme_aa": (Use("jawOpen"),),
    "viseme_pp": (Use("mouthRollLower", 0.5), Use("mouthRollUpper", 0.5)),
    "viseme_o": (Use("mouthFunnel"),),
    "viseme_u": (Use("mouthPucker"),),
    "viseme_e": _both("mouthStretch"),
    "viseme_i": _both("mouthDimple"),
    "viseme_ff": _both("mouthUpperUp", 0.6),
    "mouthopen": (Use("jawOpen"),),
    "jaw_open": (Use("jawOpen"),),
    "mouthsmile": _both("mouthSmile"),
    "aa": (Use("jawOpen"),),
    "a": (Use("jawOpen"),),
    "oh": (Use("mouthFunnel"),),
    "o": (Use("mouthFunnel"),),
    "ou": (Use("mouthPucker"),),
    "u": (Use("mouthPucker"),),
    "ee": _both("mouthStretch"),
    "e": _both("mouthStretch"),
    "ih": _both("mouthDimple"),
    "i": _both("mouthDimple"),
    "blink": _both("eyeBlink"),
    "blinkleft": (Use("eyeBlinkLeft"),),
    "blink_l": (Use("eyeBlinkLeft"),),
    "blinkright": (Use("eyeBlinkRight"),),
    "blink_r": (Use("eyeBlinkRight"),),
    "eyesclosed": _both("eyeBlink"),
    "happy": _both("mouthSmile"),
    "joy": _both("mouthSmile"),
    "fun": _both("mouthSmile"),
    "sad": _both("mouthFrown"),
    "sorrow": _both("mouthFrown"),
    "angry": _both("browDown"),
    "surprised": (Use("browInnerUp"),),
    "lookup": _both("eyeLookUp"),
    "lookdown": _both("eyeLookDown"),
}


def arkit_name(name: str) -> str | None:
    """The ARKit shape that a target's own name spells, or None.

    Reads eyeBlinkLeft, EyeBlink_L, eyeBlink_Left, blendShape1.eyeBlinkLeft, Face.M_F00_eyeBlinkLeft.
    """
    key = re.sub(r"[\s\-_]", "", re.split(r"[.:|]", name)[-1]).lower()
    for candidate in (key, re.sub(r"l$", "left", key), re.sub(r"r$", "right", key)):
        if candidate in _BY_KEY:
            return _BY_KEY[candidate]
    matches = [shape for known, shape in _BY_KEY.items() if key.endswith(known)]
    return max(matches, key=len) if matches else None


def uses(names: list[str], expressions: dict[str, list[tuple[str, float]]]) -> dict[str, list[tuple[str, float, int]]]:
    """Shape to its (target name, weight, side), for target `names` and VRM `expressions` (name to binds)."""
    found: dict[str, list[tuple[str, float, int]]] = {}
    for name in names:
        shape = arkit_name(name)
        if shape is not None:
            found.setdefault(shape, [(name, 1.0, 0)])
    for expression, binds in expressions.items():
        shape = arkit_name(expression)
        if shape is not None and shape not in found:
            found[shape] = [(target, weight, 0) for target, weight in binds]
    substitutes = {name.lower(): [(name, 1.0)] for name in names} | {k.lower(): v for k, v in expressions.items()}
    own = set(found)
    for key, options in SUBSTITUTES.items():
        for use in options if key in substitutes else ():
            if use.shape not in own and use.shape not in found:
                found[use.shape] = [(target, weight * use.weight, use.side) for target, weight in substitutes[key]]
    return found
