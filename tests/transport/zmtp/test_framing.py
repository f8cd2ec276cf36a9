"""ZMTP's bytes: the greeting, frames, commands, metadata."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import PeerError
from mien.transport.zmtp.framing import (
    COMMAND,
    LONG,
    MORE,
    Frame,
    FrameReader,
    check_greeting,
    command_body,
    decode_metadata,
    encode_command,
    encode_frame,
    encode_metadata,
    greeting,
    split_command,
)


def refused(code):
    return pytest.raises(PeerError, check=lambda error: error.code == code)


def all_of(reader):
    return list(iter(reader.next, None))


def read(data, max_bytes=1000):
    reader = FrameReader(max_bytes)
    reader.feed(data)
    return all_of(reader)


def test_the_greeting_is_as_the_specification_has_it():
    assert greeting(b"NULL") == b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)
    curve = greeting(b"CURVE")
    assert (len(curve), curve[12:17], curve[32]) == (64, b"CURVE", 1)


@pytest.mark.parametrize("length", range(65))
def test_a_right_greeting_is_right_at_every_length(length):
    check_greeting(greeting(b"NULL")[:length], b"NULL")


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [(0, 0x47, "not_zmtp"), (9, 0x7E, "not_zmtp"), (10, 2, "not_zmtp"), (12, ord("C"), "wrong_mechanism")],
)
def test_a_wrong_greeting(at, value, code):
    wrong = bytearray(greeting(b"NULL"))
    wrong[at] = value
    with refused(code):
        check_greeting(bytes(wrong), b"NULL")


def test_a_wrong_greeting_is_refused_as_soon_as_it_is_seen():
    with refused("not_zmtp"):
        check_greeting(b"G", b"NULL")
    with refused("not_zmtp"):
        check_greeting(b"\xff" + bytes(8) + b"\x7e", b"NULL")
    with refused("not_zmtp"):
        check_greeting(greeting(b"NULL")[:10] + b"\x01", b"NULL")
    newer = bytearray(greeting(b"NULL"))
    newer[10:12] = b"\x04\x07"
    check_greeting(bytes(newer), b"NULL")


@pytest.mark.parametrize(
    ("size", "head"), [(0, b"\x00\x00"), (255, b"\x00\xff"), (256, b"\x02" + b"\0" * 6 + b"\x01\0")]
)
def test_short_and_long_frames(size, head):
    data = encode_frame(0, bytes(size))
    assert data == head + bytes(size)
    assert read(data) == [Frame(0, bytes(size))]


@pytest.mark.parametrize("flags", [8, 0x80, MORE | COMMAND, MORE | COMMAND | LONG])
def test_flags_that_are_not_allowed(flags):
    with refused("bad_frame"):
        read(bytes([flags, 0]))


def test_a_frame_that_is_too_large_is_refused_by_its_header():
    assert read(encode_frame(0, bytes(300)), max_bytes=300) == [Frame(0, bytes(300))]
    with refused("frame_too_large"):
        read(encode_frame(0, bytes(301))[:9], max_bytes=300)
    with refused("frame_too_large"):
        read(b"\x02" + b"\xff" * 8)


@given(
    st.lists(st.tuples(st.sampled_from([0, MORE, COMMAND]), st.binary(max_size=600)), max_size=8),
    st.lists(st.integers(1, 400), max_size=30),
)
def test_frames_come_out_however_the_stream_is_cut(frames, cuts):
    stream = b"".join(encode_frame(flags, body) for flags, body in frames)
    reader, found, at = FrameReader(1000), [], 0
    for length in [*cuts, len(stream)]:
        reader.feed(stream[at : at + length])
        found += all_of(reader)
        at += length
    assert found == [Frame(*frame) for frame in frames]
    assert len(reader) == 0


def test_an_unfinished_frame_is_kept():
    reader = FrameReader(1000)
    reader.feed(encode_frame(0, b"abc") + b"\x00\x05ab")
    assert len(reader) == 9
    assert all_of(reader) == [Frame(0, b"abc")]
    assert len(reader) == 4


def test_commands():
    assert encode_command(b"PING", b"\0\0x") == b"\x04\x08\x04PING\0\0x"
    assert split_command(command_body(b"PING", b"rest")) == (b"PING", b"rest")
    for body in (b"", b"\x05PING"):
        with refused("bad_frame"):
            split_command(body)


@given(st.dictionaries(st.binary(min_size=1, max_size=20).map(bytes.lower), st.binary(max_size=50), max_size=5))
def test_metadata(properties):
    assert decode_metadata(encode_metadata(properties)) == properties


def test_metadata_names_are_lowered_and_what_is_cut_off_is_refused():
    data = encode_metadata({b"Socket-Type": b"DEALER", b"Identity": b""})
    assert data[:16] == b"\x0bSocket-Type\0\0\0\x06"
    assert decode_metadata(data) == {b"socket-type": b"DEALER", b"identity": b""}
    for length in {1, 5, 12, 14, 18, len(data) - 1}:
        with refused("bad_frame"):
            decode_metadata(data[:length])


def test_what_was_taken_is_not_kept():
    reader = FrameReader(10_000)
    for _ in range(1000):
        reader.feed(encode_frame(0, bytes(5000)) + b"\x00")  # and the beginning of the next
        assert len(reader.next().body) == 5000
        reader.feed(b"\x00")
        assert reader.next().body == b""
    assert sys.getsizeof(reader._buffer) < 50_000


def test_metadata_whose_length_is_cut_is_refused_whatever_of_it_is_left():
    for left in range(4):
        with refused("bad_frame"):
            decode_metadata(b"\x01a" + bytes(left))
    assert decode_metadata(b"\x01a" + bytes(4)) == {b"a": b""}
