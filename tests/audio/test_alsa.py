"""Rare device behaviour, simulated by a fake pyalsaaudio with the return values of version 0.11.

The contract over real ALSA PCMs is in tests/contracts/test_sink.py.
"""

import errno
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mien.audio.alsa import AlsaSink
from mien.config import PlaybackConfig
from mien.errors import SinkError
from mien.host.clock import MonotonicClock
from mien.voice import sinks


class FakeALSAAudioError(Exception):
    pass


class FakePcm:
    """A PCM that keeps its queue until a test consumes it."""

    agrees_to: dict[str, Any]
    opened_with: dict[str, Any]

    def __init__(self, **wanted: Any) -> None:
        if wanted["device"] == "nonesuch":
            raise FakeALSAAudioError("No such file or directory [nonesuch]")
        type(self).opened_with = wanted
        self.buffer = wanted["periodsize"] * wanted["periods"]
        self.rate = wanted["rate"]
        self.period = wanted["periodsize"]
        self.queued = 0
        self.avail_says: int | None = None
        self.write_says: list[int | Exception] = []
        self.drops = 0
        self.closed = False

    def info(self) -> dict[str, Any]:
        agreed = {
            "channels": 1,
            "format_name": "S16_LE",
            "rate": self.rate,
            "buffer_size": self.buffer,
            "period_size": self.period,
        }
        return agreed | self.agrees_to

    def avail(self) -> int:
        return self.buffer - self.queued if self.avail_says is None else self.avail_says

    def write(self, data: Any) -> int:
        if self.write_says:
            answer = self.write_says.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.avail_says = None
        taken = min(memoryview(data).nbytes // 2, self.buffer - self.queued)
        self.queued += taken
        return taken

    def drop(self) -> int:
        if self.closed:
            raise FakeALSAAudioError("PCM device is closed")
        self.drops += 1
        self.queued = 0
        # From here on the kernel answers EBADFD until the next write prepares the device.
        self.avail_says = -errno.EBADFD
        return 0

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _alsa(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("alsaaudio")
    vars(module).update(
        PCM=FakePcm, ALSAAudioError=FakeALSAAudioError, PCM_PLAYBACK=0, PCM_NONBLOCK=1, PCM_FORMAT_S16_LE=2
    )
    monkeypatch.setitem(sys.modules, "alsaaudio", module)
    monkeypatch.setattr(FakePcm, "agrees_to", {}, raising=False)


def open_sink(rate_hz: int = 48000, buffer_ms: float = 25) -> tuple[AlsaSink, FakePcm]:
    sink = AlsaSink("hw:0", rate_hz, buffer_ms)
    pcm = sink._pcm
    assert isinstance(pcm, FakePcm)
    return sink, pcm


def zeros(frames: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.zeros(frames, np.int16)


def test_it_asks_for_mono_s16_without_blocking() -> None:
    sink, pcm = open_sink()
    wanted = pcm.opened_with
    assert (wanted["mode"], wanted["channels"], wanted["format"], wanted["rate"]) == (1, 1, 2, 48000)
    assert sink.format.buffer_frames == 1200


@pytest.mark.parametrize(
    ("agreed", "named"),
    [
        ({"channels": 2}, "2 channels"),
        ({"format_name": "S32_LE"}, "S32_LE"),
        ({"rate": 192000}, "192000 Hz"),
    ],
)
def test_a_device_that_agrees_to_something_else_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, agreed: dict[str, Any], named: str
) -> None:
    monkeypatch.setattr(FakePcm, "agrees_to", agreed)
    with pytest.raises(SinkError, match=rf"hw:0: .*{named}.*plughw:"):
        open_sink()


def test_another_rate_that_mien_speaks_is_told_in_the_format(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakePcm, "agrees_to", {"rate": 44100})
    sink, _ = open_sink()
    assert sink.format.rate_hz == 44100
    assert "44100 Hz instead of 48000 Hz; set playback.rate_hz = 44100" in caplog.text


@pytest.mark.parametrize(("period", "told"), [(960, False), (1008, True), (4800, True)])
def test_a_card_that_moves_in_long_steps_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, period: int, told: bool
) -> None:
    monkeypatch.setattr(FakePcm, "agrees_to", {"period_size": period})
    open_sink()
    assert ("advances in steps of" in caplog.text) is told


@pytest.mark.parametrize(
    ("buffer_ms", "rate_hz", "period", "periods"),
    [(25, 48000, 240, 5), (50, 44100, 220, 10), (6, 48000, 240, 2), (1, 8000, 40, 2), (100, 16000, 80, 20)],
)
def test_the_buffer_is_asked_for_in_periods_of_5_ms_and_at_least_two(
    buffer_ms: float, rate_hz: int, period: int, periods: int
) -> None:
    _, pcm = open_sink(rate_hz, buffer_ms)
    assert (pcm.opened_with["periodsize"], pcm.opened_with["periods"]) == (period, periods)


def test_the_configured_sink_runs_at_the_configured_rate_whatever_the_card_plays_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakePcm, "agrees_to", {"rate": 44100})
    sink = sinks.open_sink(PlaybackConfig(buffer_ms=25), MonotonicClock())
    assert (sink.format.rate_hz, sink.format.buffer_frames) == (48000, 2612)
    assert sink.write(zeros(480)) == 480
    assert sink.delay_frames() == pytest.approx(480, abs=1)
    sink.close()


def test_a_card_at_the_configured_rate_is_used_as_it_is() -> None:
    assert isinstance(sinks.open_sink(PlaybackConfig(buffer_ms=25), MonotonicClock()), AlsaSink)
    assert FakePcm.opened_with["periods"] == 10  # twice what is kept in it


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(SinkError, match=r"nonesuch: cannot be opened .*aplay -L"):
        AlsaSink("nonesuch", 48000, 25)


def test_without_pyalsaaudio_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alsaaudio", None)
    with pytest.raises(SinkError, match=r"pip install 'mien\[board\]'"):
        AlsaSink("default", 48000, 25)


def test_the_delay_is_the_buffer_less_what_is_free() -> None:
    sink, pcm = open_sink()
    sink.write(zeros(1000))
    assert sink.delay_frames() == 1000
    pcm.queued = 480
    assert sink.delay_frames() == 480


@pytest.mark.parametrize("said", [10_000, -errno.EPIPE])
def test_an_empty_device_has_no_delay(said: int) -> None:
    sink, pcm = open_sink()
    sink.write(zeros(1000))
    pcm.avail_says = said
    assert sink.delay_frames() == 0


def test_an_xrun_is_counted_once_by_the_write_that_goes_on() -> None:
    sink, pcm = open_sink()
    sink.write(zeros(1000))
    pcm.avail_says, pcm.queued = -errno.EPIPE, 0
    assert [sink.delay_frames() for _ in range(3)] == [0, 0, 0]
    assert sink.underruns == 0
    pcm.write_says = [-errno.EPIPE]
    assert sink.write(zeros(300)) == 300
    assert (sink.underruns, sink.delay_frames()) == (1, 300)


def test_an_xrun_between_the_look_and_the_write_loses_nothing() -> None:
    sink, pcm = open_sink()
    sink.write(zeros(100))
    pcm.queued = 0
    pcm.write_says = [-errno.EPIPE]
    assert sink.write(zeros(300)) == 300
    assert sink.underruns == 1


def test_a_full_device_takes_nothing_and_is_no_error() -> None:
    sink, pcm = open_sink()
    assert sink.write(zeros(5000)) == 1200
    assert sink.write(zeros(10)) == 0
    pcm.queued = 1000
    pcm.write_says = [0]
    assert sink.write(zeros(10)) == 0
    assert sink.underruns == 0


def test_drop_empties_a_running_device_and_leaves_an_idle_one_alone() -> None:
    sink, pcm = open_sink()
    sink.drop()
    assert pcm.drops == 0
    sink.write(zeros(1000))
    sink.drop()
    assert (pcm.drops, sink.delay_frames(), sink.underruns) == (1, 0, 0)
    assert sink.write(zeros(1200)) == 1200
    assert (sink.delay_frames(), sink.underruns) == (1200, 0)


def test_after_a_suspend_the_device_is_stopped_and_started_again() -> None:
    sink, pcm = open_sink()
    sink.write(zeros(1000))
    pcm.avail_says = -errno.ESTRPIPE
    assert sink.delay_frames() == 0
    assert pcm.drops == 1
    assert sink.write(zeros(200)) == 200
    assert sink.underruns == 1


def test_an_unplugged_device_is_gone_for_good() -> None:
    sink, pcm = open_sink()
    sink.write(zeros(1000))
    pcm.avail_says = -errno.ENODEV
    with pytest.raises(SinkError, match=r"hw:0: the device is gone \(ENODEV\)"):
        sink.delay_frames()
    pcm.avail_says = None
    for use in (sink.delay_frames, sink.drop, lambda: sink.write(zeros(1))):
        with pytest.raises(SinkError, match="the device is gone"):
            use()
    sink.close()
    assert pcm.closed


def test_a_write_that_fails_tells_why() -> None:
    sink, pcm = open_sink()
    pcm.write_says = [FakeALSAAudioError("No such device [hw:0]")]
    with pytest.raises(SinkError, match=r"the device is gone \(No such device"):
        sink.write(zeros(10))
    with pytest.raises(SinkError, match="the device is gone"):
        sink.delay_frames()


def test_closing_drops_first_so_that_nobody_waits_for_the_rest() -> None:
    sink, pcm = open_sink()
    sink.write(zeros(1000))
    sink.close()
    sink.close()
    assert (pcm.drops, pcm.closed) == (1, True)
