"""Headphones that are plugged in take the sound. The jack is a pipe that carries the kernel's events, because this
machine has no /dev/input and no /dev/uinput."""

import os

import numpy as np
import pytest

from mien.core import bus, wire
from mien.core.clock import ManualClock
from mien.errors import SinkError
from mien.host.evdev import EV_SW, EVENT, RETRY_NS, SW_HEADPHONE_INSERT, SW_MUTE_DEVICE
from mien.voice.headphones import EVERY_NS, SETTLED_NS, Headphones
from rigs.voice_rig import RecordingSink, VoiceRig, tone

RATE_HZ = 16000


class Jack:
    """A jack with a switch; what the kernel would write."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self._keeper = os.open(path, os.O_RDWR)

    def event(self, code, value):
        os.write(self._keeper, EVENT.pack(1, 2, EV_SW, code, value) + EVENT.pack(1, 2, 0, 0, 0))

    def plug(self, value=1):
        self.event(SW_HEADPHONE_INSERT, value)

    def close(self):
        os.close(self._keeper)


@pytest.fixture
def jack(tmp_path):
    made = Jack(tmp_path / "event3")
    yield made
    made.close()


class Cards:
    """Opens devices by name. missing: names that cannot be opened."""

    def __init__(self, traits=None):
        self.opened, self.missing = [], set()

    def __call__(self, config, clock):
        if config.device in self.missing:
            raise SinkError(f"{config.device}: no such device")
        sink = RecordingSink(clock, config.rate_hz, config.rate_hz // 20)
        sink.name = config.device
        self.opened.append(sink)
        return sink

    def speech(self):
        """What was written to each device, in order, without its silence at both ends."""
        return [(sink.name, np.trim_zeros(sink.pcm)) for sink in self.opened if np.any(sink.pcm)]


def heard_once(rig, whole, first, second):
    """Assert that what one device began the other continued, with a fade at the join. Returns where that was."""
    whole, fade = np.trim_zeros(whole), rig.playback._mixer.fade_frames
    cut = int(np.argmin(first[: len(whole)] == whole[: len(first)]))
    assert len(first) <= cut + fade, "it decays, and says nothing twice"
    second = np.concatenate((np.zeros(1, np.int16), second))  # a fade begins at 0, which was trimmed
    assert 0 <= len(second) - (len(whole) - cut) <= fade
    np.testing.assert_array_equal(second[fade : len(whole) - cut], whole[cut + fade :])
    return cut


def kiosk(jack, **playback):
    rig = VoiceRig(rate_hz=RATE_HZ, headphone_jack=str(jack.path), **{"headphones": "usb", **playback})
    rig.cards = Cards()
    rig.voice.sinks._opener = rig.cards
    rig.voice.sinks.reopen()
    rig.playback.use_sink(rig.voice.sinks.sink, audible=True)
    rig.hello()
    rig.hello(b"eye", role="observer")
    rig.step(300)
    return rig


def test_in_mid_sentence_every_sample_is_heard_once_here_or_there(jack):
    rig = kiosk(jack, headphone_volume=1.0, wake_ms=0)
    rig.speak(pcm=tone(2000))
    rig.step(700)
    jack.plug()
    rig.step(4000)
    (loud, first), (quiet, second) = rig.cards.speech()
    assert (loud, quiet) == ("default", "usb")
    assert 0.6 * RATE_HZ < heard_once(rig, tone(2000), first, second) < 1.2 * RATE_HZ
    (finished,) = rig.got(wire.Finished)
    assert (finished.reason, finished.played_ms) == ("played", 2000.0)
    assert rig.counters["sink_underruns"] == 0


def test_back_to_the_loudspeaker_when_they_are_pulled_out(jack):
    rig = kiosk(jack, wake_ms=0)
    jack.plug()
    rig.step(2500)
    rig.speak("one", ms=400)
    rig.step(700)
    jack.plug(0)
    rig.step(2500)
    rig.speak("two", ms=400)
    rig.step(700)
    assert [name for name, _ in rig.cards.speech()] == ["usb", "default"]
    assert [m.reason for m in rig.got(wire.Finished)] == ["played", "played"]


def test_they_have_a_volume_of_their_own_and_what_a_visitor_chose_stays_relative(jack):
    rig = kiosk(jack, wake_ms=0, volume=0.8, headphone_volume=0.25)
    rig.say(wire.Volume(gain=0.5, fade_ms=0))
    jack.plug()
    rig.step(2500)
    rig.speak(pcm=np.full(8000, 10_000, np.int16))
    rig.step(1000)
    ((_, pcm),) = rig.cards.speech()
    assert np.max(np.abs(pcm)) == pytest.approx(10_000 * 0.5 * 0.25, abs=1)
    rig.say(wire.Volume(gain=1.0, fade_ms=0))
    jack.plug(0)
    rig.step(2500)
    rig.speak("loud", pcm=np.full(8000, 10_000, np.int16))
    rig.step(1000)
    assert np.max(rig.cards.speech()[-1][1]) == pytest.approx(8000, abs=1)


def test_one_device_for_both_changes_its_volume_alone(jack):
    rig = kiosk(jack, headphones="", headphone_volume=0.5)
    jack.plug()
    rig.step(2500)
    rig.speak(pcm=np.full(8000, 10_000, np.int16))
    rig.step(1000)
    ((name, pcm),) = rig.cards.speech()
    assert (name, np.max(pcm)) == ("default", 5000)
    assert len(rig.cards.opened) == 1


def test_where_they_cannot_be_opened_the_loudspeaker_goes_on_and_they_are_tried_again(jack, caplog):
    rig = kiosk(jack, wake_ms=0)
    rig.cards.missing.add("usb")
    rig.speak("one", ms=400)
    jack.plug()
    rig.step(6000)
    assert not rig.voice.sinks.headphones
    assert sum("usb: no such device" in line.message for line in caplog.records) == 1
    rig.cards.missing.clear()
    rig.step(RETRY_NS // 1_000_000 + 1500)
    rig.speak("two", ms=400)
    rig.step(800)
    assert [name for name, _ in rig.cards.speech()] == ["default", "usb"]
    assert [m.reason for m in rig.got(wire.Finished)] == ["played", "played"]


def test_health_and_clients_are_told(jack):
    rig = kiosk(jack)
    rig.say(wire.Subscribe(topics=["health", "state"]), client=b"eye")
    jack.plug()
    rig.step(2500)
    assert rig.got(wire.HealthReport, b"eye")[-1].headphones
    assert "headphones" in rig.voice.status
    assert [m for m in rig.published if isinstance(m, bus.VoiceHealth)][-1].headphones
    assert rig.got(wire.Presence)[-1] == wire.Presence(present=True, source="headphones")
    jack.plug(0)
    rig.step(2500)
    assert not rig.got(wire.HealthReport, b"eye")[-1].headphones
    assert rig.got(wire.Presence)[-1] == wire.Presence(present=False, source="headphones")


def test_a_plug_that_bounces_switches_once(jack):
    rig = kiosk(jack)
    for _ in range(10):
        jack.plug(1)
        rig.step(50)
        jack.plug(0)
        rig.step(50)
    jack.plug(1)
    rig.step(3000)
    assert [sink.name for sink in rig.cards.opened] == ["default", "usb"]


def test_who_pulls_them_out_before_the_switch_stays_on_the_loudspeaker(jack):
    """The turn's end is not waited for, but a device's buffer is: the plug may be gone by then."""
    rig = kiosk(jack)
    rig.voice.sinks.plug(True)
    assert rig.voice.sinks.switching
    rig.voice.sinks.plug(False)
    assert not rig.voice.sinks.switching
    with pytest.raises(SinkError):
        rig.cards.opened[-1].delay_frames()
    rig.speak(ms=300)
    rig.step(800)
    assert [name for name, _ in rig.cards.speech()] == ["default"]


def test_a_paused_turn_goes_on_in_the_headphones(jack):
    rig = kiosk(jack, wake_ms=0, headphone_volume=1.0)
    rig.speak(pcm=tone(1000))
    rig.step(500)
    rig.say(wire.Pause())
    rig.step(100)
    jack.plug()
    rig.step(2500)
    rig.say(wire.Resume())
    rig.step(1500)
    first, second = (pcm for _, pcm in rig.cards.speech())
    heard_once(rig, tone(1000), first, second)
    assert rig.got(wire.Finished)[0].played_ms == 1000.0


def test_a_headset_that_is_lost_gives_the_sound_back(jack):
    rig = kiosk(jack, wake_ms=0)
    jack.plug()
    rig.step(2500)
    rig.cards.missing.add("usb")
    rig.voice.sinks.sink.close()
    rig.step(5000)
    assert rig.voice.sinks.state == "open"
    rig.speak(ms=300)
    rig.step(800)
    assert [name for name, _ in rig.cards.speech()] == ["default"]


def test_plugged_in_while_the_card_is_released(jack):
    rig = kiosk(jack, idle_release_s=1, wake_ms=0)
    rig.step(3000)
    assert rig.playback.released
    jack.plug()
    rig.step(2500)
    rig.speak(ms=300)
    rig.step(1500)
    assert [name for name, _ in rig.cards.speech()] == ["usb"]


class TestTheJack:
    def test_it_reads_its_switch_and_no_other(self, jack):
        clock = ManualClock(10**9)
        phones = Headphones(jack.path, clock)
        jack.event(SW_MUTE_DEVICE, 1)
        assert not seen(phones, clock)
        jack.plug()
        assert seen(phones, clock)
        jack.plug(0)
        assert not seen(phones, clock)
        phones.close()

    def test_one_that_is_gone_is_empty_told_once_and_tried_again(self, tmp_path, caplog):
        clock = ManualClock(10**9)
        phones = Headphones(tmp_path / "event3", clock)
        for _ in range(5):
            assert not seen(phones, clock)
            clock.advance_ns(RETRY_NS)
        assert sum("playback.headphone_jack" in line.message for line in caplog.records) == 1
        jack = Jack(tmp_path / "event3")
        jack_was_seen = seen(phones, clock)
        jack.plug()
        assert (jack_was_seen, seen(phones, clock)) == (False, True)
        jack.close()
        (tmp_path / "event3").unlink()
        assert not seen(phones, clock)
        phones.close()


def seen(phones, clock):
    """Whether they are plugged in, once the jack has settled."""
    clock.advance_ns(EVERY_NS)
    phones.poll()
    clock.advance_ns(SETTLED_NS)
    phones.poll()
    return phones.plugged
