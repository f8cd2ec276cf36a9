"""The contract of mien.capture.base, over every backend that can load.

A rig says how time passes for its backend (`wait_ms`). Paced backends capture at their rate, to within `slack_ms`. ALSA
is run against PulseAudio's null device and, where the kernel has it, snd-aloop; its own `null` PCM delivers without
pace, and the backend must refuse it.
"""

import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mien.capture.alsa import AlsaCapture
from mien.capture.base import MAX_READ_MS, Capture, Pcm
from mien.capture.null import NullCapture
from mien.capture.wav import WavCapture
from mien.core.clock import ManualClock
from mien.errors import CaptureError
from mien.units import NS_PER_MS, NS_PER_S, ms_to_frames

RATE_HZ = 48000
CHANNELS = 2
BUFFER_MS = 300
BACKENDS = ("null", "wav", "alsa-pulse", "alsa-loop")


@dataclass(frozen=True, kw_only=True)
class Rig:
    capture: Capture
    wait_ms: Callable[[float], None]
    now_ns: Callable[[], int]
    slack_ms: float = 0.0
    reports_overruns: bool = True

    def read_ms(self, duration_ms: float, every_ms: float = 20) -> list[Pcm]:
        """Read for a while as the ear does."""
        parts = []
        until_ns = self.now_ns() + round(duration_ms * NS_PER_MS)
        while self.now_ns() < until_ns:
            self.wait_ms(every_ms)
            parts.append(self.capture.read())
        return parts


def sleep_ms(duration_ms: float) -> None:
    time.sleep(duration_ms / 1000)


def write_wav(path: Path, pcm: Pcm, rate_hz: int = RATE_HZ) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((pcm.shape[1], 2, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
    return path


def open_rig(backend: str, request: pytest.FixtureRequest) -> Rig:
    clock = ManualClock(start_ns=123_456_789)
    if backend == "null":
        capture: Capture = NullCapture(clock, RATE_HZ, CHANNELS, BUFFER_MS)
        return Rig(capture=capture, wait_ms=clock.advance_ms, now_ns=clock.now_ns)
    if backend == "wav":
        path = write_wav(request.getfixturevalue("tmp_path") / "said.wav", np.full((RATE_HZ, CHANNELS), 1000))
        return Rig(capture=WavCapture(clock, path, BUFFER_MS), wait_ms=clock.advance_ms, now_ns=clock.now_ns)
    pytest.importorskip("alsaaudio", reason="pyalsaaudio is not installed: pip install 'mien[board]'")
    if backend == "alsa-loop":
        if not Path("/proc/asound/Loopback").exists():
            pytest.skip("this kernel has no snd-aloop: modprobe snd-aloop")
        capture = AlsaCapture("plughw:Loopback,1", RATE_HZ, CHANNELS, BUFFER_MS)
        return Rig(capture=capture, wait_ms=sleep_ms, now_ns=time.monotonic_ns, slack_ms=30)
    definitions = request.getfixturevalue("alsa_definitions")
    request.getfixturevalue("monkeypatch").setenv("ALSA_CONFIG_PATH", str(definitions))
    request.getfixturevalue("sound_server")
    capture = AlsaCapture("microphone", RATE_HZ, CHANNELS, BUFFER_MS)
    # The server delivers in steps of 10 ms, begins late, and a busy machine wakes us late.
    return Rig(capture=capture, wait_ms=sleep_ms, now_ns=time.monotonic_ns, slack_ms=120, reports_overruns=False)


@pytest.fixture(params=BACKENDS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    opened = open_rig(request.param, request)
    yield opened
    opened.capture.close()


def test_the_format_is_what_was_asked_for(rig: Rig) -> None:
    assert (rig.capture.format.rate_hz, rig.capture.format.channels) == (RATE_HZ, CHANNELS)
    assert rig.capture.overruns == 0


def test_frames_are_int16_rows_of_all_channels(rig: Rig) -> None:
    for pcm in rig.read_ms(200):
        assert pcm.dtype == np.int16
        assert pcm.ndim == 2
        assert pcm.shape[1] == CHANNELS


def test_a_read_does_not_wait(rig: Rig) -> None:
    rig.read_ms(100)
    began_s = time.monotonic()
    sizes = [len(rig.capture.read()) for _ in range(20)]
    assert time.monotonic() - began_s < 0.5
    assert 0 in sizes


def test_sound_comes_at_the_pace_of_the_device(rig: Rig) -> None:
    rig.read_ms(200)
    began_ns = rig.now_ns()
    frames = sum(map(len, rig.read_ms(1000)))
    took_ms = (rig.now_ns() - began_ns) / NS_PER_MS
    assert frames == pytest.approx(ms_to_frames(took_ms, RATE_HZ), abs=ms_to_frames(rig.slack_ms, RATE_HZ) + 1)
    assert rig.capture.overruns == 0


def test_one_read_has_a_limit_and_the_rest_follows(rig: Rig) -> None:
    rig.read_ms(100)
    rig.wait_ms(MAX_READ_MS + 80)
    first, rest = rig.capture.read(), rig.capture.read()
    assert len(first) == pytest.approx(ms_to_frames(MAX_READ_MS, RATE_HZ), abs=ms_to_frames(rig.slack_ms / 4, RATE_HZ))
    assert len(rest) > 0


def test_a_reading_says_how_many_frames_came_and_when(rig: Rig) -> None:
    taken = 0
    rig.read_ms(60)
    taken = rig.capture.reading().frames  # of the device: what was read, and what waits
    first_ns = rig.capture.reading().at_ns
    for _ in range(25):
        rig.wait_ms(20)
        reading = rig.capture.reading()
        assert 0 <= rig.now_ns() - reading.at_ns <= NS_PER_MS + rig.slack_ms * NS_PER_MS
        while len(rig.capture.read()):
            pass
    elapsed_ms = (reading.at_ns - first_ns) / NS_PER_MS
    grown_ms = (reading.frames - taken) * 1000 / RATE_HZ
    assert grown_ms == pytest.approx(elapsed_ms, abs=rig.slack_ms + 0.1)


def test_readings_count_what_read_returned(rig: Rig) -> None:
    total = 0
    for _ in range(10):
        rig.wait_ms(20)
        total += len(rig.capture.read())
        assert total <= rig.capture.reading().frames <= total + ms_to_frames(BUFFER_MS, RATE_HZ)


def test_readings_never_go_back(rig: Rig) -> None:
    seen = []
    for _ in range(20):
        rig.wait_ms(10)
        rig.capture.read()
        seen.append(rig.capture.reading())
    assert all(a.at_ns <= b.at_ns and a.frames <= b.frames for a, b in pairwise(seen))


def test_sound_that_nobody_read_is_lost_counted_and_the_device_continues(rig: Rig) -> None:
    rig.read_ms(100)
    rig.wait_ms(BUFFER_MS + 400)
    after = sum(map(len, rig.read_ms(400)))
    if rig.reports_overruns:
        assert rig.capture.overruns == 1
        assert after <= ms_to_frames(BUFFER_MS + 420 + rig.slack_ms, RATE_HZ)
    assert after > ms_to_frames(300, RATE_HZ)
    assert rig.capture.reading().at_ns <= rig.now_ns()


def test_closing_twice_is_allowed_and_nothing_else_after_it(rig: Rig) -> None:
    rig.read_ms(40)
    rig.capture.close()
    rig.capture.close()
    with pytest.raises(CaptureError, match="closed"):
        rig.capture.read()
    with pytest.raises(CaptureError, match="closed"):
        rig.capture.reading()


def test_alsa_s_own_null_device_is_refused(request: pytest.FixtureRequest) -> None:
    pytest.importorskip("alsaaudio", reason="pyalsaaudio is not installed: pip install 'mien[board]'")
    definitions = request.getfixturevalue("alsa_definitions")
    request.getfixturevalue("monkeypatch").setenv("ALSA_CONFIG_PATH", str(definitions))
    capture = AlsaCapture("null", RATE_HZ, 1, BUFFER_MS)
    with pytest.raises(CaptureError, match=r"null: delivers sound faster than its own rate.*ear.source=null"):
        read_often(capture)
    capture.close()


def read_often(capture: Capture) -> None:
    for _ in range(200):
        capture.read()


def test_what_is_played_is_captured(request: pytest.FixtureRequest) -> None:
    """Through PulseAudio: the monitor of its null sink hears what the sink plays, on every channel."""
    from mien.audio.alsa import AlsaSink

    rig = open_rig("alsa-pulse", request)
    sink = AlsaSink("paced", RATE_HZ, 100)
    heard = []
    tone = (8000 * np.sin(np.arange(RATE_HZ // 2) * 0.1)).astype(np.int16)
    while len(tone):
        tone = tone[sink.write(tone) :]
        rig.wait_ms(10)
        heard.append(rig.capture.read())
    heard += rig.read_ms(300)
    sink.close()
    rig.capture.close()
    pcm = np.concatenate(heard)
    assert np.abs(pcm).max() == pytest.approx(8000, rel=0.05)
    assert np.array_equal(pcm[:, 0], pcm[:, 1])


def test_the_clock_of_a_second_is_a_second() -> None:
    """The ideal devices have no drift, to a nanosecond."""
    clock = ManualClock(5)
    capture = NullCapture(clock, 44100, 1, 50_000)
    clock.advance_ns(NS_PER_S)
    assert capture.reading() == (5 + NS_PER_S, 44100)
