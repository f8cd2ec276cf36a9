"""Screen modes, on a manual monotonic clock and a manual wall clock."""

from datetime import datetime, timedelta

import pytest

from mien.config import ScreenConfig, load_config, parse_overrides
from mien.core import bus
from mien.errors import ConfigError
from mien.face.screen import AWAKE_NS, QuietHours, ScreenMode, quiet_hours
from mien.units import NS_PER_S, minutes_of_day
from rigs.face_rig import FaceRig


def at(text: str) -> datetime:
    hours, minutes = text.split(":")
    return datetime(2026, 3, 29, int(hours), int(minutes), 30)


@pytest.mark.parametrize(
    ("hours", "quiet", "loud"),
    [
        (("22:00", "07:00"), ("22:00", "23:59", "00:00", "06:59"), ("21:59", "07:00", "12:00")),
        (("13:00", "14:30"), ("13:00", "14:29"), ("12:59", "14:30", "00:00")),
        (("00:00", "24:00"), ("00:00", "12:00", "23:59"), ()),
        (("20:00", "24:00"), ("20:00", "23:59"), ("00:00", "19:59")),
        (("20:00", "00:00"), ("20:00", "23:59"), ("00:00", "19:59")),
        (("00:00", "00:01"), ("00:00",), ("00:01", "23:59")),
    ],
)
def test_hours_begin_with_their_first_minute_and_end_before_their_last_round_midnight_too(
    hours: tuple[str, str], quiet: tuple[str, ...], loud: tuple[str, ...]
) -> None:
    found = quiet_hours(ScreenConfig(quiet_from=hours[0], quiet_until=hours[1]))
    assert found is not None
    assert all(found.hold(at(time)) for time in quiet)
    assert not any(found.hold(at(time)) for time in loud)


def test_the_hour_that_summer_time_takes_or_gives_is_as_the_clock_on_the_wall_shows_it() -> None:
    hours = QuietHours(minutes_of_day("01:00"), minutes_of_day("02:30"))
    spring = [at("01:59"), at("03:00")]  # consecutive minutes
    assert [hours.hold(now) for now in spring] == [True, False]
    autumn = [at("02:29"), at("02:59"), at("02:00").replace(fold=1), at("02:29").replace(fold=1)]
    assert [hours.hold(now) for now in autumn] == [True, False, True, True]


def test_without_times_there_are_no_quiet_hours() -> None:
    assert quiet_hours(ScreenConfig()) is None


@pytest.mark.parametrize("text", ["22", "7:00", "24:01", "22:60", " 22:00", "22.00", "٢٢:٠٠", "-1:00", "x"])
def test_what_is_no_time_of_day_is_refused_with_its_path_and_the_remedy(text: str) -> None:
    for key, other in (("quiet_from", "quiet_until"), ("quiet_until", "quiet_from")):
        with pytest.raises(ConfigError, match=rf"screen\.{key}: .* is no time of day: write hours and minutes"):
            load_config(None, {f"screen.{key}": text, f"screen.{other}": "07:00"})


@pytest.mark.parametrize("missing", ["quiet_from", "quiet_until"])
def test_one_time_without_the_other_is_refused(missing: str) -> None:
    given = {"quiet_from": "quiet_until", "quiet_until": "quiet_from"}[missing]
    with pytest.raises(ConfigError, match=rf"screen\.{missing}: '' is no time of day.*leave both times out"):
        load_config(None, {f"screen.{given}": "07:00"})


def test_equal_times_are_refused_since_they_could_mean_never_or_always() -> None:
    with pytest.raises(ConfigError, match=r'screen\.quiet_until: .*never or always.*"00:00" and "24:00"'):
        load_config(None, {"screen.quiet_from": "07:00", "screen.quiet_until": "07:00"})


@pytest.mark.parametrize("pair", ["screen.dim=1.5", "screen.dim=-0.1", "screen.off_after_s=-1", "screen.dimm=1"])
def test_other_mistakes_are_refused(pair: str) -> None:
    with pytest.raises(ConfigError, match=pair.split("=")[0]):
        load_config(None, parse_overrides((pair,)))


class Wall:
    """A screen mode with both clocks; after(s) advances both, stepping ten times a second."""

    def __init__(self, start: str, **config: object) -> None:
        self.now, self.now_ns = at(start), 10**9
        self.screen = ScreenMode(ScreenConfig(**config), lambda: self.now, self.now_ns)  # type: ignore[arg-type]

    def after(self, seconds: float) -> str:
        for _ in range(round(10 * seconds)):
            self.now_ns += NS_PER_S // 10
            self.now += timedelta(seconds=0.1)
            self.screen.step(self.now_ns)
        return self.screen.mode


NIGHT = {"quiet_from": "22:00", "quiet_until": "07:00"}


def test_it_dims_half_a_minute_after_the_last_sign_of_anybody_and_only_in_quiet_hours() -> None:
    wall = Wall("21:58", **NIGHT)
    assert wall.after(60) == "on"
    assert wall.screen.level == 1.0
    assert wall.after(60) == "dim"
    wall.screen.present(wall.now_ns)
    assert wall.after(0.1) == "on"
    assert wall.after(AWAKE_NS / NS_PER_S - 0.3) == "on"
    assert wall.after(0.3) == "dim"
    wall.now = at("06:59")
    assert wall.after(31) == "on"


def test_brightness_goes_down_slowly_up_at_once_and_stops_where_it_belongs() -> None:
    wall = Wall("23:00", dim=0.4, **NIGHT)
    wall.after(30)
    wall.after(0.5)
    assert 0.4 < wall.screen.level < 1.0
    wall.after(2)
    assert wall.screen.level == 0.4
    wall.screen.present(wall.now_ns)
    wall.after(0.3)
    assert wall.screen.level == 1.0


def test_full_brightness_in_quiet_hours_is_no_dimming() -> None:
    wall = Wall("23:00", dim=1.0, **NIGHT)
    assert wall.after(100) == "on"


def test_it_goes_dark_after_so_long_a_silence_in_quiet_hours_only() -> None:
    wall = Wall("21:00", off_after_s=60, **NIGHT)
    assert wall.after(120) == "on"
    wall.now = at("22:00")
    assert wall.after(0.1) == "dark"
    assert wall.screen.level > 0.0, "it fades first"
    wall.after(2)
    assert wall.screen.level == 0.0
    wall.screen.present(wall.now_ns)
    assert wall.after(0.1) == "on"
    assert wall.after(59.8) == "dim"
    assert wall.after(0.2) == "dark"
    wall.now = at("07:00")
    assert wall.after(0.1) == "on"


def test_without_quiet_hours_silence_alone_makes_it_dark_and_never_dim() -> None:
    wall = Wall("12:00", off_after_s=60)
    assert wall.after(59.9) == "on"
    assert wall.after(0.1) == "dark"


def test_by_default_it_is_always_on() -> None:
    wall = Wall("23:00")
    assert wall.after(3600) == "on"
    assert wall.screen.level == 1.0


def test_a_wall_clock_that_is_set_while_it_runs_changes_the_mode_and_not_the_silence() -> None:
    """A board without a battery-backed clock starts in 1970 and sets its time later."""
    wall = Wall("23:00", off_after_s=60, **NIGHT)
    wall.now = at("12:00")
    assert wall.after(100) == "on"
    wall.now = at("23:30")
    assert wall.after(0.1) == "dark"


def test_an_operator_switches_it_on_and_off_whoever_is_there_and_back_to_the_configuration() -> None:
    wall = Wall("23:00", off_after_s=60, **NIGHT)
    wall.screen.order = bus.ScreenOrder(epoch=1, power="on")
    assert wall.after(600) == "on"
    assert wall.screen.bright
    wall.screen.order = bus.ScreenOrder(epoch=1, power="off")
    wall.screen.present(wall.now_ns)
    assert wall.after(3) == "dark"
    assert wall.screen.level == 0.0
    wall.screen.present(wall.now_ns)
    assert wall.after(1) == "dark"
    assert not wall.screen.bright
    wall.screen.order = bus.ScreenOrder(epoch=1)
    assert wall.after(0.3) == "on"
    assert wall.after(40) == "dim"


def test_brightness_is_a_factor_of_the_bright_and_of_the_dim_screen() -> None:
    wall = Wall("23:00", dim=0.4, **NIGHT)
    wall.screen.order = bus.ScreenOrder(epoch=1, brightness=0.5)
    wall.after(3)
    assert (wall.screen.mode, wall.screen.level, wall.screen.bright) == ("on", 0.5, True)
    wall.after(40)
    assert (wall.screen.mode, wall.screen.level, wall.screen.bright) == ("dim", 0.2, False)


def test_a_person_who_listens_from_elsewhere_is_seen_on_a_screen_that_was_off() -> None:
    for order in (bus.ScreenOrder(epoch=1, power="off"), bus.ScreenOrder(epoch=1)):
        wall = Wall("12:00", off_after_s=60)
        wall.screen.order = order
        assert wall.after(120) == "dark"
        wall.screen.attended = True
        assert wall.after(0.3) == "on"
        assert wall.screen.level == 1.0
        assert wall.after(120) == "on"
        wall.screen.attended = False
        assert wall.after(120) == "dark"


def test_presence_of_an_older_moment_does_not_take_back_a_newer_one() -> None:
    wall = Wall("12:00", off_after_s=60)
    wall.after(50)
    wall.screen.present(wall.now_ns)
    wall.screen.present(10**9)
    assert wall.after(59) == "on"


@pytest.mark.parametrize(
    ("message", "somebody"),
    [
        (bus.GestureCue(epoch=1, name="nod"), True),
        (bus.Expression(epoch=1, state="listening"), True),
        (bus.Expression(epoch=9), False),
        (bus.CaptionCue(epoch=1, turn="t", text="hello"), True),
        (bus.ThumbnailRequest(epoch=1, width=64), False),
        (bus.ScreenOrder(epoch=1, power="on"), False),
        (bus.AttendSign(epoch=1, listening=True), False),
        (bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=9, phase="preroll", turn="t"), True),
        (bus.Anchor(epoch=2, media_ns=0, at_ns=0, until_ns=9, phase="idle"), False),
    ],
)
def test_speech_and_what_goes_with_it_is_presence_and_an_observer_is_not(
    message: bus.BusMessage, somebody: bool
) -> None:
    rig, told = FaceRig(), []
    rig.anchor()
    rig.stage._on_change = told.append
    rig.hear(message)
    assert told == [somebody]
