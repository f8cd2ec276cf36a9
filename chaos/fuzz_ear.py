"""Reports of an ear for fuzzing a running voice: valid, invalid or corrupted."""

import random
from typing import Any, Final

import msgspec

VERSION: Final = b"\x01"
STATES: Final = ("ok", "muted", "no_card", "no_echo_reference", "silent", "clipping", "loopback", "asleep")


def frames(chance: random.Random) -> list[bytes]:
    """One report, with its payload if it has one."""
    good = _good(chance)
    match chance.randrange(6):
        case 0:
            return [chance.randbytes(chance.randrange(60)) for _ in range(chance.randint(1, 4))]
        case 1:
            spoiled = bytearray(good[0])
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            return [bytes(spoiled), *good[1:]]
        case 2:
            return [*good, chance.randbytes(chance.choice((0, 1, 639, 8000)))]
        case _:
            return good


def _good(chance: random.Random) -> list[bytes]:
    at_ns = chance.choice((0, 10**9, 2**62, -(2**62)))
    utterance = chance.choice((0, 1, 2, 2**63))
    match chance.randrange(4):
        case 0:
            encoding, size = chance.choice((("s16le", 640), ("opus", 60), ("s16le", 2), ("mp3", 9)))
            block = ["NearEnd", chance.choice((0, 1, 5, 2**40)), at_ns, encoding, chance.random() < 0.5]
            return [_header(block), chance.randbytes(size)]
        case 1:
            return [_header(["UserStarted", utterance, at_ns, chance.choice((0.5, 1, 7.0, float("nan")))])]
        case 2:
            return [_header(["UserStopped", utterance, at_ns, at_ns, 0.5])]
        case _:
            counters = {f"c{number}": number for number in range(chance.choice((0, 3, 300)))}
            return [_header(["EarHealth", chance.randrange(9), chance.choice(STATES), "why", -40.0, -50.0, counters])]


def _header(report: list[Any]) -> bytes:
    return VERSION + msgspec.msgpack.encode(report)
