"""Captions from the bus to the overlay, on a manual clock, with real fonts and a synchronous text worker."""

import time

import numpy as np
import pytest

from mien.config import parse_config
from mien.core import bus
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.errors import TextError
from mien.face.overlay import text_worker
from mien.face.overlay.annotations import Annotations, Layout
from mien.face.state import MAX_CUES, CueStore
from mien.render.base import ALL_HEARD
from mien.render.headless import HeadlessRenderer

MS = 1_000_000
CAPTION = 0
LONG = "The train to the airport leaves at a quarter past nine. Please do not be late, because the next leaves at ten."


class Rig:
    """Consecutive turns in media time, with a frame every 20 ms."""

    def __init__(self, **captions):
        self.config = parse_config({"captions": {"enabled": True, **captions}}, "test")
        self.renderer = HeadlessRenderer(720, 1280, ManualClock(0))
        self.overlay = self.renderer.overlay
        self.counters, self.cues = Counters(), CueStore()
        self.annotations = Annotations(self.config, self.renderer, self.cues, self.counters)
        self.now_ms, self.media_ms = 0, 0
        self.epoch, self.turn, self.phase = 1, "", "idle"
        self.works = True

    def cue(self, text, *, turn="t", start_ms=0, words=(), length_ms=0):
        self.cues.take(
            bus.CaptionCue(
                epoch=self.epoch, turn=turn, text=text, words=words, turn_start_ns=start_ms * MS, length_ms=length_ms
            )
        )

    def frame(self, *, runs=True):
        self.now_ms += 20
        if self.phase == "speaking" and runs:
            self.media_ms += 20
        anchor = (
            None
            if self.epoch < 0
            else bus.Anchor(epoch=self.epoch, media_ns=0, at_ns=0, until_ns=0, phase=self.phase, turn=self.turn)
        )
        self.annotations.step(self.now_ms * MS, anchor, self.media_ms * MS, voice=None, motion_lost=False)
        if self.works:
            self.annotations.worker.do()
        return self.shown

    def play(self, ms, **kwargs):
        return [self.frame(**kwargs) for _ in range(ms // 20)]

    def speak(self, turn="t"):
        self.turn, self.phase = turn, "speaking"

    def over(self):
        self.turn, self.phase = "", "idle"

    @property
    def shown(self):
        return self.overlay.shown.get(CAPTION)

    @property
    def typeset(self):
        return self.annotations.worker._maker._typesetter.typeset - 1  # the first one warmed the fonts


WORDS = (("Good", 200, 500), ("day", 600, 900), ("everyone", 1500, 2200))


@pytest.mark.parametrize(("at_ms", "progress"), [(100, 0), (400, 1), (550, 1), (800, 2), (1400, 2), (1700, 3)])
def test_progress_follows_the_word_times(at_ms, progress):
    rig = Rig()
    rig.cue("Good day, everyone", words=WORDS, length_ms=2500)
    rig.speak()
    rig.play(at_ms)
    assert rig.shown.progress == progress


def test_it_stands_still_while_media_time_does():
    rig = Rig()
    rig.cue("Good day, everyone", words=WORDS, length_ms=2500)
    rig.speak()
    rig.play(1000)
    before = rig.shown
    rig.phase = "stalled"
    assert set(rig.play(3000)) == {before}
    rig.phase = "paused"
    assert set(rig.play(3000)) == {before}


def test_a_page_is_set_and_uploaded_once():
    rig = Rig()
    rig.cue(LONG, length_ms=8000)
    rig.speak()
    rig.play(8000)
    pages = rig.overlay.uploads
    assert 2 <= pages <= 5
    assert rig.typeset == pages
    assert rig.counters["caption_pages"] == pages
    rig.play(5000)
    assert rig.typeset == pages


def test_pages_follow_each_other_without_a_gap_and_in_step():
    rig = Rig()
    rig.cue(LONG, length_ms=8000)
    rig.speak()
    placed = rig.play(8000)[3:]
    assert None not in placed
    assert all(later.opacity == 1.0 for later in placed[10:])
    starts = [index for index in range(1, len(placed)) if placed[index].progress < placed[index - 1].progress]
    assert len(starts) == rig.overlay.uploads - 1


def test_a_known_length_only_spreads_the_same_pages_anew():
    rig = Rig()
    rig.cue(LONG)
    rig.speak()
    rig.play(600)
    set_before, shown = rig.typeset, rig.shown
    rig.cue(LONG, length_ms=20_000)
    rig.play(200)
    assert rig.typeset == set_before
    assert rig.shown.progress >= shown.progress  # bright words stay bright


def test_text_that_is_added_does_not_move_what_is_shown():
    rig = Rig()
    rig.cue("One two three.")
    rig.speak()
    rig.play(400)
    rig.cue("One two three. Four five six.")
    rig.play(100)
    assert rig.shown.opacity == 1.0
    assert rig.shown.progress > 0
    for count in range(1, 60):
        rig.cue("One two three. Four five six." + " and more" * count)
        rig.frame()
    rig.play(400)
    assert rig.shown is not None


def test_at_the_turns_end_all_is_bright_stays_a_moment_and_fades():
    rig = Rig()
    rig.cue("Good day, everyone", words=WORDS, length_ms=2500)
    rig.speak()
    rig.play(1600)
    rig.over()
    rig.frame()
    assert rig.shown.progress == ALL_HEARD
    assert rig.play(800)[-1].opacity == 1.0
    fading = [placed.opacity for placed in rig.play(400) if placed]
    assert fading == sorted(fading, reverse=True)
    assert 0 < min(fading) < 0.2
    rig.play(200)
    assert rig.shown is None


def test_an_interrupt_takes_away_at_once_what_was_not_heard():
    rig = Rig()
    rig.cue("Good day, everyone", words=WORDS, length_ms=2500)
    rig.speak()
    rig.play(1000)
    assert rig.shown.ahead > 0.5
    rig.epoch, rig.media_ms = 2, 0
    rig.over()
    cut = rig.frame()
    assert (cut.ahead, cut.progress, cut.opacity) == (0.0, 2.0, 1.0)
    assert all(placed is None or placed.progress == 2.0 for placed in rig.play(2000))
    assert rig.shown is None


def test_the_next_turn_takes_the_place_of_the_last():
    rig = Rig()
    rig.cue("Good day, everyone", words=WORDS, length_ms=2500)
    rig.speak()
    rig.play(2500)
    before = rig.overlay.images[CAPTION]
    rig.cue("How are you?", turn="u", start_ms=2500, length_ms=1000)
    rig.speak("u")
    rig.play(60)
    assert rig.overlay.images[CAPTION] is not before
    assert rig.shown.ahead > 0.5
    assert rig.shown.progress < 3


def test_a_turn_without_a_caption_shows_none_of_the_one_before():
    rig = Rig()
    rig.cue("Good day, everyone", words=WORDS, length_ms=2500)
    rig.speak()
    rig.play(2500)
    rig.speak("silent")
    rig.play(2000)
    assert rig.shown is None


def test_a_takeover_shows_the_agents_words_even_under_the_same_name():
    rig = Rig()
    rig.cue("I am a machine and speak on and on", length_ms=4000)
    rig.speak()
    rig.play(1000)
    machine = rig.overlay.images[CAPTION]
    rig.epoch, rig.media_ms = 2, 0
    rig.cue("A person speaks now", length_ms=1500)
    rig.play(100)
    assert rig.overlay.images[CAPTION] is not machine
    assert rig.shown.progress < 2


def test_a_face_that_joins_in_mid_turn_shows_the_page_that_is_heard():
    rig = Rig()
    rig.cue(LONG, length_ms=8000)
    rig.speak()
    rig.play(6000)
    late = Rig()
    late.media_ms = 6000
    late.speak()
    late.cue(LONG, length_ms=8000)
    late.play(100)
    np.testing.assert_array_equal(late.overlay.images[CAPTION], rig.overlay.images[CAPTION])
    assert late.typeset <= 2


def test_without_a_voice_the_caption_goes():
    rig = Rig()
    rig.cue("Good day", length_ms=1000)
    rig.speak()
    rig.play(500)
    rig.epoch = -1
    rig.play(1500)
    assert rig.shown is None


def test_a_caption_that_is_taken_back_or_empty_shows_nothing_and_is_not_asked_for_again():
    rig = Rig()
    rig.cue("Good day", length_ms=5000)
    rig.speak()
    rig.play(200)
    rig.cue("", length_ms=5000)
    rig.play(100)
    assert rig.shown is None
    made = rig.counters["caption_pages"]
    rig.play(1000)
    assert rig.counters["caption_pages"] == made


def test_words_that_no_font_has_are_not_shown_but_symbols_are_left_out(caplog):
    rig = Rig()
    rig.cue("\U00012345\U00012346 cuneiform", length_ms=1000)
    rig.speak()
    rig.play(200)
    assert rig.shown is None
    assert "U+12345" in caplog.text
    rig.cue("Among many other letters this one \U00012345 is a box", turn="few", length_ms=1000)
    rig.speak("few")
    rig.play(200)
    assert rig.shown is not None
    rig.cue("Good \U0001fae8 day", turn="u", length_ms=1000)  # a pictograph of Unicode 15
    rig.media_ms = 0
    rig.speak("u")
    rig.play(200)
    assert rig.shown is not None


@pytest.mark.parametrize(
    "text", ["x" * 16000, "字" * 16000, "a\u0301\u0300" * 4000, "\u202e" * 99 + "abc", "<b>&amp;</b>\x00"]
)
def test_hostile_text_shows_lines_within_the_screen(text):
    rig = Rig(lines=3)
    rig.cue(text, length_ms=60_000)
    rig.speak()
    rig.play(2000)
    height, width = rig.overlay.images[CAPTION].shape[:2]
    style = Layout(720, 1280, lines=3).caption
    assert (width, height) <= style.largest
    assert rig.shown.left >= 0
    assert rig.shown.left + width <= 720
    assert rig.shown.top + height <= 1280


def test_the_first_page_is_ready_when_the_turn_begins():
    rig = Rig()
    rig.cue(LONG, length_ms=8000)
    assert set(rig.play(120)) == {None}
    assert rig.typeset == 1
    rig.speak()
    rig.works = False
    assert rig.play(40)[-1] is not None
    rig.works = True
    rig.play(1000)
    assert rig.typeset == 2  # and the page that follows


def test_a_slow_worker_delays_the_caption_and_nothing_else():
    rig = Rig()
    rig.works = False
    rig.cue("Good day", length_ms=1000)
    rig.speak()
    assert set(rig.play(400)) == {None}
    rig.works = True
    rig.play(200)
    assert rig.shown is not None


def test_without_pango_the_log_says_so_and_the_face_goes_on(monkeypatch, caplog):
    def absent(_):
        raise TextError("libpango-1.0.so.0 cannot be loaded; install Debian's libpangocairo-1.0-0")

    monkeypatch.setattr(text_worker, "Typesetter", absent)
    rig = Rig()
    rig.cue("Good day", length_ms=1000)
    rig.speak()
    assert set(rig.play(1000)) == {None}
    assert rig.counters["captions_off"] == 1
    assert caplog.text.count("libpangocairo-1.0-0") == 1


def test_the_bus_can_bring_any_number_of_cues():
    box = CueStore()
    for number in range(1000):
        box.take(bus.CaptionCue(epoch=1, turn=f"t{number}", text="x", turn_start_ns=number))
    assert len(box._cues) == MAX_CUES
    box.take(bus.CaptionCue(epoch=2, turn="t", text="x"))
    assert len(box._cues) == 1
    kept = box._cues
    box.take(bus.CaptionCue(epoch=2, turn="t", text="x"))
    assert box._cues is kept


def test_the_thread_works_and_ends():
    rig = Rig()
    rig.works = False
    rig.annotations.start()
    rig.cue("Good day", length_ms=1000)
    rig.speak()
    made = rig.annotations.worker
    deadline_s = time.monotonic() + 20
    while rig.shown is None and time.monotonic() < deadline_s:
        rig.frame(runs=False)
        time.sleep(0.005)
    rig.annotations.stop()
    assert not made._thread.is_alive()
    assert rig.shown is not None


@pytest.mark.parametrize("size", [(720, 1280), (1280, 720), (480, 854), (1920, 1080), (320, 240)])
def test_captions_lie_below_the_mouth_within_safe_margins(size):
    width, height = size
    layout = Layout(width, height)
    wide, high = layout.caption.largest
    left, top = layout.caption_corner(np.zeros((high, wide, 4), np.uint8))
    assert left >= 0.02 * width
    assert top > 0.7 * height  # the default avatar's mouth ends at 0.68 of a landscape's height, 0.64 of a portrait's
    assert top + high <= 0.96 * height
    assert layout.caption.font_px >= 0.039 * height if width > height else layout.caption.font_px > 0.045 * width


def test_captions_that_cannot_be_set_are_counted_and_written_once(monkeypatch, caplog):
    """A flood of bad captions must not flood the log."""

    def broken(_):
        raise ValueError("a bug")

    monkeypatch.setattr(text_worker.TextWorker, "do", broken)
    worker = text_worker.TextWorker(captions=None, status=None, counters=(counters := Counters()))
    worker.start()
    deadline_s = time.monotonic() + 20
    while counters["captions_failed"] < 50 and time.monotonic() < deadline_s:
        worker.ask_line("x")
        time.sleep(0.001)
    worker.stop()
    assert counters["captions_failed"] >= 50
    assert len([record for record in caplog.records if "cannot be rendered" in record.message]) == 1


def test_pages_that_nobody_takes_are_bounded_and_counted():
    counters = Counters()
    style = Layout(720, 1280).caption
    worker = text_worker.TextWorker(captions=style, status=None, counters=counters)
    for number in range(6):
        cue = bus.CaptionCue(epoch=1, turn=f"t{number}", text="hello")
        worker.ask_page(cue, 0.0)
        worker.do()
    assert counters["caption_pages"] == 6
    assert counters["caption_pages_dropped"] == 2
    taken = []
    while (page := worker.take_page()) is not None:
        taken.append(page.cue.turn)
    assert taken == ["t2", "t3", "t4", "t5"]
