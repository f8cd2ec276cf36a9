"""The caption on the screen: shows the page being heard, brightens its words, fades it out."""

import math
from collections.abc import Callable
from typing import Final, Protocol

from mien.core.bus import CaptionCue
from mien.face.overlay.caption_pages import Page
from mien.face.state import turn_of
from mien.render.base import ALL_HEARD, Overlay
from mien.text.typesetter import Image
from mien.units import NS_PER_MS

_FADE_IN_NS: Final = 140 * NS_PER_MS
_FADE_OUT_NS: Final = 320 * NS_PER_MS
_STAYS_NS: Final = 900 * NS_PER_MS  # after the turn, so that its last word can be read
_STAYS_CUT_NS: Final = 450 * NS_PER_MS
_AHEAD: Final = 0.7  # opacity of words not heard yet

Place = Callable[[Image], tuple[int, int]]


class Pages(Protocol):
    """Makes pages asynchronously."""

    def ask_page(self, cue: CaptionCue, turn_ms: float) -> None:
        """Request the page shown at turn_ms."""
        ...

    def take_page(self) -> Page | None:
        """The next finished page, if any."""
        ...


class Captions:
    """Stepped once a frame. An image is uploaded only when the page changes.

    After an interruption, words that were not heard vanish at once, and those that were stay for a moment.
    """

    def __init__(self, pages: Pages, overlay: Overlay, layer: int, place: Place) -> None:
        """place: returns the upper left corner for an image."""
        self._pages, self._overlay, self._layer, self._place = pages, overlay, layer, place
        self._page: Page | None = None
        self._next: Page | None = None
        self._asked: CaptionCue | None = None
        self._image: Image | None = None
        self._progress = 0.0
        self._ahead = _AHEAD
        self._shown_ns = 0
        self._leaves_ns: int | None = None

    def step(
        self, now_ns: int, cue: CaptionCue | None, turn_ms: float, epoch: int, coming: CaptionCue | None = None
    ) -> None:
        """cue: of the turn being heard, if any. turn_ms: the playhead in that turn when this frame is seen.

        epoch: the one in force, -1 without a voice. coming: the next turn's cue, whose first page is prepared ahead.
        """
        self._receive(cue or coming)
        if cue is None and coming is not None and (self._next is None or self._next.cue is not coming):
            self._ask(coming, 0.0)
        if cue is not None:
            self._follow(now_ns, cue, turn_ms)
        elif self._page is not None and self._leaves_ns is None:
            self._leave(now_ns, self._page, epoch)
        self._show(now_ns)

    def _receive(self, wanted: CaptionCue | None) -> None:
        while (page := self._pages.take_page()) is not None:
            if page.cue is self._asked:
                self._asked = None
            if wanted is not None and turn_of(page.cue) == turn_of(wanted):
                self._next = page

    def _follow(self, now_ns: int, cue: CaptionCue, turn_ms: float) -> None:
        following = self._next
        if following is not None and turn_of(following.cue) == turn_of(cue) and following.holds(turn_ms):
            self._next = None
            self._turn_to(now_ns, following)
        page = self._page
        if page is None or turn_of(page.cue) != turn_of(cue):
            self._ask(cue, turn_ms)
            if page is not None and self._leaves_ns is None:
                self._leaves_ns = now_ns
            return
        self._progress = max(self._progress, page.progress(turn_ms))
        if page.cue is not cue or not page.holds(turn_ms):
            self._ask(cue, turn_ms)
        elif page.until_ms < math.inf and (self._next is None or self._next.cue is not cue):
            self._ask(cue, page.until_ms)

    def _ask(self, cue: CaptionCue, turn_ms: float) -> None:
        if self._asked is not cue:
            self._asked = cue
            self._pages.ask_page(cue, turn_ms)

    def _turn_to(self, now_ns: int, page: Page) -> None:
        if self._image is None or self._leaves_ns is not None:
            self._shown_ns = now_ns
        if self._page is None or turn_of(self._page.cue) != turn_of(page.cue) or page.image is not self._image:
            self._progress = 0.0
        if page.image is not self._image:
            self._image = page.image
            if page.image is not None:
                self._overlay.load(self._layer, page.image)
        self._page = page
        self._ahead = _AHEAD
        self._leaves_ns = None

    def _leave(self, now_ns: int, page: Page, epoch: int) -> None:
        if epoch == page.cue.epoch:
            self._progress, stays_ns = ALL_HEARD, _STAYS_NS
        else:
            self._ahead, stays_ns = 0.0, _STAYS_CUT_NS
        self._leaves_ns = now_ns + stays_ns

    def _show(self, now_ns: int) -> None:
        opacity = min(1.0, (now_ns - self._shown_ns) / _FADE_IN_NS)
        if self._leaves_ns is not None:
            opacity = min(opacity, 1.0 - (now_ns - self._leaves_ns) / _FADE_OUT_NS)
            if opacity <= 0.0:
                self._page = self._image = self._leaves_ns = None
        if self._image is None:
            self._overlay.hide(self._layer)
        else:
            corner = self._place(self._image)  # buttons below it may have come or gone
            self._overlay.place(self._layer, *corner, opacity, self._progress, self._ahead)
