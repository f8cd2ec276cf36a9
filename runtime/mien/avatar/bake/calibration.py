"""Gains that make the same pose look the same on every head.

A jaw at 0.8 is a scream on one head and a mumble on another, because nothing says how far jawOpen opens a mouth at 1.
The lip gap, the lids and the reach of the other shapes are measured on the mesh (`landmarks`) and compared with those
of the shipped avatars, for which the motion model is trained and the director's movements are tuned.
"""

from typing import Final

from mien.avatar.bake.landmarks import Face, lid_travel, lip_gap
from mien.avatar.bake.names import Matches

# The lip gap at jawOpen = 1 in heights from mouth to eyes.
LIP_GAP: Final = 0.30
# How far the skin moves at weight 1, in the same heights; sides share a gain.
REACH: Final[dict[str, float]] = {
    "mouthSmile": 0.16,
    "mouthFrown": 0.12,
    "mouthStretch": 0.13,
    "mouthPucker": 0.20,
    "mouthFunnel": 0.16,
    "mouthUpperUp": 0.075,
    "mouthLowerDown": 0.075,
    "mouthRollLower": 0.12,
    "browInnerUp": 0.11,
    "browOuterUp": 0.11,
    "browDown": 0.10,
}
LEAST_GAIN, MOST_GAIN = 0.4, 1.8
# Below this difference a file's own amount is kept: it is the taste of whoever made it.
TOLERANCE: Final = 0.2
# Lids are told from socket and cheek only roughly, so that a blink is only ever lengthened.
LEAST_LID_GAIN, MOST_LID_GAIN = 1.15, 1.6
# An own mouthClose that closes this share of the gap is taken for one that was made to cancel jawOpen.
CANCELS: Final = (0.5, 2.0)
BOTH: Final = ("Left", "Right")


def calibrate(face: Face, matches: Matches, made: dict[str, str]) -> dict[str, float]:
    """The factor for each shape, those near 1 left out. made: derived shapes with their sources, which follow them."""
    gains = _jaw(face, matches, made)
    for family, usual in REACH.items():
        shapes = [shape for shape in (family, *(f"{family}{side}" for side in BOTH)) if shape in matches]
        reaches = [face.reach(matches, shape) for shape in shapes]
        if reaches and max(reaches) > 0:
            gain = _kept(usual / (sum(reaches) / len(reaches)))
            gains |= {shape: gain for shape in shapes if gain != 1.0}
    gains |= _lids(face, matches)
    return gains


def _jaw(face: Face, matches: Matches, made: dict[str, str]) -> dict[str, float]:
    opens = lip_gap(face, matches, {"jawOpen": 1.0})
    if not opens > 0:
        return {}
    jaw = _kept(LIP_GAP / opens)
    gains = {} if jaw == 1.0 else {"jawOpen": jaw}
    if "mouthClose" not in matches:
        return gains
    closes = -lip_gap(face, matches, {"mouthClose": 1.0}) / opens
    # An own one as measured, so that equal weights of both shut the lips.
    cancels = "mouthClose" not in made and CANCELS[0] < closes < CANCELS[1]
    close = round(jaw / closes, 3) if cancels else jaw
    return gains if close == 1.0 else gains | {"mouthClose": close}


def _lids(face: Face, matches: Matches) -> dict[str, float]:
    meets = [lid_travel(face, matches, f"eyeBlink{side}") for side in BOTH]
    if min(meets) < LEAST_LID_GAIN:
        return {}
    gain = round(min(sum(meets) / len(meets), MOST_LID_GAIN), 2)
    return {f"eyeBlink{side}": gain for side in BOTH}


def _kept(gain: float) -> float:
    if abs(gain - 1.0) <= TOLERANCE:
        return 1.0
    return round(min(max(gain, LEAST_GAIN), MOST_GAIN), 3)
