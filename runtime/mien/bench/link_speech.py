"""An agent's speech whose arrival at the speaker can be timed: beeps, each at the beginning of a message."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.audio.opus import OpusEncoder
from mien.fleet.packets import PACKET_MS, Sound, encode_sound
from mien.motion.base import Pcm

RATE_HZ: Final = 16_000
PACKETS: Final = 3  # in one message
MESSAGE_MS: Final = PACKETS * PACKET_MS
BEEP_EVERY: Final = 5  # messages
BEEP_MS: Final = 60
QUIET_MS: Final = 100  # before a beep
LEVEL: Final = 12_000
MOST_MS: Final = 1000  # that a beep may take to be heard


class Message(NamedTuple):
    """at_ms: when it is spoken, from the beginning of the stretch. beep: whether it begins with one."""

    at_ms: int
    payload: bytes
    beep: bool


def stretch(messages: int, *, seq: int, begin_ms: int) -> list[Message]:
    """The messages of one stretch. seq: the number of the first. begin_ms: UTC at its beginning."""
    frames = messages * MESSAGE_MS * RATE_HZ // 1000
    pcm = np.random.default_rng(seq).normal(0, 40, frames)
    beep = LEVEL * np.sin(2 * np.pi * 700 * np.arange(BEEP_MS * RATE_HZ // 1000) / RATE_HZ)
    for number in range(0, messages, BEEP_EVERY):
        at = number * MESSAGE_MS * RATE_HZ // 1000
        pcm[at : at + len(beep)] += beep
    encoder = OpusEncoder(RATE_HZ)
    packets = [encoder.encode(block) for block in pcm.astype(np.int16).reshape(-1, encoder.frames)]
    made = []
    for number in range(messages):
        opus = tuple(packets[number * PACKETS : (number + 1) * PACKETS])
        at_ms = number * MESSAGE_MS
        sound = Sound((seq + number) % 65536, begin_ms + at_ms, opus, number == 0, number == messages - 1)
        made.append(Message(at_ms, encode_sound(sound), number % BEEP_EVERY == 0))
    return made


def onsets_ns(blocks: list[tuple[int, Pcm]]) -> NDArray[np.int64]:
    """When beeps began to be heard. blocks: (time of the first sample in ns, PCM), in order."""
    found, loud_ns = [], -QUIET_MS * 1_000_000
    for at_ns, pcm in blocks:
        for index in np.flatnonzero(np.abs(pcm.astype(np.int32)) > LEVEL // 4):
            now_ns = at_ns + int(index) * 1_000_000_000 // RATE_HZ
            if now_ns - loud_ns >= QUIET_MS * 1_000_000:
                found.append(now_ns)
            loud_ns = now_ns
    return np.array(found, dtype=np.int64)


def latencies_ms(sent_ns: list[int], heard_ns: NDArray[np.int64]) -> list[float]:
    """From the sending of each beep to the first that was heard after it; those that were not heard are left out."""
    found = []
    for at_ns in sent_ns:
        later = heard_ns[heard_ns > at_ns]
        if len(later) and later[0] - at_ns < MOST_MS * 1_000_000:
            found.append(float(later[0] - at_ns) / 1e6)
    return found
