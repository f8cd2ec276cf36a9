"""alsa-lib's output on stderr, with the real library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.audio.alsa import AlsaSink
from mien.errors import SinkError


def test_alsa_lib_says_nothing_of_a_missing_card(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("alsaaudio", reason="pyalsaaudio is not installed")
    with pytest.raises(SinkError, match="cannot be opened"):
        AlsaSink("plughw:31,0", rate_hz=48000, buffer_ms=50)
    assert capfd.readouterr().err == ""


SHARED = """
pcm.null { type null }
pcm.only44 { type share slave { pcm "null" rate 44100 channels 1 format S16_LE } bindings.0 0 }
"""

TRY = """
import os
from mien.config import PlaybackConfig
from mien.host.clock import MonotonicClock
from mien.voice.sinks import open_sink
sink = open_sink(PlaybackConfig(device="only44"), MonotonicClock())
print(sink._device.format.rate_hz, sink.format.rate_hz, flush=True)
os._exit(0)  # alsa-lib's share plugin crashes when it is closed
"""


def test_alsa_itself_gives_another_rate_than_it_was_asked_for_and_says_so(tmp_path: Path) -> None:
    """A real PCM fixed to 44.1 kHz, because a double cannot prove what info() returns."""
    pytest.importorskip("alsaaudio", reason="pyalsaaudio is not installed")
    definitions = tmp_path / "asound.conf"
    definitions.write_text(SHARED)
    environment = os.environ | {"ALSA_CONFIG_PATH": str(definitions)}
    done = subprocess.run([sys.executable, "-c", TRY], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["44100", "48000"], done.stderr
