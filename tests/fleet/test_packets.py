"""Pose batches and sound packets: their bytes, and whatever bytes a stranger may send."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mien.core import pose, pose_frames
from mien.core.pose_frames import CHANNELS, HEAD, PoseFrame, decode_frames, encode_frames
from mien.errors import FleetError, PacketError
from mien.fleet import packets
from mien.fleet.packets import PoseBatch, PoseReader, Sound

VECTORS = Path(__file__).parent / "vectors"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def named(name):
    return [pytest.param(row, id=row["name"]) for row in vectors(name)]


def as_batch(fields):
    frames = tuple(
        PoseFrame(frame["dt_ms"], {int(channel): value for channel, value in frame["changed"].items()})
        for frame in fields["frames"]
    )
    return PoseBatch(fields["seq"], fields["shown_ms"], fields["key"], frames)


def as_sound(fields):
    opus = tuple(bytes.fromhex(packet) for packet in fields["packets"])
    return Sound(fields["seq"], fields["at_ms"], opus, fields["first"], fields["last"])


def test_the_channels_are_those_of_a_pose():
    assert (CHANNELS, pose_frames.MASK_BYTES) == (pose.CHANNEL_COUNT, -(-pose.CHANNEL_COUNT // 8))
    assert [pose.CHANNELS[channel] for channel in HEAD] == list(pose.HEAD_CHANNELS)


@pytest.mark.parametrize("row", named("pose"))
def test_vectors_of_pose_batches(row):
    payload = bytes.fromhex(row["hex"])
    if "error" in row:
        with pytest.raises(PacketError):
            packets.decode_pose_batch(payload)
        return
    assert packets.decode_pose_batch(payload) == as_batch(row["batch"])
    assert packets.encode_pose_batch(as_batch(row["batch"])) == payload


@pytest.mark.parametrize("row", named("sound"))
def test_vectors_of_sound(row):
    payload = bytes.fromhex(row["hex"])
    if "error" in row:
        with pytest.raises(PacketError):
            packets.decode_sound(payload)
        return
    assert packets.decode_sound(payload) == as_sound(row["sound"])
    assert packets.encode_sound(as_sound(row["sound"])) == payload


def test_a_reader_waits_for_a_key_batch_after_a_gap():
    reader = PoseReader()
    for row in vectors("pose_stream"):
        read = reader.take(packets.decode_pose_batch(bytes.fromhex(row["hex"])))
        assert [at_ms for at_ms, _ in read] == [shown["at_ms"] for shown in row["poses"]]
        for (_, values), shown in zip(read, row["poses"], strict=True):
            assert values == pytest.approx(shown["pose"], abs=1e-6)
    assert reader.lost == 1


def test_flags_of_a_later_version_are_ignored():
    row = next(row for row in vectors("sound") if row["name"] == "one")
    payload = bytearray.fromhex(row["hex"])
    payload[1] |= 0xF0
    assert packets.decode_sound(bytes(payload)) == as_sound(row["sound"])


@pytest.mark.parametrize(
    ("first", "second", "ms"),
    [(0x48, 0, 20), (0x49, 0, 40), (0x4A, 0, 40), (0x4B, 3, 60), (0x78, 0, 20), (0xF8, 0, 20), (0x80, 0, 2.5)],
)
def test_the_duration_of_an_opus_packet(first, second, ms):
    assert packets.opus_ms(bytes([first, second])) == ms


@pytest.mark.parametrize(
    "batch",
    [
        PoseBatch(65536, 0, False, (PoseFrame(0, {}),)),
        PoseBatch(0, -1, False, (PoseFrame(0, {}),)),
        PoseBatch(0, 0, False, ()),
        PoseBatch(0, 0, False, (PoseFrame(0, {}),) * 4),
        PoseBatch(0, 0, False, (PoseFrame(1, {}),)),
        PoseBatch(0, 0, False, (PoseFrame(0, {}), PoseFrame(256, {}))),
        PoseBatch(0, 0, False, (PoseFrame(0, {56: 0}),)),
        PoseBatch(0, 0, False, (PoseFrame(0, {52: -128}),)),
        PoseBatch(0, 0, False, (PoseFrame(0, {0: 256}),)),
    ],
)
def test_what_no_batch_can_hold_is_refused_with_the_reason(batch):
    with pytest.raises(PacketError, match=r"\w+ \w+"):
        packets.encode_pose_batch(batch)


def test_the_errors_are_of_both_families():
    assert issubclass(PacketError, ValueError)
    assert issubclass(PacketError, FleetError)


VALUES = st.dictionaries(st.integers(0, CHANNELS - 1), st.integers(0, 127))
FRAMES = st.lists(st.tuples(st.integers(0, 255), VALUES), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(FRAMES, st.integers(0, 65535), st.integers(0, 2**64 - 1))
def test_every_batch_comes_back(frames, seq, shown_ms):
    made = tuple(PoseFrame(dt_ms if number else 0, values) for number, (dt_ms, values) in enumerate(frames))
    batch = PoseBatch(seq, shown_ms, False, made)
    assert packets.decode_pose_batch(packets.encode_pose_batch(batch)) == batch


PAIRS = (
    ("pose", packets.decode_pose_batch, packets.encode_pose_batch),
    ("sound", packets.decode_sound, packets.encode_sound),
)


def _unharmed(decode, encode, payload):
    try:
        read = decode(payload)
    except PacketError:
        return
    assert decode(encode(read)) == read


@settings(max_examples=1500, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda rest: b"\x01\x00" + rest)))
@example(b"\x01\x01" + bytes(300))
def test_a_strangers_bytes_raise_nothing_else(payload):
    for _, decode, encode in PAIRS:
        _unharmed(decode, encode, payload)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_nor_do_good_packets_with_bytes_changed_cut_or_added(data):
    name, decode, encode = data.draw(st.sampled_from(PAIRS))
    good = [bytes.fromhex(row["hex"]) for row in vectors(name) if "error" not in row]
    payload = bytearray(data.draw(st.sampled_from(good)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = bytes(payload[: data.draw(st.integers(0, len(payload)))]) + data.draw(st.binary(max_size=8))
    _unharmed(decode, encode, payload)


def test_frames_alone_come_back():
    frames = (PoseFrame(0, dict.fromkeys(range(CHANNELS), 5)), PoseFrame(40, {53: -127}))
    assert decode_frames(encode_frames(frames), key=True) == frames
