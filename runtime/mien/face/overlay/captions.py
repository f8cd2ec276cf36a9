"""The caption that is shown: the page that is heard, its words bright as far as they are heard, and how it goes."""

import math
from collections.abc import Callable
from typing import Final, Protocol

from mien.core.bus import CaptionCue
from mien.face.overlay.cues import turn_of
from mien.face.overlay.pages import Page
from mien.render.base import ALL_HEARD, Overlay
from mien.text.typesetter import Picture
from mien.units import NS_PER_MS

_COMES_NS: Final = 140 * NS_PER_MS
_GOES_NS: Final = 320 * NS_PER_MS
_STAYS_NS: Final = 900 * NS_PER_MS  # after the turn: its last word has only just been said
_STAYS_CUT_NS: Final = 450 * NS_PER_MS
_AHEAD: Final = 0.7  # how bright words to come are

Place = Callable[[Picture], tuple[int, int]]


class Pages(Protocol):
    """Who makes pages, elsewhere and later."""

    def ask_page(self, cue: CaptionCue, turn_ms: float) -> None:
        """Make the page that is to be shown then."""
        ...

    def take_page(self) -> Page | None:
        """A page that was made."""
        ...


class Captions:
    """Stepped at every picture. A picture is uploaded when the page changes; otherwise a few numbers change.

    After an interruption what was not heard is taken away at once, and what was heard stays for a moment.
    """

    def __init__(self, pages: Pages, overlay: Overlay, layer: int, place: Place) -> None:
        """place: where a picture's upper left corner goes."""
        self._pages, self._overlay, self._layer, self._place = pages, overlay, layer, place
        self._page: Page | None = None
        self._next: Page | None = None
        self._asked: CaptionCue | None = None
        self._picture: Picture | None = None
        self._corner = (0, 0)
        self._progress = 0.0
        self._ahead = _AHEAD
        self._shown_ns = 0
        self._leaves_ns: int | None = None

    def step(
        self, now_ns: int, cue: CaptionCue | None, turn_ms: float, epoch: int, coming: CaptionCue | None = None
    ) -> None:
        """cue: of the turn that is heard, None while there is none; turn_ms: what is heard of it at this picture.

        epoch: the one in force, -1 without a voice. coming: of the turn that will be heard next, made ready meanwhile.
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
        if self._picture is None or self._leaves_ns is not None:
            self._shown_ns = now_ns
        if self._page is None or turn_of(self._page.cue) != turn_of(page.cue) or page.picture is not self._picture:
            self._progress = 0.0
        if page.picture is not self._picture:
            self._picture = page.picture
            if page.picture is not None:
                self._overlay.load(self._layer, page.picture)
                self._corner = self._place(page.picture)
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
        opacity = min(1.0, (now_ns - self._shown_ns) / _COMES_NS)
        if self._leaves_ns is not None:
            opacity = min(opacity, 1.0 - (now_ns - self._leaves_ns) / _GOES_NS)
            if opacity <= 0.0:
                self._page = self._picture = self._leaves_ns = None
        if self._picture is None:
            self._overlay.hide(self._layer)
        else:
            self._overlay.place(self._layer, *self._corner, opacity, self._progress, self._ahead)
