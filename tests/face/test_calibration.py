"""The calibration bar: when it is lit, what it paints, and that the rest of the frame stays the same."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.pose import new_pose
from mien.errors import DisplayError
from mien.face.calibration import FLASH_MS, FLASHES_MS, PERIOD_MS, Calibration, flash_times_ms, is_lit
from mien.units import ms_to_ns


def test_each_flash_begins_and_ends_on_its_media_time():
    for start in FLASHES_MS:
        for begin in (start, start + PERIOD_MS):
            assert not is_lit(ms_to_ns(begin) - 1)
            assert is_lit(ms_to_ns(begin))
            assert is_lit(ms_to_ns(begin + FLASH_MS) - 1)
            assert not is_lit(ms_to_ns(begin + FLASH_MS))


def test_no_speech_no_flash():
    assert not is_lit(-1)


def test_the_pattern_matches_at_one_shift_only():
    gaps = np.diff([*FLASHES_MS, FLASHES_MS[0] + PERIOD_MS])
    assert len(set(gaps)) == len(gaps)
    assert gaps.min() > FLASH_MS


@given(st.floats(0, 60_000))
def test_clicks_are_where_flashes_begin(length_ms):
    times = flash_times_ms(length_ms)
    assert times == sorted(set(times))
    assert all(at < length_ms and is_lit(ms_to_ns(at)) and not is_lit(ms_to_ns(at) - 1) for at in times)


def test_the_bar_is_painted_on_each_frame():
    painted = []
    calibration = Calibration(painted.append)
    for media_ms in (-1, 0, FLASHES_MS[0], FLASHES_MS[0] + FLASH_MS):
        calibration.after_draw(ms_to_ns(media_ms))
    assert painted == [False, False, True, False]


def test_the_bar_covers_the_bottom_and_nothing_else():
    os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
    from mien.avatar.load import load_avatar
    from mien.render.gles import GlesRenderer
    from mien.render.screen_passes import BAR_SHARE, Bar

    try:
        renderer = GlesRenderer(load_avatar(None), width=96, height=160, samples=0)
    except DisplayError as error:
        pytest.skip(f"no GLES context: {error}")
    frames = []
    bar = Bar(96, 160)
    for lit in (None, False, True):
        renderer.draw(new_pose())
        if lit is not None:
            bar.paint(lit)
        frames.append(renderer.capture().copy())
        renderer.present()
    renderer.close()
    plain, dark, bright = frames
    edge = 160 - 160 // BAR_SHARE
    assert np.array_equal(plain[:edge], dark[:edge])
    assert np.array_equal(plain[:edge], bright[:edge])
    assert not dark[edge:].any()
    assert (bright[edge:] == 255).all()
