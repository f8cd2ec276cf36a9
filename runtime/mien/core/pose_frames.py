"""Frames of a pose stream: quantized, each reduced to what changed since the frame before.

A frame is one byte of time, a mask of seven bytes, and one byte for each channel of the mask, in the order of
`mien.core.pose.CHANNELS`. Neither numpy nor sockets: who passes frames on, or reads them, needs nothing else.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from mien.errors import PacketError

CHANNELS: Final = 56
HEAD: Final = range(52, 55)  # three angles; before them 52 blend shapes, after them breath
MASK_BYTES: Final = 7
MAX_FRAMES: Final = 3  # in one batch: at 30 frames a second the first waits 67 ms for the last
MAX_GAP_MS: Final = 255
MAX_BATCH_BYTES: Final = MAX_FRAMES * (1 + MASK_BYTES + CHANNELS)
SHAPE_SCALE: Final = 255.0  # a blend shape and breath: 0..255 is 0..1
HEAD_SCALE: Final = 100.0  # a head angle: -127..127 in 1/100 rad
HEAD_LIMIT: Final = 127


class PoseFrame(NamedTuple):
    """One frame. dt_ms: since the frame before, 0 for the first of a batch. changed: channel -> quantized value."""

    dt_ms: int
    changed: dict[int, int]

    @property
    def whole(self) -> bool:
        """Whether it has every channel."""
        return len(self.changed) == CHANNELS


def value_of(channel: int, quantized: int) -> float:
    """The value of a channel: 0..1, or an angle in radians."""
    return quantized / (HEAD_SCALE if channel in HEAD else SHAPE_SCALE)


def encode_frames(frames: tuple[PoseFrame, ...]) -> bytes:
    """The bytes of a batch's frames. Raises PacketError for values that no frame can hold."""
    _check_count(len(frames))
    return b"".join(_encoded(number, frame) for number, frame in enumerate(frames))


def decode_frames(data: bytes, *, key: bool) -> tuple[PoseFrame, ...]:
    """The frames of a batch. key: the first must have every channel. Raises PacketError."""
    frames: list[PoseFrame] = []
    rest = memoryview(data)
    while rest and len(frames) <= MAX_FRAMES:
        frame, size = _decoded(len(frames), rest)
        frames.append(frame)
        rest = rest[size:]
    _check_count(len(frames))
    if key and not frames[0].whole:
        raise PacketError(f"the first frame of a key batch has {len(frames[0].changed)} of {CHANNELS} values")
    return tuple(frames)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_FRAMES:
        raise PacketError(f"a pose batch has 1 to {MAX_FRAMES} frames, not {count or 'none'}")


def _encoded(number: int, frame: PoseFrame) -> bytes:
    _check_time(number, frame.dt_ms)
    mask, values = 0, bytearray()
    for channel, value in sorted(frame.changed.items()):
        low, high = (-HEAD_LIMIT, HEAD_LIMIT) if channel in HEAD else (0, 255)
        if not (0 <= channel < CHANNELS and low <= value <= high):
            raise PacketError(f"channel {channel} with the value {value}: channels are 0 to {CHANNELS - 1}")
        mask |= 1 << channel
        values.append(value & 0xFF)
    return bytes([frame.dt_ms]) + mask.to_bytes(MASK_BYTES, "little") + bytes(values)


def _decoded(number: int, data: memoryview) -> tuple[PoseFrame, int]:
    """A frame and its length in bytes."""
    head = 1 + MASK_BYTES
    if len(data) < head:
        raise PacketError(f"frame {number} is cut off in its mask")
    _check_time(number, data[0])
    channels = list(_channels(int.from_bytes(data[1:head], "little")))
    size = head + len(channels)
    if len(data) < size:
        raise PacketError(f"frame {number} is cut off: {len(data) - head} of {len(channels)} values")
    changed = dict(zip(channels, data[head:size], strict=True))
    for channel in HEAD:
        if changed.get(channel, 0) > HEAD_LIMIT:
            changed[channel] -= 256
            if changed[channel] < -HEAD_LIMIT:
                raise PacketError(f"frame {number}: channel {channel} is beyond {HEAD_LIMIT / HEAD_SCALE} rad")
    return PoseFrame(data[0], changed), size


def _check_time(number: int, dt_ms: int) -> None:
    if not 0 <= dt_ms <= MAX_GAP_MS or (dt_ms and not number):
        raise PacketError(f"frame {number} comes {dt_ms} ms after the one before; the first has 0, others at most 255")


def _channels(mask: int) -> Iterator[int]:
    return (channel for channel in range(CHANNELS) if mask >> channel & 1)
