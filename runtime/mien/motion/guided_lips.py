"""Lets aligned text decide where lips close or teeth meet the lip; the sound keeps timing, jaw, effort."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import ARKIT_SHAPES, CHANNEL_INDEX, SHAPE_COUNT
from mien.motion.phone_chain import IS_BITTEN, IS_OTHER, IS_SHUT, IS_SILENT, NEAR_SHUT

# Trust in the alignment falls at once and rises slowly. Besides, the text must have fitted on average in the last half
# second: another text fits by accident now and then.
TRUST_AT_FIRST: Final = 0.9
TRUST_RISES: Final = 0.03  # a frame
FIT_AT_FIRST: Final = 0.8
_FIT_FOLLOWS: Final = 0.02  # a frame
_FITS: Final = (0.8, 0.3)
_TRUSTED: Final = (0.75, 0.3)  # middle and width of the ramp from none to full trust
_OPENS: Final = (0.6, 0.25)
_SHUTS: Final = (0.25, 0.25)
_BITES: Final = (0.5, 0.25)

Floats = NDArray[np.float32]


def _shapes(values: dict[str, float]) -> Floats:
    made = np.zeros(SHAPE_COUNT, dtype=np.float32)
    for name, value in values.items():
        found = [CHANNEL_INDEX[shape] for shape in ARKIT_SHAPES if shape in (name, f"{name}Left", f"{name}Right")]
        made[found] = value
    return made


_PARTED_LESS: Final = _shapes(
    {"mouthPress": 1, "mouthRollUpper": 1, "mouthShrugUpper": 1, "cheekPuff": 1, "mouthClose": 1}
)
_PARTED_LEAST: Final = _shapes({"mouthUpperUp": 0.08, "mouthLowerDown": 0.12})
_SHUT_LESS: Final = _shapes({"mouthUpperUp": 1, "mouthLowerDown": 1, "mouthFunnel": 1, "mouthRollLower": 0.7})
_SHUT_LEAST: Final = _shapes({"mouthPress": 0.25})
_BITTEN_LESS: Final = _shapes({"mouthLowerDown": 1, "mouthRollUpper": 1})
_BITTEN_LEAST: Final = _shapes({"mouthRollLower": 0.7})
_JAW, _CLOSE = CHANNEL_INDEX["jawOpen"], CHANNEL_INDEX["mouthClose"]


class GuidedLips:
    """Changes the poses of one turn."""

    def __init__(self) -> None:
        self._least = np.empty(SHAPE_COUNT, dtype=np.float32)
        self._less = np.empty(SHAPE_COUNT, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Discard the turn."""
        self.trust, self.fit = TRUST_AT_FIRST, FIT_AT_FIRST
        self.trusted_frames = self.frames = 0

    def apply(self, views: Floats, shapes: Floats, *, at_rest: bool = False) -> None:
        """views: the aligner's. shapes: float32 (52,), changed. at_rest: leave them as they are."""
        other, silent, shut, near, bitten = views.tolist()
        self.trust = min(1.0 - other, self.trust + TRUST_RISES)
        self.fit += _FIT_FOLLOWS * (1.0 - other - self.fit)
        trust = _ramp(self.trust, *_TRUSTED) * _ramp(self.fit, *_FITS)
        self.frames += 1
        if trust <= 0:
            return
        self.trusted_frames += 1
        if at_rest:
            return
        share = 1 / max(1e-3, 1.0 - other)
        opens = trust * _ramp(1 - (near + silent) * share, *_OPENS)
        shuts = trust * _ramp(shut * share, *_SHUTS)
        bites = max(0.0, trust * _ramp(bitten * share, *_BITES) - shuts)
        if opens > 0:
            self._change(shapes, opens, _PARTED_LESS, _PARTED_LEAST)
        if shuts > 0:
            shapes[_CLOSE] += shuts * (shapes[_JAW] - shapes[_CLOSE])
            self._change(shapes, shuts, _SHUT_LESS, _SHUT_LEAST)
        if bites > 0:
            self._change(shapes, bites, _BITTEN_LESS, _BITTEN_LEAST)

    def _change(self, shapes: Floats, by: float, less: Floats, least: Floats) -> None:
        np.multiply(less, -by, out=self._less)
        np.add(self._less, 1, out=self._less)
        np.multiply(shapes, self._less, out=shapes)
        np.multiply(least, by, out=self._least)
        np.maximum(shapes, self._least, out=shapes)


def _ramp(value: float, middle: float, width: float) -> float:
    return min(1.0, max(0.0, (value - middle) / width + 0.5))


assert (IS_OTHER, IS_SILENT, IS_SHUT, NEAR_SHUT, IS_BITTEN) == (0, 1, 2, 3, 4)
