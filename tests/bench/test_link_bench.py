"""The parts of `mien bench link` that need neither broker nor board."""

import os

import numpy as np
import pytest

from mien.audio.opus import OpusDecoder
from mien.bench.link_speech import BEEP_EVERY, MESSAGE_MS, latencies_ms, onsets_ns, stretch
from mien.bench.link_wire import Traffic, processor_s, read_traffic
from mien.errors import MienError
from mien.fleet.packets import decode_sound

SS = """ESTAB 0 0 127.0.0.1:41254 127.0.0.1:8883
\t cubic wscale:7,7 rto:204 bytes_sent:3000 bytes_acked:3000 bytes_received:120 segs_out:20 segs_in:18 data_segs_out:12
"""


def test_traffic_is_read_with_the_headers_of_each_segment():
    traffic = read_traffic(SS)
    assert traffic == Traffic(3000, 120, 20, 18)
    assert (traffic.outbound_bytes, traffic.both_bytes) == (3000 + 20 * 52, 3120 + 38 * 52)
    assert traffic.since(Traffic(1000, 100, 10, 10)) == Traffic(2000, 20, 10, 8)


def test_no_connection_is_an_error_and_not_zero():
    with pytest.raises(MienError, match="no such connection"):
        read_traffic("")


def test_processor_time_is_that_of_this_process():
    before = processor_s(os.getpid())
    sum(number * number for number in range(2_000_000))
    assert 0 < processor_s(os.getpid()) - before < 10


def test_a_stretch_is_heard_with_its_beeps_where_they_were_sent():
    messages = stretch(20, seq=65_530, begin_ms=1000)
    sounds = [decode_sound(message.payload) for message in messages]
    assert [sound.seq for sound in sounds[5:8]] == [65_535, 0, 1]
    assert [sound.at_ms for sound in sounds[:3]] == [1000, 1060, 1120]
    assert (sounds[0].first, sounds[-1].last) == (True, True)
    decoder, blocks = OpusDecoder(16000), []
    for sound in sounds:
        for number, packet in enumerate(sound.packets):
            at_ns = (sound.at_ms + 20 * number + 100) * 1_000_000  # heard 100 ms later
            blocks.append((at_ns, decoder.decode(packet)))
    sent_ns = [(1000 + message.at_ms) * 1_000_000 for message in messages if message.beep]
    assert len(sent_ns) == 20 // BEEP_EVERY
    late = latencies_ms(sent_ns, onsets_ns(blocks))
    assert late == pytest.approx([106.5] * 4, abs=4)


def test_a_beep_that_was_not_heard_is_left_out():
    heard = np.array([150, 2000]) * 1_000_000
    assert latencies_ms([100_000_000, 500_000_000], heard) == [50.0]


def test_a_beep_falls_on_the_beginning_of_a_message():
    assert MESSAGE_MS == 60
    assert [message.beep for message in stretch(6, seq=0, begin_ms=0)] == [True, *[False] * 4, True]
