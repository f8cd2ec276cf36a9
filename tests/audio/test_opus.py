"""Opus round trips."""

import numpy as np
import pytest

from mien.audio.opus import MAX_PACKET_BYTES, RATES_HZ, OpusDecoder, OpusEncoder, packet_frames


def sweep(rate_hz, seconds=1.0):
    times_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return (8000 * np.sin(2 * np.pi * (200 + 300 * times_s) * times_s)).astype(np.int16)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_speech_comes_back_late_by_the_lookahead_and_whole(rate_hz):
    pcm, encoder, decoder = sweep(rate_hz), OpusEncoder(rate_hz), OpusDecoder(rate_hz)
    packets = encoder.encode_all(pcm)
    back = np.concatenate([decoder.decode(packet) for packet in packets])
    aligned = back[encoder.lookahead : encoder.lookahead + len(pcm)].astype(float)
    assert len(aligned) == len(pcm)
    steady = slice(rate_hz // 10, None)
    assert np.corrcoef(aligned[steady], pcm[steady])[0, 1] > 0.95
    assert sum(map(len, packets)) <= 24_000 / 8 * 1.25 * len(packets) * 0.02


def test_a_packet_says_how_long_it_is():
    packet = OpusEncoder(16000).encode(np.zeros(320, np.int16))
    assert packet_frames(packet, 16000) == 320
    assert packet_frames(packet, 48000) == 960


@pytest.mark.parametrize("packet", [b"", b"\xff", b"\xff\xff", bytes(MAX_PACKET_BYTES + 1), b"\x03\x3f"])
def test_what_is_no_packet(packet):
    with pytest.raises(ValueError, match="Opus"):
        OpusDecoder(16000).decode(packet)


def test_any_bytes_are_decoded_or_refused():
    random, decoder = np.random.default_rng(5), OpusDecoder(16000)
    decoded = 0
    for _ in range(3000):
        try:
            pcm = decoder.decode(random.bytes(int(random.integers(0, 200))))
        except ValueError:
            continue
        decoded += 1
        assert 0 < len(pcm) <= 16000 * 120 // 1000
    assert decoded > 100


def test_the_wrong_length_or_rate_is_an_error():
    with pytest.raises(ValueError, match="320 frames"):
        OpusEncoder(16000).encode(np.zeros(100, np.int16))
    for make in (OpusEncoder, OpusDecoder):
        with pytest.raises(ValueError, match="44100 Hz"):
            make(44100)
