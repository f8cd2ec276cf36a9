"""The benchmark of a visit: its finger, and how it divides the time."""

import time

from mien.bench.face_touch import BUTTONS, drawing_loop, press
from mien.bench.visit import STAGES, Touch
from mien.core import bus


def test_a_finger_that_leaves_a_button_has_chosen_it():
    reports = []
    with drawing_loop(reports.append) as renderer:
        touched_ns = press(renderer, 1, "down")
        for _ in range(500):
            if renderer.timed.inverted_ns >= touched_ns:
                break
            time.sleep(0.02)
        press(renderer, 1, "up")
        for _ in range(500):
            made = [one for one in map(bus.decode_from_face, list(reports)) if isinstance(one, bus.ChoiceMade)]
            if made:
                break
            time.sleep(0.02)
    assert [one.id for one in made] == [BUTTONS[1][0]]


def test_the_stages_are_the_whole():
    touch = Touch(lifted=10_000_000, chosen=20_000_000, asked=22_000_000, thought=25_000_000, sent=26_000_000)
    touch.heard = 90_000_000
    assert touch.stages_ms() == [10.0, 2.0, 3.0, 1.0, 64.0]
    assert len(touch.stages_ms()) == len(STAGES)
