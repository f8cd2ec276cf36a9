"""Binary packets on MQTT: pose batches, sound.

docs/mqtt.md describes them byte by byte; tests/fleet/vectors holds the same bytes for every reader.
"""

import struct
from typing import Final, NamedTuple

from mien.core.pose_frames import CHANNELS, MAX_BATCH_BYTES, PoseFrame, decode_frames, encode_frames, value_of
from mien.errors import PacketError

VERSION: Final = 1
MAX_SOUND_PACKETS: Final = 25  # half a second: the most that one message may hold
MAX_OPUS_BYTES: Final = 1276  # one frame of the greatest size, and the byte before it (RFC 6716, section 3)
PACKET_MS: Final = 20
SEQ_MODULUS: Final = 1 << 16
_KEY, _FIRST, _LAST = 1, 1, 2
_HEAD: Final = struct.Struct("<BBHQ")
_LENGTH: Final = struct.Struct("<H")
# Durations by the configuration number of an Opus packet, in units of 2.5 ms: SILK, hybrid, CELT.
_UNITS: Final = (4, 8, 16, 24) * 3 + (4, 8) * 2 + (1, 2, 4, 8) * 4


class PoseBatch(NamedTuple):
    """`live/pose`. seq: its number, wraps at 65536. shown_ms: UTC at which the first frame was visible.

    key: the first frame has every channel.
    """

    seq: int
    shown_ms: int
    key: bool
    frames: tuple[PoseFrame, ...]


class Sound(NamedTuple):
    """`live/heard`, `live/ear`, `speech/USER`. at_ms: UTC at which the first sample was heard, captured or spoken.

    seq: its number, wraps at 65536. first: of a stretch, the decoder starts anew. last: of a stretch; only the last may
    be without packets. packets: Opus, PACKET_MS each.
    """

    seq: int
    at_ms: int
    packets: tuple[bytes, ...]
    first: bool = False
    last: bool = False


def pose_packet(seq: int, shown_ms: int, *, key: bool, frames: bytes) -> bytes:
    """A pose batch around frames that are encoded already. Raises PacketError when they are too long or none."""
    if not 0 < len(frames) <= MAX_BATCH_BYTES:
        raise PacketError(f"the frames of a pose batch have 1 to {MAX_BATCH_BYTES} bytes, not {len(frames)}")
    return _head(_KEY if key else 0, seq, shown_ms) + frames


def encode_pose_batch(batch: PoseBatch) -> bytes:
    """The payload of `live/pose`. Raises PacketError for values that it cannot hold."""
    return pose_packet(batch.seq, batch.shown_ms, key=batch.key, frames=encode_frames(batch.frames))


def decode_pose_batch(payload: bytes) -> PoseBatch:
    """Read `live/pose`. Raises PacketError for anything that is not one whole batch within its bounds."""
    if len(payload) > _HEAD.size + MAX_BATCH_BYTES:
        raise PacketError(f"a pose batch has at most {_HEAD.size + MAX_BATCH_BYTES} bytes, not {len(payload)}")
    flags, seq, shown_ms = _read_head(payload, _KEY)
    key = bool(flags & _KEY)
    return PoseBatch(seq, shown_ms, key, decode_frames(payload[_HEAD.size :], key=key))


def encode_sound(sound: Sound) -> bytes:
    """The payload of a sound topic. Raises PacketError for values that it cannot hold."""
    _check_count(len(sound.packets), last=sound.last)
    parts = [_head(_FIRST * sound.first | _LAST * sound.last, sound.seq, sound.at_ms), bytes([len(sound.packets)])]
    for packet in sound.packets:
        _check_opus(packet)
        parts += (_LENGTH.pack(len(packet)), packet)
    return b"".join(parts)


def decode_sound(payload: bytes) -> Sound:
    """Read a sound packet. Raises PacketError for anything that is not one whole packet within its bounds."""
    flags, seq, at_ms = _read_head(payload, _FIRST | _LAST)
    at, count = _HEAD.size + 1, payload[_HEAD.size] if len(payload) > _HEAD.size else 0
    if len(payload) < at:
        raise PacketError("the packet ends before its count")
    _check_count(count, last=bool(flags & _LAST))
    packets = []
    for number in range(count):
        if len(payload) < at + _LENGTH.size:
            raise PacketError(f"the packet ends before the length of Opus packet {number} of {count}")
        (size,) = _LENGTH.unpack_from(payload, at)
        at += _LENGTH.size
        packet = payload[at : at + size]
        if len(packet) < size:
            raise PacketError(f"Opus packet {number} of {count} is cut off: {len(packet)} of {size} bytes")
        _check_opus(packet)
        packets.append(packet)
        at += size
    if at != len(payload):
        raise PacketError(f"{len(payload) - at} bytes follow the last Opus packet")
    return Sound(seq, at_ms, tuple(packets), bool(flags & _FIRST), bool(flags & _LAST))


def opus_ms(packet: bytes) -> float:
    """The duration that an Opus packet's first bytes tell; 0 for bytes that are none."""
    if not packet:
        return 0.0
    unit, code = _UNITS[packet[0] >> 3], packet[0] & 3
    if code == 3:
        return unit * 2.5 * (packet[1] & 0x3F) if len(packet) > 1 else 0.0
    return unit * 2.5 * (2 if code else 1)


class PoseReader:
    """Poses from batches as they arrive. After a gap it waits for a key batch. waiting: it has no pose to build on."""

    def __init__(self) -> None:
        self.waiting = True
        self.lost = 0
        self._next = 0
        self._pose = [0.0] * CHANNELS

    def take(self, batch: PoseBatch) -> list[tuple[int, tuple[float, ...]]]:
        """(UTC in ms, pose) of each frame of the batch; none while it waits for a key batch."""
        if not self.waiting and batch.seq != self._next:
            self.lost += 1
            self.waiting = True
        self._next = (batch.seq + 1) % SEQ_MODULUS
        if self.waiting and not batch.key:
            return []
        self.waiting = False
        poses, at_ms = [], batch.shown_ms
        for frame in batch.frames:
            at_ms += frame.dt_ms
            for channel, quantized in frame.changed.items():
                self._pose[channel] = value_of(channel, quantized)
            poses.append((at_ms, tuple(self._pose)))
        return poses


def _head(flags: int, seq: int, at_ms: int) -> bytes:
    try:
        return _HEAD.pack(VERSION, flags, seq, at_ms)
    except struct.error:
        raise PacketError(f"number {seq} at {at_ms} ms: the number has 16 bits, the time 64, both unsigned") from None


def _read_head(payload: bytes, known_flags: int) -> tuple[int, int, int]:
    """flags, number, UTC in ms."""
    if len(payload) < _HEAD.size:
        raise PacketError(f"a packet has at least {_HEAD.size} bytes, not {len(payload)}")
    version, flags, seq, at_ms = _HEAD.unpack_from(payload)
    if version != VERSION:
        raise PacketError(f"version {version} of the packet is not {VERSION}")
    return flags & known_flags, seq, at_ms


def _check_count(count: int, *, last: bool) -> None:
    if count > MAX_SOUND_PACKETS or (not count and not last):
        least = 0 if last else 1
        raise PacketError(f"{count} Opus packets in one message; {least} to {MAX_SOUND_PACKETS}")


def _check_opus(packet: bytes) -> None:
    if len(packet) > MAX_OPUS_BYTES:
        raise PacketError(f"an Opus packet of {len(packet)} bytes; at most {MAX_OPUS_BYTES}")
    if (ms := opus_ms(packet)) != PACKET_MS:
        raise PacketError(f"an Opus packet of {ms:g} ms; every one has {PACKET_MS} ms")
