"""What a payload holds, and what is none."""

import numpy as np
import pytest

from mien.core.wire import ENCODINGS, MAX_CHUNK_BYTES, OPUS_RATES_HZ, RATES_HZ
from mien.errors import ProtocolError
from mien.voice import codec as codec_module
from mien.voice.codec import OpusCodec, S16Codec, open_codec, spoken_encodings


def refused(code, match=None):
    return pytest.raises(ProtocolError, match=match, check=lambda error: error.code == code)


@pytest.mark.parametrize("size", [0, 2, 1920, MAX_CHUNK_BYTES])
def test_s16_has_a_frame_for_two_bytes(size):
    assert S16Codec(16000).measure(bytes(size)) == size // 2


def test_s16_is_whole_and_no_longer_than_a_chunk_may_be():
    with refused("odd_bytes", "3 bytes are not whole"):
        S16Codec(16000).measure(bytes(3))
    with refused("chunk_too_large", f"{MAX_CHUNK_BYTES + 2} bytes; at most {MAX_CHUNK_BYTES}"):
        S16Codec(16000).measure(bytes(MAX_CHUNK_BYTES + 2))


def test_s16_is_little_endian_whatever_the_machine():
    pcm = S16Codec(16000).open()(b"\x01\x00\xff\x7f\x00\x80")
    assert (list(pcm), pcm.dtype) == ([1, 32767, -32768], np.int16)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_s16_has_every_rate_and_opus_its_own(rate_hz):
    assert (type(open_codec("s16le", rate_hz)), open_codec("s16le", rate_hz).rate_hz) == (S16Codec, rate_hz)
    if rate_hz in OPUS_RATES_HZ:
        assert (type(open_codec("opus", rate_hz)), open_codec("opus", rate_hz).rate_hz) == (OpusCodec, rate_hz)
    else:
        with refused("unsupported_rate", f"rate_hz {rate_hz} is not one of 8000, 12000"):
            open_codec("opus", rate_hz)


def test_another_rate_or_encoding_is_refused_with_those_that_there_are():
    with refused("unsupported_rate", "rate_hz 16001 is not one of 8000, 11025"):
        open_codec("s16le", 16001)
    with refused("unsupported_encoding", f"encoding '{'x' * 40}' is not one of s16le, opus$"):
        open_codec("x" * 50, 16000)


def test_without_libopus_only_s16_is_spoken_and_the_package_is_named(monkeypatch):
    assert spoken_encodings() == ENCODINGS == ("s16le", "opus")
    monkeypatch.setattr(codec_module, "available", lambda: False)
    assert spoken_encodings() == ("s16le",)
    with refused("unsupported_encoding", "is not one of s16le; for opus install Debian's libopus0"):
        open_codec("opus", 16000)


@pytest.mark.parametrize(("packet", "code"), [(b"", "bad_packet"), (bytes(3833), "chunk_too_large")])
def test_an_opus_packet_has_a_length_and_a_bound(packet, code):
    with refused(code):
        OpusCodec(16000).measure(packet)


def test_a_packet_that_cannot_be_decoded_is_a_bad_one():
    decode = OpusCodec(16000).open()
    with refused("bad_packet"):
        decode(b"\x03\xff\xff\xff")
