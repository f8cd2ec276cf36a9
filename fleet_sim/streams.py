"""Poses and sound as they look on the wire, for boards that have no face: docs/mqtt.md has the formats. Pure."""

import math
import random
import struct
from typing import Final

from mien.core.pose import CHANNELS

FRAMES: Final = 3  # a batch: 100 ms
BATCH_S: Final = FRAMES / 30
KEY_EVERY: Final = 10
HEADER_BYTES: Final = 12
_HEAD: Final = struct.Struct("<BBHQ")
_VALUES: Final = len(CHANNELS)
_MASK_BYTES: Final = 7
_SPEECH_20_MS: Final = bytes((9 << 3,))  # RFC 6716: SILK, wide band, one frame of 20 ms
_MOVING: Final = 9  # blend shapes that change in a frame of speech


class PoseStream:
    """Batches of a face that speaks."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._number = 0

    def batch(self, now_s: float) -> bytes:
        """The next batch. now_s: UTC."""
        key = self._number % KEY_EVERY == 0
        packet = bytearray(_HEAD.pack(1, int(key), self._number & 0xFFFF, round(now_s * 1000)))
        for frame in range(FRAMES):
            whole = key and frame == 0
            which = range(_VALUES) if whole else sorted(self._chance.sample(range(_VALUES), _MOVING))
            mask = sum(1 << index for index in which)
            packet += bytes((33 if frame else 0,)) + mask.to_bytes(_MASK_BYTES, "little")
            packet += bytes(_value(index, math.sin(now_s * 7 + index)) for index in which)
        self._number += 1
        return bytes(packet)


def opus_packet(chance: random.Random) -> bytes:
    """20 ms: chance, of the size that speech has at 16 kbit/s, behind the head of such a packet."""
    return _SPEECH_20_MS + chance.randbytes(chance.randint(29, 49))


def _value(channel: int, swing: float) -> int:
    """A byte of a frame. swing: -1..1."""
    if CHANNELS[channel].startswith("head"):
        return round(30 * swing) & 0xFF
    return round(127.5 * (1 + swing))


class SoundStream:
    """Messages of five packets."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._number = 0

    def message(self, now_s: float) -> bytes:
        """The next message. now_s: UTC."""
        packets = [opus_packet(self._chance) for _ in range(5)]
        head = _HEAD.pack(1, int(self._number == 0), self._number & 0xFFFF, round(now_s * 1000))
        self._number += 1
        return head + bytes((len(packets),)) + b"".join(struct.pack("<H", len(each)) + each for each in packets)
