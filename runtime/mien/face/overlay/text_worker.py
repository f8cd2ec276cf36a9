"""The text worker: a thread that renders text as images, because a page takes too long for the frame loop."""

import logging
import threading
import time
from collections import deque
from typing import Final, TypeVar

from mien.core.bus import CaptionCue, Choices
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.errors import TextError
from mien.face.overlay.button_grid import ButtonGrid
from mien.face.overlay.button_images import ButtonMaker, ButtonSet
from mien.face.overlay.caption_pages import Page, PageMaker
from mien.text.clean import clean
from mien.text.typesetter import Image, Style, Typesetter

log = logging.getLogger("mien.face")

_MOST_WAITING: Final = 4
_T = TypeVar("_T")
Asked = tuple[CaptionCue, float]


class TextWorker:
    """The frame loop requests text and later takes the result; a newer request replaces a pending one.

    Pango is only used on this thread. Without Pango nothing is made, and an error is logged.
    """

    def __init__(
        self,
        *,
        captions: Style | None,
        status: Style | None,
        counters: Counters,
        grid: ButtonGrid | None = None,
        numbers: bool = False,
        notes: Style | None = None,
    ) -> None:
        """captions, status, grid, notes: None disables each. numbers: on buttons. Call start(), or do() by hand."""
        self._styles = (captions, status)
        self._grid, self._numbers = grid, numbers
        self._note_style = notes
        self._counters = counters
        self._asked_page: Asked | None = None
        self._asked_line: str | None = None
        self._asked_buttons: Choices | None = None
        self._asked_note: str | None = None
        self._pages: deque[Page] = deque(maxlen=_MOST_WAITING)
        self._lines: deque[Image] = deque(maxlen=1)
        self._buttons: deque[ButtonSet] = deque(maxlen=1)
        self._notes: deque[tuple[str, Image]] = deque(maxlen=1)
        self._button_maker: ButtonMaker | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._maker: PageMaker | None = None
        self._liner: Typesetter | None = None
        self._opened = False
        self._failures = LogLimit(burst=1)
        self._thread = threading.Thread(target=self._run, name="text", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def ask_page(self, cue: CaptionCue, turn_ms: float) -> None:
        """Request the page shown at turn_ms, on the turn's clock."""
        self._asked_page = (cue, turn_ms)
        self._wake.set()

    def ask_line(self, text: str) -> None:
        """Request a status line."""
        self._asked_line = text
        self._wake.set()

    def ask_buttons(self, offer: Choices) -> None:
        """Request the images of buttons."""
        self._asked_buttons = offer
        self._wake.set()

    def ask_note(self, text: str) -> None:
        """Request a note: a short text beside a sign."""
        self._asked_note = text
        self._wake.set()

    def take_note(self) -> tuple[str, Image] | None:
        """The finished note with its text, if any."""
        return _taken(self._notes)

    def take_buttons(self) -> ButtonSet | None:
        """The finished buttons, if any."""
        return _taken(self._buttons)

    def take_page(self) -> Page | None:
        """The oldest finished page, if any."""
        return _taken(self._pages)

    def take_line(self) -> Image | None:
        """The finished status line, if any."""
        return _taken(self._lines)

    def do(self) -> None:
        """Serve the pending requests. On one thread only."""
        try:
            if not self._opened:
                self._open()
            if (page := self._asked_page) is not None:
                self._asked_page = None
                self._make_page(*page)
            if (line := self._asked_line) is not None:
                self._asked_line = None
                self._make_line(line)
            if (offer := self._asked_buttons) is not None:
                self._asked_buttons = None
                self._make_buttons(offer)
            if (note := self._asked_note) is not None:
                self._asked_note = None
                self._make_note(note)
        except TextError as error:
            self._counters.count("captions_off")
            log.error("captions, status line, buttons and notes are off: %s", error)
            self._maker = self._liner = self._grid = self._note_style = None

    def _open(self) -> None:
        """Load fonts ahead of time: the first text takes a hundred times longer."""
        self._opened = True
        captions, status = self._styles
        if captions is not None:
            self._maker = PageMaker(_warm(Typesetter(captions)))
        if status is not None:
            self._liner = _warm(Typesetter(status))

    def _make_page(self, cue: CaptionCue, turn_ms: float) -> None:
        if self._maker is not None:
            page = self._maker.make(cue, turn_ms)
            if len(self._pages) == _MOST_WAITING:
                self._counters.count("caption_pages_dropped")  # the oldest was not taken: nothing is being drawn
            self._pages.append(page)
            self._counters.count("caption_pages")

    def _make_line(self, line: str) -> None:
        if self._liner is not None:
            self._lines.append(self._liner.image(clean(line)))

    def _make_buttons(self, offer: Choices) -> None:
        if self._grid is None:
            return
        if self._button_maker is None:
            self._button_maker = ButtonMaker(self._grid, numbers=self._numbers)
        self._buttons.append(self._button_maker.make(offer))
        self._counters.count("buttons_made")

    def _make_note(self, note: str) -> None:
        if self._note_style is not None:
            self._notes.append((note, Typesetter(self._note_style).image(note)))

    def _run(self) -> None:
        self._wake.set()
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            try:
                self.do()
            except Exception:  # bad text from a client must cost no more than its own caption
                self._counters.count("captions_failed")
                if (line := self._failures.line("a caption cannot be rendered", time.monotonic_ns())) is not None:
                    log.exception("%s", line)


def _warm(typesetter: Typesetter) -> Typesetter:
    typesetter.image("Ag")
    return typesetter


def _taken(made: "deque[_T]") -> _T | None:
    try:
        return made.popleft()
    except IndexError:
        return None
