"""One place on the screen for a sign: what is shown there, fading between signs."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.overlay.drift import drift
from mien.render.base import Overlay
from mien.units import NS_PER_MS

Corner = tuple[int, int]

FADE_NS: Final = 400 * NS_PER_MS


class SignFade:
    """Shows one sign of a layer at a time. A sign fades out before another, or the same elsewhere, fades in.

    shown: the name of the sign that is visible at all, "" for none. An image is drawn when it is first needed.
    """

    def __init__(
        self,
        layer: int,
        draw: Callable[[str], NDArray[np.uint8]],
        *,
        after_ns: Mapping[str, int],
        strength: float,
        fade_ns: int = FADE_NS,
    ) -> None:
        """draw: a sign's overlay image. after_ns: how long each must be wanted first. strength: its full opacity."""
        self._layer, self._draw = layer, draw
        self._after_ns, self._strength, self._fade_ns = after_ns, strength, fade_ns
        self._wanted = self.shown = ""
        self._corner: Corner = (0, 0)
        self._since_ns = self._last_ns = 0
        self._begun_ns = -1
        self._level = 0.0

    def step(self, now_ns: int, wanted: str, corner: Corner, open_overlay: Callable[[], Overlay]) -> None:
        """wanted: the sign that applies now, "" for none. corner: where its upper left belongs.

        open_overlay: called when there is something to show.
        """
        if self._begun_ns < 0:
            self._begun_ns = now_ns
        if wanted != self._wanted:
            self._wanted, self._since_ns = wanted, now_ns
        due = wanted if wanted and now_ns - self._since_ns >= self._after_ns[wanted] else ""
        step, self._last_ns = min(1.0, max(0, now_ns - self._last_ns) / self._fade_ns), now_ns
        if due != self.shown or (due and corner != self._corner):
            self._level = max(0.0, self._level - step)
            if not self._level:
                self._turn_to(due, corner, open_overlay())
                self._level = step if due else 0.0
        elif due:
            self._level = min(1.0, self._level + step)
        if self.shown:
            right, down = drift(now_ns - self._begun_ns)
            left, top = self._corner[0] - right, self._corner[1] + down  # signs stand at the right
            open_overlay().place(self._layer, left, top, self._strength * self._level)

    def _turn_to(self, sign: str, corner: Corner, overlay: Overlay) -> None:
        if sign and sign != self.shown:
            overlay.load(self._layer, self._draw(sign))
        elif not sign:
            overlay.hide(self._layer)
        self.shown, self._corner = sign, corner
