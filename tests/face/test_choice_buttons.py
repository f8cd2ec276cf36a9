"""Buttons on a manual clock: what fingers, mouse and keys choose, once and no more, and what is drawn for it."""

import random
from itertools import pairwise

import pytest

from mien.config import parse_config
from mien.core import bus
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations
from mien.face.state import CueStore
from mien.render.base import Key, Pointer
from mien.render.headless import HeadlessRenderer

MS = 1_000_000
FIRST = 5  # the first button's layer
RING = FIRST + 6
SIX = tuple((f"c{n}", text) for n, text in enumerate(("One", "Two", "Three", "Four", "Five", "Six"), start=1))
WIDTH, HEIGHT = 720, 1280


class Rig:
    """A frame every 20 ms. reports: what the voice is told."""

    def __init__(self, width=WIDTH, height=HEIGHT, **choices):
        config = parse_config({"choices": choices}, "test")
        self.width, self.height = width, height
        self.renderer = HeadlessRenderer(width, height, ManualClock(0))
        self.overlay = self.renderer.overlay
        self.reports = []
        self.annotations = Annotations(config, self.renderer, CueStore(), Counters(), self.reports.append)
        self.buttons = self.annotations.buttons
        self.now_ms = 10_000
        self.number = 0
        self.choices = None
        self.qr = ""
        self.works = True

    def offer(self, items=SIX, *, again=False, wait_ms=600):
        self.number += 1
        qr = self.qr if items else ""
        self.choices = bus.Choices(epoch=1, number=self.number, items=tuple(items), again=again, qr=qr)
        self.play(wait_ms)

    def play(self, ms):
        for _ in range(max(1, ms // 20)):
            self.now_ms += 20
            anchor = bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="idle")
            self.annotations.step(self.now_ms * MS, anchor, 0, voice=None, motion_lost=False, choices=self.choices)
            if self.works and self.annotations.worker is not None:
                self.annotations.worker.do()

    def pointer(self, phase, at, *, by="touch", finger=0):
        x, y = at if isinstance(at, tuple) else self.box(at).middle
        self.buttons.take(Pointer(phase, x / self.width, y / self.height, by, finger), self.now_ms * MS)

    def tap(self, number, **fields):
        self.pointer("down", number, **fields)
        self.play(60)
        self.pointer("up", number, **fields)

    def key(self, name):
        self.buttons.take(Key(name), self.now_ms * MS)

    def box(self, number):
        return self.buttons.shown.buttons[number - 1].box

    @property
    def chosen(self):
        return [(report.id, report.by) for report in self.reports if isinstance(report, bus.ChoiceMade)]

    def inverted(self, number):
        """Whether a button is shown inverted: its image has a bright plate."""
        image = self.overlay.images[FIRST + number - 1]
        return image[image.shape[0] // 2, 3, 0] > 200

    def shown(self):
        return [layer - FIRST + 1 for layer in sorted(self.overlay.shown) if FIRST <= layer < RING]


def test_they_come_softly_are_told_and_go():
    rig = Rig()
    rig.play(200)
    assert rig.overlay.uploads == 0  # nothing shown, nothing drawn
    rig.offer(wait_ms=60)
    assert 0 < rig.overlay.shown[FIRST].opacity < 1
    rig.play(300)
    assert rig.shown() == [1, 2, 3, 4, 5, 6]
    assert rig.overlay.shown[FIRST].opacity == 1
    assert rig.reports == [bus.ChoicesShown(epoch=0, number=1)]
    rig.offer(())
    assert rig.shown() == []
    assert not rig.buttons.live


def test_while_nothing_changes_nothing_is_placed_or_loaded():
    rig = Rig()
    rig.offer()
    rig.overlay.stale = False
    uploads = rig.overlay.uploads
    rig.play(2000)
    assert not rig.overlay.stale
    assert rig.overlay.uploads == uploads


def test_a_touch_is_seen_at_once_and_chosen_when_the_finger_leaves():
    rig = Rig()
    rig.offer()
    rig.pointer("down", 3)
    rig.play(20)
    assert rig.inverted(3)
    assert rig.chosen == []
    rig.pointer("up", 3)
    assert rig.chosen == [("c3", "touch")]
    rig.play(3000)
    assert rig.inverted(3)  # until the client goes on
    rig.offer()
    assert not rig.inverted(3)


def test_a_finger_that_slides_off_has_not_chosen():
    rig = Rig()
    rig.offer()
    rig.pointer("down", 3)
    rig.play(20)
    rig.pointer("move", (10, 10))
    rig.play(20)
    assert not rig.inverted(3)
    rig.pointer("up", (10, 10))
    assert rig.chosen == []
    rig.pointer("down", 3)
    rig.pointer("move", (10, 10))
    rig.pointer("move", 3)  # and back
    rig.pointer("up", 3)
    assert rig.chosen == [("c3", "touch")]


def test_the_mouse_and_the_keys_choose_too():
    for act, expected in (
        (lambda rig: rig.tap(2, by="mouse"), ("c2", "mouse")),
        (lambda rig: rig.key("5"), ("c5", "key")),
        (lambda rig: [rig.key(name) for name in ("next", "next", "previous", "previous", "choose")], ("c6", "key")),
    ):
        rig = Rig()
        rig.offer()
        act(rig)
        assert rig.chosen == [expected]


def test_a_key_of_no_button_chooses_nothing():
    rig = Rig()
    rig.offer(SIX[:2])
    for name in ("3", "9", "0", "other"):
        rig.key(name)
    assert rig.chosen == []


def test_the_ring_comes_with_the_first_key_follows_the_focus_and_goes_with_a_touch():
    rig = Rig()
    rig.offer()
    assert RING not in rig.overlay.shown
    rig.key("choose")  # shows what it would choose, and chooses nothing
    rig.play(20)
    assert rig.chosen == []
    assert RING in rig.overlay.shown
    rig.key("next")
    rig.play(20)
    ring, box = rig.overlay.shown[RING], rig.box(2)
    assert ring.left < box.left
    assert ring.top < box.top
    rig.pointer("down", 4)
    rig.play(20)
    assert RING not in rig.overlay.shown


def test_where_people_have_keys_the_ring_is_there_from_the_start():
    rig = Rig(ring=True)
    rig.offer()
    assert RING in rig.overlay.shown
    rig.key("choose")
    assert rig.chosen == [("c1", "key")]


def test_a_storm_of_touches_chooses_once():
    rig = Rig()
    rig.offer()
    source = random.Random(1)
    for _ in range(2000):
        rig.pointer(source.choice(("down", "move", "up")), source.randint(1, 6), finger=source.randint(0, 9))
        if source.random() < 0.1:
            rig.play(20)
    assert len(rig.chosen) == 1
    assert sum(isinstance(report, bus.Touched) for report in rig.reports) <= 6


def test_a_stuck_key_and_a_storm_are_bounded_where_one_may_choose_again():
    rig = Rig()
    rig.offer(again=True)
    for _ in range(200):  # 4 s, with a key that bounces and fingers everywhere
        rig.key("1")
        rig.key("1")
        rig.tap(2)
    assert 4 <= len(rig.chosen) <= 4 * 16 + 1
    between = [report.at_ns for report in rig.reports if isinstance(report, bus.ChoiceMade)]
    assert min(b - a for a, b in pairwise(between)) >= 250 * MS


def test_one_that_may_be_chosen_again_only_flashes():
    rig = Rig()
    rig.offer(again=True)
    rig.tap(1)
    rig.play(20)
    assert rig.inverted(1)
    rig.play(400)
    assert not rig.inverted(1)
    rig.tap(1)
    assert rig.chosen == [("c1", "touch")] * 2


def test_a_resting_finger_does_not_block_the_kiosk_for_good():
    rig = Rig()
    rig.offer()
    rig.pointer("down", 1, finger=7)  # a wet spot
    rig.tap(2)
    assert rig.chosen == []
    rig.play(10_500)
    assert not rig.inverted(1)
    rig.tap(2)
    assert rig.chosen == [("c2", "touch")]


def test_buttons_that_change_under_a_finger_are_not_chosen_by_it():
    rig = Rig()
    rig.offer()
    rig.pointer("down", 1)
    rig.offer((("x", "Call the police"), ("y", "No")), wait_ms=40)
    rig.pointer("up", 1)
    rig.tap(1)
    assert rig.chosen == []
    rig.play(300)
    rig.tap(1)
    assert rig.chosen == [("x", "touch")]


def test_until_the_new_ones_are_drawn_the_old_ones_choose_nothing():
    rig = Rig()
    rig.offer()
    rig.works = False
    rig.offer(SIX[:2], wait_ms=1000)
    assert len(rig.shown()) == 6
    rig.tap(1)
    assert rig.chosen == []


def test_without_a_voice_there_are_none():
    rig = Rig()
    rig.offer()
    rig.choices = None
    rig.play(400)
    assert rig.shown() == []
    rig.key("1")
    assert rig.chosen == []


def test_a_replay_for_another_subscriber_changes_nothing():
    rig = Rig()
    rig.offer()
    rig.tap(1)
    rig.play(20)
    before = list(rig.reports)
    rig.choices = bus.Choices(epoch=1, number=rig.number, items=SIX)
    rig.play(200)
    assert rig.reports == before
    assert rig.inverted(1)


def test_the_eyes_turn_to_what_was_touched_and_back():
    rig = Rig(width=1280, height=720)
    rig.offer()
    assert rig.buttons.glance(rig.now_ms * MS) is None
    rig.pointer("down", 1)
    left = rig.buttons.glance(rig.now_ms * MS)
    rig.pointer("up", 1)
    rig.offer()
    rig.tap(6)
    right = rig.buttons.glance(rig.now_ms * MS)
    assert left[0] < -0.8 < 0.8 < right[0]
    assert right[1] < left[1]
    rig.play(1300)
    assert rig.buttons.glance(rig.now_ms * MS) is None


def test_a_touch_anywhere_says_that_somebody_is_there():
    rig = Rig()
    rig.pointer("down", (5, 5))
    rig.pointer("up", (5, 5))
    rig.pointer("down", (5, 5))
    assert rig.reports == [bus.Touched(epoch=0)]
    rig.play(1000)
    rig.key("other")
    assert len(rig.reports) == 2


def test_a_text_that_does_not_fit_is_wrapped_then_shortened_and_told():
    rig = Rig()
    long = "Admission for groups of ten or more people, school classes, and everybody who is accompanied by a dog"
    rig.offer((("short", "Hours"), ("wrapped", "Where can I find the toilets, please?"), ("long", long), ("x", "No")))
    assert rig.reports[-1].shortened == ("long",)
    heights = {name: button.box.height for name, button in zip("abcd", rig.buttons.shown.buttons, strict=True)}
    assert heights["c"] >= heights["a"]


@pytest.mark.parametrize("text", ["Öffnungszeiten", "مواعيد العمل", "営業時間", "เวลาทำการ", "  a   b ", "x" * 120])
def test_every_script_is_set(text):
    rig = Rig()
    rig.offer((("a", text),))
    assert rig.overlay.images[FIRST][..., 0].max() > 200
