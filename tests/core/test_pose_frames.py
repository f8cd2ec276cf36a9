"""The bytes of a pose stream's frames: what is written comes back; what no frame can hold is refused with a reason."""

import pytest

from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, HEAD_CHANNELS, SHAPE_COUNT
from mien.core.pose_frames import (
    CHANNELS,
    HEAD,
    HEAD_LIMIT,
    MASK_BYTES,
    MAX_BATCH_BYTES,
    MAX_FRAMES,
    MAX_GAP_MS,
    PoseFrame,
    decode_frames,
    encode_frames,
    value_of,
)
from mien.errors import PacketError

PITCH, YAW, ROLL, BREATH = 52, 53, 54, 55
WHOLE = PoseFrame(0, dict.fromkeys(range(CHANNELS), 1))
HEADS = bytes([0, 0, 0, 0, 0, 0, 0, 0b0111_0000])  # no time, and a mask of the three angles


def test_the_channels_are_those_of_a_pose():
    assert CHANNELS == CHANNEL_COUNT
    assert list(HEAD) == [CHANNEL_INDEX[name] for name in HEAD_CHANNELS] == [PITCH, YAW, ROLL]
    assert HEAD.start == SHAPE_COUNT
    assert MASK_BYTES * 8 == CHANNELS


def test_a_batch_of_whole_frames_takes_192_bytes():
    frames = (WHOLE, PoseFrame(MAX_GAP_MS, WHOLE.changed), PoseFrame(1, WHOLE.changed))
    assert len(frames) == MAX_FRAMES
    assert len(encode_frames(frames)) == MAX_BATCH_BYTES == 192
    assert decode_frames(encode_frames(frames), key=True) == frames


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (PoseFrame(0, {}), bytes(8)),
        (PoseFrame(0, {0: 255}), b"\0\1" + bytes(6) + b"\xff"),
        (PoseFrame(0, {9: 7, 8: 6}), b"\0\0\3" + bytes(5) + b"\6\7"),
        (PoseFrame(0, {51: 200}), bytes(7) + b"\x08\xc8"),
        (PoseFrame(0, {PITCH: -127, YAW: -1, ROLL: 127}), HEADS + b"\x81\xff\x7f"),
        (PoseFrame(0, {BREATH: 255}), bytes(7) + b"\x80\xff"),
    ],
)
def test_a_frame_is_its_time_its_mask_and_its_values_by_channel(frame, data):
    assert encode_frames((frame,)) == data
    assert decode_frames(data, key=False) == (frame,)


def test_later_frames_have_their_distance_to_the_one_before():
    frames = (PoseFrame(0, {17: 1}), PoseFrame(33, {}), PoseFrame(MAX_GAP_MS, {17: 2}))
    data = encode_frames(frames)
    assert (data[9], data[17]) == (33, 255)
    assert decode_frames(data, key=False) == frames


@pytest.mark.parametrize(
    ("channel", "quantized", "value"),
    [(0, 255, 1.0), (51, 51, 0.2), (PITCH, 100, 1.0), (YAW, -50, -0.5), (ROLL, 127, 1.27), (BREATH, 255, 1.0)],
)
def test_shapes_and_breath_are_of_one_and_angles_are_in_radians(channel, quantized, value):
    assert value_of(channel, quantized) == pytest.approx(value)


@pytest.mark.parametrize(
    ("changed", "whole"),
    [({}, False), (dict.fromkeys(range(55), 1), False), (dict.fromkeys(range(1, 56), 1), False), (WHOLE.changed, True)],
)
def test_a_key_begins_with_a_whole_frame(changed, whole):
    frame = PoseFrame(0, changed)
    assert frame.whole is whole
    data = encode_frames((frame, PoseFrame(5, {})))
    assert decode_frames(data, key=False) == (frame, PoseFrame(5, {}))
    if whole:
        assert decode_frames(data, key=True)[0].whole
    else:
        says = rf"^the first frame of a key batch has {len(changed)} of 56 values$"
        with pytest.raises(PacketError, match=says):
            decode_frames(data, key=True)


@pytest.mark.parametrize(("count", "says"), [(0, "none"), (4, "4"), (5, "5")])
def test_a_batch_has_one_to_three_frames(count, says):
    frames = tuple(PoseFrame(0, {}) for _ in range(count))
    with pytest.raises(PacketError, match=rf"^a pose batch has 1 to 3 frames, not {says}$"):
        encode_frames(frames)
    says = "none" if count == 0 else "4"  # it reads one too many to know, and no more
    with pytest.raises(PacketError, match=rf"^a pose batch has 1 to 3 frames, not {says}$"):
        decode_frames(bytes(8 * count), key=False)


@pytest.mark.parametrize(
    ("channel", "value", "holds"),
    [
        (-1, 0, False),
        (0, -1, False),
        (0, 0, True),
        (51, 255, True),
        (51, 256, False),
        (PITCH, -HEAD_LIMIT, True),
        (PITCH, -HEAD_LIMIT - 1, False),
        (ROLL, HEAD_LIMIT, True),
        (ROLL, HEAD_LIMIT + 1, False),
        (BREATH, 255, True),
        (BREATH, -1, False),
        (56, 0, False),
    ],
)
def test_a_value_that_no_byte_holds_is_refused(channel, value, holds):
    frames = (PoseFrame(0, {channel: value}),)
    if holds:
        assert decode_frames(encode_frames(frames), key=False) == frames
    else:
        with pytest.raises(PacketError, match=rf"^channel {channel} with the value {value}: channels are 0 to 55$"):
            encode_frames(frames)


@pytest.mark.parametrize("channel", [PITCH, YAW, ROLL])
def test_an_angle_beyond_the_limit_is_refused_and_breath_of_the_same_byte_is_not(channel):
    mask = (1 << channel).to_bytes(MASK_BYTES, "little")
    assert decode_frames(b"\0" + mask + b"\x81", key=False)[0].changed == {channel: -127}
    with pytest.raises(PacketError, match=rf"^frame 0: channel {channel} is beyond 1\.27 rad$"):
        decode_frames(b"\0" + mask + b"\x80", key=False)
    breath = (1 << BREATH).to_bytes(MASK_BYTES, "little")
    assert decode_frames(b"\0" + breath + b"\x80", key=False)[0].changed == {BREATH: 128}


@pytest.mark.parametrize("times", [(-1,), (1,), (0, -1), (0, 256), (0, 5, 256)])
def test_a_time_that_no_frame_can_have_is_refused(times):
    says = rf"^frame {len(times) - 1} comes {times[-1]} ms after the one before; the first has 0, others at most 255$"
    with pytest.raises(PacketError, match=says):
        encode_frames(tuple(PoseFrame(dt_ms, {}) for dt_ms in times))


def test_a_first_frame_that_has_a_time_is_refused():
    with pytest.raises(PacketError, match=r"^frame 0 comes 7 ms after the one before; the first has 0"):
        decode_frames(b"\7" + bytes(7), key=False)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "a pose batch has 1 to 3 frames, not none"),
        (bytes(7), "frame 0 is cut off in its mask"),
        (bytes(8) + b"\5", "frame 1 is cut off in its mask"),
        (HEADS, "frame 0 is cut off: 0 of 3 values"),
        (bytes(8) + HEADS + b"\1\1", "frame 1 is cut off: 2 of 3 values"),
    ],
)
def test_what_is_cut_off_is_refused(data, says):
    with pytest.raises(PacketError, match=rf"^{says}$"):
        decode_frames(data, key=False)
