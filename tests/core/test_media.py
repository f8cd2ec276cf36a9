"""Media time out of anchors."""

from hypothesis import given
from hypothesis import strategies as st

from mien.core.bus import Anchor
from mien.core.media import MediaClock


def anchor(epoch=1, media=0, at=0, until=10**9, phase="speaking"):
    return Anchor(epoch=epoch, media_ns=media, at_ns=at, until_ns=until, phase=phase)


def test_it_waits_runs_and_stops():
    clock = MediaClock()
    assert clock.media_ns(5) == 0
    clock.take(anchor(media=100, at=1000, until=600))
    assert [clock.media_ns(t) for t in (500, 1000, 1200, 1500, 9999)] == [100, 100, 300, 600, 600]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-3, 3)), min_size=2, max_size=50))
def test_inside_an_epoch_it_never_steps_back(steps):
    clock, now, before = MediaClock(), 0, 0
    for elapsed, jitter in steps:
        now += elapsed
        clock.take(anchor(media=max(0, now + jitter), at=now))
        after = clock.media_ns(now)
        assert after >= before
        before = after


def test_a_new_epoch_starts_afresh_and_an_old_one_is_dropped():
    clock = MediaClock()
    assert clock.take(anchor(epoch=1, media=500))
    assert clock.media_ns(0) == 500
    assert clock.take(anchor(epoch=2, media=0, at=100))
    assert clock.media_ns(50) == 0
    assert not clock.take(anchor(epoch=1, media=900))
    assert (clock.epoch, clock.stale) == (2, 1)
    clock.forget()
    assert clock.epoch == -1
    assert clock.take(anchor(epoch=1))


def test_an_anchor_of_the_same_epoch_corrects_and_is_no_renewal():
    clock = MediaClock()
    assert clock.anchor is None
    assert clock.take(anchor(epoch=4))
    newer = anchor(epoch=4, media=50, at=10)
    assert not clock.take(newer)
    assert clock.anchor is newer
    assert (clock.media_ns(20), clock.stale) == (60, 0)


def test_within_an_epoch_an_anchor_that_lies_behind_holds_the_playhead_until_it_is_caught_up():
    clock = MediaClock()
    clock.take(anchor(media=0, at=0))
    assert clock.media_ns(100) == 100
    clock.take(anchor(media=60, at=100))
    assert [clock.media_ns(t) for t in (100, 130, 150)] == [100, 100, 110]


def test_a_voice_that_is_gone_takes_the_playhead_with_it():
    clock = MediaClock()
    clock.take(anchor(media=500))
    assert clock.media_ns(0) == 500
    clock.forget()
    assert clock.media_ns(10) == 0
    clock.take(anchor(media=3, until=3))
    assert clock.media_ns(10) == 3


def test_an_end_that_lies_before_the_anchor_does_not_take_the_playhead_back():
    clock = MediaClock()
    clock.take(anchor(media=500, at=0, until=400))
    assert clock.media_ns(1000) == 500


def test_media_time_begins_at_nought_in_each_epoch():
    clock = MediaClock()
    clock.take(anchor(media=0, at=0))
    assert clock.media_ns(0) == 0
    clock.take(anchor(epoch=2, media=0, at=0))
    assert clock.media_ns(0) == 0
    clock.forget()
    clock.take(anchor(epoch=2, media=0, at=0))
    assert clock.media_ns(0) == 0
