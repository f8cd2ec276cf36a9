"""What alsa-lib itself would write to stderr, with the real library."""

import pytest

from mien.audio.alsa import AlsaSink
from mien.errors import SinkError


def test_alsa_lib_says_nothing_of_a_missing_card(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("alsaaudio", reason="pyalsaaudio is not installed")
    with pytest.raises(SinkError, match="cannot be opened"):
        AlsaSink("plughw:31,0", rate_hz=48000, buffer_ms=50)
    assert capfd.readouterr().err == ""
