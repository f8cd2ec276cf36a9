"""From a card to numbered blocks: rates, channels, drift, losses, cards that vanish."""

from itertools import pairwise

import numpy as np
import pytest

from mien.config import EarConfig
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.ear.captures import RETRY_NS, open_capture
from mien.ear.microphone import BLOCK_NS, Microphone
from mien.errors import CaptureError
from mien.units import NS_PER_MS, NS_PER_S
from rigs.ear_rig import MadeCapture


class Rig:
    def __init__(self, config=None, **card):
        self.clock = ManualClock(10**10)
        self.counters = Counters()
        self.card = MadeCapture(self.clock, **card)
        self.missing = ""
        self.opened = 0
        self.microphone = Microphone(config or EarConfig(channels=8), self.clock, self.counters, self._open)

    def _open(self, _config, _clock):
        if self.missing:
            raise CaptureError(self.missing)
        self.opened += 1
        return self.card

    def run_ms(self, ms):
        """Read as the service does."""
        blocks = []
        until_ns = self.clock.now_ns() + ms * NS_PER_MS
        while self.clock.now_ns() < until_ns:
            self.clock.advance_ns(self.microphone.next_ns() - self.clock.now_ns())
            blocks += list(self.microphone.read())
        return blocks


def tone(rate_hz):
    return lambda first, count: 8000 * np.sin(2 * np.pi * 400 * (np.arange(first, first + count)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_every_rate_becomes_16_khz_once_without_a_seam(rate_hz):
    rig = Rig(rate_hz=rate_hz, sound=tone(rate_hz))
    blocks = rig.run_ms(1000)
    heard = np.concatenate([block.pcm for block in blocks])
    assert len(heard) >= 16000 - 2 * 320
    expected = 8000 * np.sin(2 * np.pi * 400 * np.arange(len(heard)) / 16000)
    assert np.abs(heard - expected)[64:].max() < 40
    assert [block.seq for block in blocks] == list(range(len(blocks)))
    assert not any(block.gap for block in blocks)


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_times_are_those_at_which_the_sound_reached_the_microphone(ppm):
    rig = Rig(ppm=ppm, step=480)
    blocks = rig.run_ms(20_000)[500:]
    errors_ms = [(block.at_ns - rig.card.reached_at_ns(block.seq * 960)) / NS_PER_MS for block in blocks]
    assert max(errors_ms) - min(errors_ms) < 1.5
    assert -0.5 < min(errors_ms) < max(errors_ms) < 10.5  # a card that steps by 10 ms


def test_one_channel_is_taken():
    clock = ManualClock(10**10)
    card = MadeCapture(clock, 16000, 4)
    read = card.read

    def only_the_third():
        pcm = read()
        pcm[:, 0], pcm[:, 2] = 9, 333
        return pcm

    card.read = only_the_third
    microphone = Microphone(EarConfig(channels=4, channel=2), clock, Counters(), lambda *_: card)
    clock.advance_ms(100)
    assert {int(sample) for block in microphone.read() for sample in block.pcm} == {333}


@pytest.mark.parametrize("counted", [True, False], ids=["the card counts it", "the clock shows it"])
def test_lost_sound_is_a_gap_in_the_numbers_and_shifts_no_time(counted):
    rig = Rig(rate_hz=16000)
    rig.run_ms(2000)
    rig.card.lose(500, counted=counted)
    blocks = rig.run_ms(2000)
    gaps = [block for block in blocks if block.gap]
    assert len(gaps) == 1
    for block in (block for block in blocks if block.seq >= gaps[0].seq):
        assert block.at_ns == pytest.approx(10**10 + block.seq * BLOCK_NS, abs=BLOCK_NS)
    assert rig.counters["capture_overruns"] == counted
    assert rig.counters["capture_jumps"] == (not counted)
    assert rig.counters["capture_lost_ms"] == pytest.approx(500, abs=30)


def test_a_card_that_vanishes_is_retried_and_the_numbers_go_on():
    rig = Rig(rate_hz=16000)
    before = rig.run_ms(1000)
    rig.card.fails, rig.missing = "hw:1: the device is gone", "hw:1: cannot be opened"
    assert rig.run_ms(3000) == []
    assert rig.card.closed
    assert rig.microphone.failure == "hw:1: cannot be opened"
    rig.missing, rig.card = "", MadeCapture(rig.clock, 48000)
    blocks = rig.run_ms(3000)
    assert rig.microphone.failure == ""
    assert rig.opened == 2
    assert blocks[0].gap
    assert blocks[0].seq > before[-1].seq + 100
    assert blocks[-1].seq == pytest.approx((rig.clock.now_ns() - 10**10) / BLOCK_NS, abs=8)


def test_a_card_that_hangs_is_opened_again():
    rig = Rig(rate_hz=16000)
    rig.run_ms(1000)
    rig.card.read = lambda: np.zeros((0, 1), np.int16)
    rig.run_ms(2500)
    assert "delivers nothing" in rig.microphone.failure
    assert rig.card.closed
    rig.card = MadeCapture(rig.clock, 16000)
    blocks = rig.run_ms(3000)
    assert blocks[0].gap
    assert rig.microphone.failure == ""
    assert rig.counters["capture_stalls"] == 1


def test_after_a_pause_of_the_process_an_empty_read_is_no_hang():
    rig = Rig(rate_hz=16000)
    rig.run_ms(1000)
    read = rig.card.read
    rig.clock.advance_ms(5000)
    rig.card.read = lambda: np.zeros((0, 1), np.int16)
    list(rig.microphone.read())
    rig.card.read = read
    assert rig.run_ms(100)
    assert rig.opened == 1


def test_a_missing_card_is_not_tried_more_often_than_every_two_seconds():
    rig = Rig()
    rig.missing = "no card"
    tries = []
    rig.microphone._captures._opener = lambda *_: tries.append(rig.clock.now_ns()) or rig._open(None, None)
    rig.run_ms(10_000)
    assert len(tries) == 5
    assert all(b - a >= RETRY_NS for a, b in pairwise(tries))


def test_it_is_read_at_irregular_times():
    rig = Rig()
    pauses = {rig.microphone.next_ns() - rig.clock.now_ns() for _ in range(1000)}
    assert 5 * NS_PER_MS <= min(pauses) < 6 * NS_PER_MS
    assert 14 * NS_PER_MS < max(pauses) <= 15 * NS_PER_MS


class Strange:
    overruns = 0
    closed = False

    def __init__(self, **form):
        from mien.capture.base import CaptureFormat

        self.format = CaptureFormat(**form)

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"rate_hz": 96000, "channels": 1}, "delivers 96000 Hz, which mien cannot resample; choose one of 8000, "),
        ({"rate_hz": 48000, "channels": 1}, "ear.channel: 3 is not one of the microphone's 1 channels, from 0"),
    ],
)
def test_what_the_ear_cannot_use_is_refused_by_a_sentence(monkeypatch, form, sentence):
    device = Strange(**form)
    monkeypatch.setattr("mien.capture.null.NullCapture", lambda *_: device)
    with pytest.raises(CaptureError, match=sentence):
        open_capture(EarConfig(source="null", channels=4, channel=3), ManualClock())
    assert device.closed


def test_half_a_second_of_a_busy_machine_is_caught_up_with():
    rig = Rig(rate_hz=16000)
    rig.run_ms(1000)
    rig.clock.advance_ns(NS_PER_S // 2)
    caught_up = list(rig.microphone.read())
    assert len(caught_up) == 25
    assert not any(block.gap for block in caught_up)
