"""How late an agent's first sound is at a simulated kiosk while all others talk."""

import itertools
import json
import random
import secrets
import time
from collections.abc import Sequence
from typing import Final

from fleet_sim.probe import Probe
from fleet_sim.streams import opus_packet
from mien.fleet.packets import PACKET_MS, Sound, encode_sound

STRETCHES: Final = 12
MESSAGES: Final = 10
PACKETS: Final = 3  # of 20 ms, in one message
PAUSE_S: Final = 1.0


def order(command: str) -> bytes:
    """The payload of a command without arguments."""
    return json.dumps({"command": command, "id": secrets.token_hex(8), "at": time.time()}).encode()


def speak(probe: Probe, board: str, chance: random.Random) -> list[float]:
    """Take the floor of a board, speak, hand back. Returns when each stretch began, CLOCK_MONOTONIC."""
    probe.command(board, order("take_floor"))
    time.sleep(PAUSE_S)
    began, numbers = [], itertools.count()
    for _ in range(STRETCHES):
        began.append(time.monotonic())
        for message in range(MESSAGES):
            packets = tuple(opus_packet(chance) for _ in range(PACKETS))
            at_ms = round(1000 * time.time()) - PACKET_MS * PACKETS
            sound = Sound(next(numbers) & 0xFFFF, at_ms, packets, message == 0, message == MESSAGES - 1)
            probe.speech(board, encode_sound(sound))
            time.sleep(max(0.0, began[-1] + (message + 1) * PACKETS * PACKET_MS / 1000 - time.monotonic()))
        time.sleep(PAUSE_S)
    probe.command(board, order("release_floor"))
    return began


def latencies_s(began: Sequence[float], heard: Sequence[float]) -> list[float]:
    """From the first sample of each stretch, which is sent a message later, until the kiosk's voice has it.

    A stretch that nobody heard before the next one counts as infinitely late.
    """
    message_s = PACKETS * PACKET_MS / 1000
    ends = [*began[1:], float("inf")]
    late = []
    for at_s, next_s in zip(began, ends, strict=True):
        first = next((each for each in heard if at_s <= each < next_s), float("inf"))
        late.append(first - at_s + message_s)
    return late
