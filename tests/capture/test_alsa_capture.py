"""Rare device behaviour, simulated by a fake pyalsaaudio with the return values of version 0.11.

The contract over real ALSA PCMs is in tests/contracts/test_capture.py.
"""

import errno
import sys
import time
from types import ModuleType

import numpy as np
import pytest

from mien.capture.alsa import AlsaCapture
from mien.errors import CaptureError

SETUP, PREPARED, RUNNING, XRUN, SUSPENDED, DISCONNECTED = 1, 2, 3, 4, 7, 8


class FakeALSAAudioError(Exception):
    pass


class FakePcm:
    """A PCM whose waiting frames a test sets."""

    agrees_to: dict
    stamps: bool

    def __init__(self, **wanted):
        if wanted["device"] == "nonesuch":
            raise FakeALSAAudioError("No such file or directory [nonesuch]")
        type(self).opened_with = wanted
        type(self).last = self
        self.wanted = wanted
        self.period = wanted["periodsize"]
        self.waiting = 0
        self.says = PREPARED
        self.answers = []
        self.stamp = None
        self.drops = self.closes = 0

    def info(self):
        agreed = {
            "channels": self.wanted["channels"],
            "format_name": "S16_LE",
            "rate": self.wanted["rate"],
            "buffer_size": self.period * self.wanted["periods"],
            "period_size": self.period,
        }
        return agreed | self.agrees_to

    def set_tstamp_mode(self, _mode):
        if not self.stamps:
            raise FakeALSAAudioError("Invalid argument")

    def set_tstamp_type(self, kind):
        self.kind = kind

    def get_tstamp_type(self):
        return self.kind

    def state(self):
        return self.says

    def htimestamp(self):
        stamp_ns = time.monotonic_ns() if self.stamp is None else self.stamp
        return stamp_ns // 10**9, stamp_ns % 10**9, self.waiting

    def read(self):
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer, b""
        self.says = RUNNING
        count = min(self.waiting, self.period)
        self.waiting -= count
        channels = self.wanted["channels"]
        return count, np.full((count, channels), 7, "<i2").tobytes() + bytes(2 * channels * (self.period - count))

    def drop(self):
        self.drops += 1
        self.says = SETUP

    def close(self):
        self.closes += 1


@pytest.fixture
def alsa(monkeypatch):
    module = ModuleType("alsaaudio")
    module.PCM = type("PCM", (FakePcm,), {"agrees_to": {}, "stamps": True})
    module.ALSAAudioError = FakeALSAAudioError
    for name, value in {
        "PCM_CAPTURE": 1, "PCM_NONBLOCK": 1, "PCM_FORMAT_S16_LE": 2, "PCM_TSTAMP_ENABLE": 1,
        "PCM_TSTAMP_TYPE_MONOTONIC": 1, "PCM_STATE_RUNNING": RUNNING, "PCM_STATE_XRUN": XRUN,
        "PCM_STATE_SUSPENDED": SUSPENDED,
    }.items():  # fmt: skip
        setattr(module, name, value)
    monkeypatch.setitem(sys.modules, "alsaaudio", module)
    return module


def opened(alsa, **options):
    capture = AlsaCapture(**{"device": "hw:1", "rate_hz": 48000, "channels": 2, "buffer_ms": 500, **options})
    return capture, alsa.PCM.last


def test_it_opens_the_device_as_asked(alsa):
    _, pcm = opened(alsa)
    wanted = alsa.PCM.opened_with
    assert (wanted["rate"], wanted["channels"], wanted["periodsize"], wanted["periods"]) == (48000, 2, 480, 50)
    assert pcm.says == RUNNING  # the first read() starts a capture device


def test_a_read_takes_what_waits_period_by_period(alsa):
    capture, pcm = opened(alsa)
    pcm.waiting = 1100
    sound = capture.read()
    assert sound.shape == (1100, 2)
    assert (sound == 7).all()


def test_a_missing_device_is_named_with_the_remedy(alsa):
    with pytest.raises(CaptureError, match=r"nonesuch: cannot be opened .*`mien ear cards`"):
        opened(alsa, device="nonesuch")


def test_without_pyalsaaudio_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "alsaaudio", None)
    with pytest.raises(CaptureError, match=r"pip install 'mien\[board\]'"):
        AlsaCapture("default", 48000, 1, 500)


@pytest.mark.parametrize("agreed", [{"rate": 96000}, {"rate": 37800}, {"format_name": "S32_LE"}])
def test_a_format_that_cannot_be_resampled_is_refused_and_the_device_closed(alsa, agreed):
    alsa.PCM.agrees_to = agreed
    with pytest.raises(CaptureError, match="use plughw: instead of hw:"):
        opened(alsa)
    assert alsa.PCM.last.closes == 1


def test_the_device_may_settle_on_another_rate(alsa):
    alsa.PCM.agrees_to = {"rate": 44100}
    capture, _ = opened(alsa)
    assert capture.format.rate_hz == 44100


def test_an_overrun_between_two_reads_is_counted_and_the_device_restarted(alsa):
    capture, pcm = opened(alsa)
    pcm.waiting, pcm.says = 24000, XRUN
    assert capture.overruns == 0
    pcm.drop = lambda: (setattr(pcm, "waiting", 0), setattr(pcm, "says", SETUP))
    assert len(capture.read()) == 0
    assert capture.overruns == 1
    pcm.waiting = 480
    assert len(capture.read()) == 480
    assert capture.overruns == 1


def test_no_read_returns_sound_of_both_sides_of_an_overrun(alsa):
    capture, pcm = opened(alsa)
    pcm.waiting = 960
    real_read = pcm.read

    def overruns_after_the_first():
        found = real_read()
        pcm.says = XRUN
        return found

    pcm.read = overruns_after_the_first
    assert len(capture.read()) == 480
    assert (capture.overruns, pcm.drops) == (0, 0)
    pcm.read = real_read
    assert len(capture.read()) == 480  # the fake keeps what a real device would drop
    assert (capture.overruns, pcm.drops) == (1, 1)


def test_an_overrun_that_read_itself_meets_is_counted_before_the_sound_after_it(alsa):
    capture, pcm = opened(alsa)
    pcm.waiting, pcm.answers = 480, [-errno.EPIPE]
    assert len(capture.read()) == 0
    assert len(capture.read()) == 480
    assert capture.overruns == 1


def test_a_suspend_is_an_overrun(alsa):
    capture, pcm = opened(alsa)
    pcm.says = SUSPENDED
    capture.read()
    assert (capture.overruns, pcm.drops) == (1, 1)


def test_an_unplugged_card_is_gone_for_good(alsa):
    capture, pcm = opened(alsa)
    pcm.answers = [FakeALSAAudioError("No such device [hw:1]")]
    with pytest.raises(CaptureError, match=r"hw:1: the device is gone \(No such device"):
        capture.read()
    with pytest.raises(CaptureError, match="gone"):
        capture.reading()


def test_a_reading_relates_waiting_frames_to_the_device_s_own_time(alsa):
    capture, pcm = opened(alsa)
    pcm.waiting = 1000
    capture.read()
    pcm.waiting, pcm.stamp = 240, time.monotonic_ns() - 3_000_000
    assert capture.reading() == (pcm.stamp, 1240)


@pytest.mark.parametrize("stamp_ns", [0, 10**18])
def test_a_senseless_time_stamp_is_replaced_by_the_time_of_the_reading(alsa, stamp_ns):
    capture, pcm = opened(alsa)
    pcm.stamp = stamp_ns
    before_ns = time.monotonic_ns()
    assert before_ns <= capture.reading().at_ns <= time.monotonic_ns()


def test_a_device_without_time_stamps_is_read_by_our_clock(alsa):
    alsa.PCM.stamps = False
    capture, pcm = opened(alsa)
    pcm.stamp = time.monotonic_ns() - 500_000_000
    assert capture.reading().at_ns > pcm.stamp + 400_000_000


def test_a_stopped_device_has_nothing_waiting(alsa):
    """pyalsaaudio's htimestamp() ignores errors: its figures are then whatever was in memory."""
    capture, pcm = opened(alsa)
    pcm.says, pcm.waiting = XRUN, -32
    assert capture.reading().frames == 0


@pytest.mark.parametrize(("interrupted", "asked"), [(1, 2), (9, 3)])
def test_a_reading_that_another_process_interrupted_is_taken_again_but_not_for_ever(alsa, interrupted, asked):
    capture, pcm = opened(alsa)
    clock = [10**9]
    calls = []

    def now_ns():
        clock[0] += 5 * 10**6 if calls and len(calls) <= interrupted else 1000
        return clock[0]

    alsa_now = pcm.htimestamp
    pcm.htimestamp = lambda: calls.append(1) or alsa_now()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("mien.capture.alsa.time.monotonic_ns", now_ns)
        capture.reading()
    assert len(calls) == asked
