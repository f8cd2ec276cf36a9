"""The blank-screen check, on renderers that draw something and nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

from mien.core.stats import Counters
from mien.face.blank_check import BlankCheck


@pytest.mark.parametrize(("picture", "counted"), [
    (np.zeros((40, 30, 3), np.uint8), 1), (np.random.default_rng(1).integers(0, 255, (40, 30, 3)).astype(np.uint8), 0)])
def test_a_blank_picture_is_counted_once_a_second_after_the_first(picture, counted):
    captured = []
    renderer = SimpleNamespace(info=SimpleNamespace(backend="gles"), capture=lambda: captured.append(1) or picture)
    counters = Counters()
    check = BlankCheck(renderer, counters)
    for ms in range(0, 3000, 33):
        check.after_draw(ms * 1_000_000)
        assert bool(captured) == (ms >= 1000)
    assert len(captured) == 1
    assert counters["picture_blank"] == counted
