"""Every supported WAV format, and every kind of damage."""

import contextlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.client.wav import WavReader, wav_chunks
from mien.errors import ClientError


def riff(*chunks, magic=b"RIFF"):
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return magic + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def header(*, code=1, channels=1, rate_hz=16000, bits=16, block=None, extra=b""):
    block = channels * bits // 8 if block is None else block
    return b"fmt ", struct.pack("<HHIIHH", code, channels, rate_hz, rate_hz * block % 2**32, block, bits) + extra


def decode(wav, rate_hz=16000):
    return np.frombuffer(b"".join(wav_chunks(wav, rate_hz)), dtype="<i2")


RAMP = np.linspace(-0.9, 0.9, 500)


@pytest.mark.parametrize(
    ("fmt", "data"),
    [
        (header(bits=8), np.rint(RAMP * 127 + 128).astype(np.uint8).tobytes()),
        (header(bits=16), (RAMP * 32767).astype("<i2").tobytes()),
        (header(bits=24), b"".join(struct.pack("<i", int(x * 8388607))[:3] for x in RAMP)),
        (header(bits=32), (RAMP * 2147483647).astype("<i4").tobytes()),
        (header(code=3, bits=32), RAMP.astype("<f4").tobytes()),
        (header(code=3, bits=64), RAMP.astype("<f8").tobytes()),
        (
            header(code=0xFFFE, bits=16, extra=struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)),
            (RAMP * 32767).astype("<i2").tobytes(),
        ),
    ],
)
def test_every_coding_gives_the_same_samples(fmt, data):
    step = 260 if len(data) == len(RAMP) else 2  # 8 bits are coarse
    np.testing.assert_allclose(decode(riff(fmt, (b"data", data))), RAMP * 32767, atol=step)


def test_mono_s16_passes_bit_for_bit():
    samples = np.arange(-2000, 2000, dtype=np.int16)
    np.testing.assert_array_equal(decode(riff(header(), (b"data", samples.tobytes()))), samples)


def test_channels_are_mixed_by_their_mean():
    stereo = np.array([[1000, 3000], [-32768, -32768], [32767, 32767]], "<i2")
    np.testing.assert_allclose(decode(riff(header(channels=2), (b"data", stereo.tobytes()))), [2000, -32768, 32767])


def test_floats_beyond_full_scale_are_clipped():
    data = np.array([2.0, -2.0, np.nan, np.inf, -np.inf], "<f4").tobytes()
    heard = decode(riff(header(code=3, bits=32), (b"data", data)))
    np.testing.assert_array_equal(heard, [32767, -32768, 0, 32767, -32767])


def test_a_long_file_keeps_its_length_at_another_rate():
    data = np.zeros(44100, "<i2").tobytes()
    assert len(decode(riff(header(rate_hz=44100), (b"data", data)))) == 16000


def test_other_chunks_are_passed_over():
    wav = riff((b"LIST", b"odd"), header(), (b"fact", bytes(4)), (b"data", b"\1\0\2\0"), (b"LIST", b"tail"))
    np.testing.assert_array_equal(decode(wav), [1, 2])


@pytest.mark.parametrize("length", [0, 0x7FFF_F000, 0xFFFF_FFFF])
def test_a_length_that_is_not_known_goes_to_the_end(length):
    wav = riff(header()) + b"data" + struct.pack("<I", length) + b"\1\0\2\0"
    np.testing.assert_array_equal(decode(wav), [1, 2])


def test_a_frame_that_is_cut_off_is_left_out():
    np.testing.assert_array_equal(decode(riff(header()) + b"data" + struct.pack("<I", 100) + b"\1\0\2"), [1])


class Trickle(io.RawIOBase):
    """Returns three bytes a read, as a slow pipe may."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def read(self, size=-1):
        return self._data.read(min(size, 3))


def test_a_source_that_trickles():
    samples = np.arange(50, dtype="<i2")
    wav = riff(header(channels=2), (b"data", samples.repeat(2).tobytes()))
    np.testing.assert_array_equal(decode(Trickle(wav)), samples)


def test_what_was_handed_over_open_stays_open():
    file = io.BytesIO(riff(header(), (b"data", bytes(4))))
    decode(file)
    assert not file.closed


@pytest.mark.parametrize(
    ("wav", "what"),
    [
        (b"", "cut off"),
        (b"RIFF", "cut off"),
        (b"ID3" + bytes(40), "not a WAV"),
        (riff(header(), magic=b"RIFX"), "not a WAV"),
        (riff(header()), "cut off"),
        (riff((b"data", b"\0\0")), "before its fmt chunk"),
        (riff((b"fmt ", b"\1\0")), "fmt chunk of 2 bytes"),
        (riff(header(code=7, bits=8), (b"data", b"")), "mu-law"),
        (riff(header(code=0x1234), (b"data", b"")), "4660"),
        (riff(header(channels=0), (b"data", b"")), "impossible"),
        (riff(header(rate_hz=0), (b"data", b"")), "impossible"),
        (riff(header(rate_hz=4_000_000_000, block=2), (b"data", b"")), "impossible"),
        (riff(header(block=3), (b"data", b"")), "impossible"),
        (riff(header(bits=12, block=1), (b"data", b"")), "12 bits"),
        (riff(header(code=3, bits=16), (b"data", b"")), "16 bits"),
        (riff((b"fmt ", header()[1]), (b"junk", b""))[:-4] + b"\xff\xff\xff\xff", "cut off"),
    ],
)
def test_damage_is_told(wav, what):
    with pytest.raises(ClientError, match=what) as caught:
        WavReader(wav)
    assert (caught.value.code, caught.value.retryable) == ("bad_wav", False)


def test_a_file_is_named(tmp_path):
    with pytest.raises(ClientError, match=r"nothing\.wav cannot be opened"):
        WavReader(tmp_path / "nothing.wav")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_give_samples_or_an_error(noise, keep):
    wav = riff(header(channels=2), (b"data", bytes(16)))[:keep] + noise
    try:
        samples = decode(wav)
    except ClientError as error:
        assert error.code == "bad_wav"  # noqa: PT017
    else:
        assert samples.dtype == np.int16


@pytest.mark.parametrize(
    ("channels", "rate_hz", "good"),
    [
        (1, 1000, True),
        (1, 999, False),
        (1, 384_000, True),
        (1, 384_001, False),
        (64, 16_000, True),
        (65, 16_000, False),
    ],
)
def test_the_ends_of_what_a_wav_may_be(channels, rate_hz, good):
    wav = riff(header(channels=channels, rate_hz=rate_hz), (b"data", bytes(2 * channels)))
    if good:
        fmt = WavReader(wav).format
        assert (fmt.channels, fmt.rate_hz) == (channels, rate_hz)
    else:
        with pytest.raises(ClientError, match="impossible"):
            WavReader(wav)


@pytest.mark.parametrize("size", [16, 1023, 1024, 1025, 20_001])
def test_a_long_fmt_chunk_is_passed_over(size):
    wav = riff(header(extra=bytes(size - 16)), (b"data", b"\1\0\2\0"))
    np.testing.assert_array_equal(decode(wav), [1, 2])


def test_an_extensible_format_needs_the_room_that_names_its_coding():
    at_24 = struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1)
    assert WavReader(riff(header(code=0xFFFE, extra=at_24), (b"data", bytes(2)))).format.bits == 16
    with pytest.raises(ClientError, match="format 65534"):
        WavReader(riff(header(code=0xFFFE, extra=at_24[:-1]), (b"data", bytes(2))))
    with pytest.raises(ClientError, match="mu-law"):
        WavReader(riff(header(code=7, bits=8, extra=at_24), (b"data", bytes(2))))


class Counting(io.RawIOBase):
    """Says how much is asked of it."""

    def __init__(self, data):
        self._data, self.asked = io.BytesIO(data), []

    def readable(self):
        return True

    def read(self, size=-1):
        self.asked.append(size)
        return self._data.read(size)


def test_it_reads_in_blocks_and_no_further_than_the_data():
    source = Counting(riff((b"LIST", bytes(20_000)), header(), (b"data", bytes(20_000)), (b"LIST", b"tail")))
    assert sum(map(len, WavReader(source).blocks())) == 20_000
    assert max(source.asked) == 8192
    assert source._data.read() == b"LIST\x04\0\0\0tail"


@pytest.mark.parametrize("content", [riff(header(), (b"data", bytes(4))), b"no wav"])
def test_what_was_opened_here_is_closed_here(tmp_path, monkeypatch, content):
    (tmp_path / "x.wav").write_bytes(content)
    opened, real = [], Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode: opened.append(real(path, mode)) or opened[-1])
    with contextlib.suppress(ClientError):
        decode(tmp_path / "x.wav")
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_full_scale_is_full_scale_in_every_width(bits):
    top = {8: b"\xff", 16: b"\xff\x7f", 24: b"\xff\xff\x7f", 32: b"\xff\xff\xff\x7f"}[bits]
    zero = b"\x80" if bits == 8 else bytes(bits // 8)
    heard = decode(riff(header(bits=bits, channels=2), (b"data", top * 2 + zero * 2 + top + zero)))
    np.testing.assert_allclose(heard, [32767, 0, 16384], atol=1)
