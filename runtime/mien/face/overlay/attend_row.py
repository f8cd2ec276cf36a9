"""The row that tells of a person elsewhere: the sign at the right edge, its text beside it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mien.core.bus import AttendSign
from mien.face.overlay.attend_signs import AFTER_NS, FADE_NS, STRENGTH, attend_sign, draw_attend_sign
from mien.face.overlay.attend_text import attend_text
from mien.face.overlay.sign_fade import Corner, SignFade
from mien.render.base import Overlay
from mien.text.typesetter import Image

_GAP: Final = 0.2  # between the text and its sign, as a share of the sign


class AttendRow:
    """Stepped once a frame. The sign needs no font: it shows at once, its text when that has been set."""

    def __init__(
        self, layers: tuple[int, int], size_px: int, languages: Sequence[str], ask: Callable[[str], None]
    ) -> None:
        """layers: of sign and text. size_px: of the sign. ask(text): sets a text, which later comes by made()."""
        self._size_px, self._languages, self._ask = size_px, languages, ask
        self._sign = SignFade(
            layers[0],
            lambda name: draw_attend_sign(name, size_px),
            after_ns=AFTER_NS,
            strength=STRENGTH,
            fade_ns=FADE_NS,
        )
        self._note = SignFade(
            layers[1], lambda _: self._image, after_ns=defaultdict(int), strength=STRENGTH, fade_ns=FADE_NS
        )
        self._asked = self._set = ""
        self._image: Image = np.zeros((1, 1, 4), dtype=np.uint8)

    @property
    def shown(self) -> bool:
        """Whether the sign is visible at all."""
        return bool(self._sign.shown)

    def made(self, text: str, image: Image) -> None:
        """A text has been set."""
        self._set, self._image = text, image

    def step(
        self,
        now_ns: int,
        attend: AttendSign | None,
        corner: Corner,
        open_overlay: Callable[[], Overlay],
        room_from_px: int = 0,
    ) -> None:
        """attend: None without a voice. corner: the sign's upper left. open_overlay: called when there is something.

        room_from_px: where the room for the text begins; without enough of it the sign stands alone.
        """
        name = attend_sign(attend)
        text = attend_text(attend, self._languages) if attend is not None and name else ""
        if text != self._asked:
            self._asked = text
            if text and text != self._set:
                self._ask(text)
        self._sign.step(now_ns, name, corner, open_overlay)
        height, width = self._image.shape[:2]
        left = corner[0] - round(_GAP * self._size_px) - width
        ready = text if text == self._set and left >= room_from_px else ""
        self._note.step(now_ns, ready, (left, corner[1] + (self._size_px - height) // 2), open_overlay)
