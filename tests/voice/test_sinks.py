"""The configured sink, and how a lost one is tried again."""

from itertools import pairwise

import pytest

from mien.audio.null import NullSink
from mien.audio.wav import WavSink
from mien.config import PlaybackConfig
from mien.core.clock import ManualClock
from mien.errors import SinkError
from mien.voice.sinks import RETRY_NS, Sinks, open_silence, open_sink


@pytest.mark.parametrize(("sink", "kind"), [("null", NullSink), ("wav", WavSink)])
def test_it_opens_what_is_configured_with_room_for_a_late_step(tmp_path, sink, kind):
    config = PlaybackConfig(sink=sink, rate_hz=16000, buffer_ms=30, wav_path=str(tmp_path / "x.wav"))
    opened = open_sink(config, ManualClock())
    assert type(opened) is kind
    assert (opened.format.rate_hz, opened.format.buffer_frames) == (16000, 16 * 60)
    opened.close()


def test_silence_is_as_large_as_the_device_it_stands_for():
    opened = open_silence(PlaybackConfig(sink="alsa", rate_hz=48000, buffer_ms=25), ManualClock())
    assert (opened.format.rate_hz, opened.format.buffer_frames) == (48000, 2400)


def test_a_lost_device_is_tried_every_two_seconds():
    clock, tried = ManualClock(10**9), []

    def opener(config, clock):
        tried.append(clock.now_ns())
        if len(tried) < 4:
            raise SinkError("still gone")
        return open_silence(config, clock)

    sinks = Sinks(PlaybackConfig(rate_hz=16000), clock, opener)
    assert (sinks.state, sinks.failure) == ("lost", "still gone")
    silence = sinks.sink
    for _ in range(500):
        if sinks.retry():
            break
        clock.advance_ms(10)
    assert [later - earlier for earlier, later in pairwise(tried[1:])] == [RETRY_NS, RETRY_NS]
    assert sinks.state == "open"
    assert sinks.sink is not silence
    with pytest.raises(SinkError):
        silence.delay_frames()


def test_a_card_is_opened_with_room_for_a_late_step_and_used_at_the_configured_rate(monkeypatch):
    asked = []
    monkeypatch.setattr("mien.audio.alsa.AlsaSink", lambda device, **rest: asked.append((device, rest)) or "card")
    monkeypatch.setattr("mien.audio.converted.at_rate", lambda card, rate_hz: (card, rate_hz))
    config = PlaybackConfig(sink="alsa", device="hw:1", rate_hz=48000, buffer_ms=30)
    assert open_sink(config, ManualClock()) == ("card", 48000)
    assert asked == [("hw:1", {"rate_hz": 48000, "buffer_ms": 60})]
