"""The drawing loop keeps a dark screen dark, reports it correctly, and wakes it on presence. Headless."""

import threading
from datetime import datetime
from types import SimpleNamespace

import pytest

from mien.config import Config, ScreenConfig
from mien.core import bus
from mien.core.clock import ManualClock
from mien.face.draw_loop import DARK_STEP_NS, DrawLoop
from mien.face.health import Heartbeat
from mien.face.screen import ScreenMode
from mien.render.base import Key
from mien.units import NS_PER_MS, NS_PER_S
from rigs.face_rig import FaceRig


class Dark:
    """A draw loop with a screen that goes dark after ten seconds, stepped by hand."""

    def __init__(self, *, switches: bool = False, **screen: object) -> None:
        self.rig = FaceRig()
        self.rig.anchor()
        self.clock: ManualClock = self.rig.clock
        config = Config(screen=ScreenConfig(**{"off_after_s": 10, **screen}))  # type: ignore[arg-type]
        self.screen = ScreenMode(config.screen, lambda: datetime(2026, 3, 29, 23, 0), self.clock.now_ns())
        self.loop = DrawLoop(config=config, clock=self.clock, state=self.rig.state, stage=self.rig.stage,
                             counters=self.rig.counters, notifier=None,  # type: ignore[arg-type]
                             heartbeat=Heartbeat(lambda: None), stopping=threading.Event(), wake=threading.Event(),
                             report=lambda _: None, trace=None, screen=self.screen)  # fmt: skip
        if switches:
            blank = self.rig.renderer.blank
            self.rig.renderer.blank = lambda: blank() or True  # type: ignore[method-assign]

    def run(self, seconds: float) -> int:
        """Step as the loop does, with a live voice. Returns the number of frames shown."""
        before, until_ns = len(self.rig.renderer.records()[0]), self.clock.now_ns() + round(seconds * NS_PER_S)
        while self.clock.now_ns() < until_ns:
            self.rig.state.voice_alive(self.clock.now_ns())
            at_ns = self.loop._step(self.clock.now_ns(), self.rig.presenter, self.rig.renderer)
            self.clock.advance_ns(max(20 * NS_PER_MS, at_ns - self.clock.now_ns()))
        return len(self.rig.renderer.records()[0]) - before


@pytest.mark.parametrize(("switches", "told"), [(True, "off"), (False, "blank")])
def test_a_dark_screen_is_not_drawn_and_health_tells_which_dark_it_is(switches: bool, told: str) -> None:
    dark = Dark(switches=switches)
    assert dark.run(9.9) > 400
    assert dark.loop._shown == "on"
    dark.run(3)
    assert dark.loop._shown == told
    blanks = dark.rig.renderer.blanks
    assert dark.run(60) == 0
    assert dark.rig.renderer.blanks - blanks == pytest.approx(60 * NS_PER_S / DARK_STEP_NS, abs=1)


def test_it_fades_before_it_is_dark_and_is_told_as_dim() -> None:
    dark = Dark()
    dark.run(11)
    assert dark.loop._shown == "dim"
    assert 0.2 < dark.rig.renderer.brightness < 0.8


def test_whoever_speaks_lights_it_at_once_without_a_missed_refresh() -> None:
    dark = Dark()
    dark.run(600)
    missed = dark.rig.pacer.missed
    dark.rig.speech(to_ms=1000)
    dark.rig.anchor(until_ms=1000, phase="speaking", turn="t")
    assert dark.run(0.02) == 1
    assert dark.loop._shown == "on"
    assert dark.rig.renderer.brightness == 1.0
    assert dark.rig.pacer.missed == missed
    assert dark.run(0.5) == 25


def test_it_stays_lit_while_somebody_speaks_however_long() -> None:
    dark = Dark()
    for at_ms in range(0, 30_000, 500):
        dark.rig.anchor(media_ms=at_ms, until_ms=60_000, phase="speaking", turn="t")
        dark.run(0.5)
        assert dark.loop._shown == "on"


def test_a_customer_who_speaks_lights_it_with_the_sign_and_keeps_it_lit() -> None:
    dark = Dark()
    dark.run(600)
    dark.rig.hear(bus.EarSign(epoch=1, live=True, speaking=True))
    assert dark.run(0.02) == 1
    for _ in range(30):
        dark.run(1)
        assert dark.loop._shown == "on"
    dark.rig.hear(bus.EarSign(epoch=1))
    dark.run(13)
    assert dark.loop._shown == "blank"


def test_presence_by_a_sensor_lights_it_for_as_long_again() -> None:
    dark = Dark()
    dark.run(20)
    dark.screen.present(dark.clock.now_ns())
    assert dark.run(9.9) > 400
    assert dark.run(2.2) < 110
    assert dark.run(10) == 0


def test_a_thumbnail_requested_in_the_dark_is_not_sent_later() -> None:
    dark = Dark()
    dark.run(20)
    dark.rig.hear(bus.ThumbnailRequest(epoch=1, width=64))
    dark.run(1)
    assert not dark.rig.state.thumbnails.wanted


def test_in_quiet_hours_the_frame_is_dim_and_reported_so() -> None:
    dark = Dark(off_after_s=0, dim=0.25, quiet_from="22:00", quiet_until="07:00")
    dark.run(29)
    assert (dark.loop._shown, dark.rig.renderer.brightness) == ("on", 1.0)
    dark.run(4)
    assert (dark.loop._shown, dark.rig.renderer.brightness) == ("dim", 0.25)


def test_an_operators_order_switches_it_at_once_and_is_kept_while_the_voice_is_away() -> None:
    dark = Dark(switches=True, off_after_s=0)
    dark.run(1)
    dark.rig.hear(bus.ScreenOrder(epoch=1, power="off"))
    dark.run(3)
    assert (dark.loop._shown, dark.screen.level) == ("off", 0.0)
    dark.rig.speech(to_ms=1000)
    dark.rig.anchor(until_ms=1000, phase="speaking", turn="t")
    assert dark.run(1) == 0
    dark.rig.state.take_anchor(bus.Anchor(epoch=2, media_ns=0, at_ns=0, until_ns=0, phase="idle"))
    assert dark.run(1) == 0
    dark.rig.hear(bus.ScreenOrder(epoch=2, brightness=0.5))
    dark.run(1)
    assert (dark.loop._shown, dark.rig.renderer.brightness) == ("on", 0.5)


def test_who_attends_from_elsewhere_lights_it_and_a_voice_that_is_gone_does_not() -> None:
    dark = Dark(switches=True, off_after_s=0)
    dark.rig.hear(bus.ScreenOrder(epoch=1, power="off"))
    dark.run(3)
    dark.rig.hear(bus.AttendSign(epoch=1, listening=True))
    dark.run(0.5)
    assert dark.loop._shown == "on"
    dark.clock.advance_ms(2000)
    dark.rig.presenter.step()  # notices that the voice is silent
    assert not dark.rig.state.attended


def test_nothing_is_chosen_on_a_screen_that_is_switched_off() -> None:
    dark, taken = Dark(), []
    annotations = SimpleNamespace(buttons=SimpleNamespace(take=lambda done, _: taken.append(done)))
    dark.rig.renderer.take_inputs = lambda: [Key("1")]  # type: ignore[method-assign]
    dark.rig.hear(bus.ScreenOrder(epoch=1, power="off"))
    dark.run(3)
    assert not dark.loop._read_inputs(dark.rig.renderer, annotations)  # type: ignore[arg-type]
    dark.rig.hear(bus.ScreenOrder(epoch=1))
    dark.run(1)
    assert dark.loop._read_inputs(dark.rig.renderer, annotations)  # type: ignore[arg-type]
    assert taken == [Key("1")]
