"""Messages for fuzzing a running voice: valid, invalid or corrupted. None changes the sound of other clients."""

import random
from typing import Any, Final

import msgspec

VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    1,
    7,
    2**31,
    2**63,
    -(2**40),
    0.5,
    -0.5,
    float("inf"),
    float("nan"),
    "",
    "t1",
    "x" * 70,
    "a\0b",
    "speaker",
    "agent",
    "observer",
    "hold",
    b"",
    b"\x00\xff",
    [],
    [1, 2],
    ["state"],
    {"a": 1},
    [["w", 0, 10]],
)
FIELDS: Final = (
    "turn",
    "seq",
    "protocol",
    "client",
    "role",
    "rate_hz",
    "encoding",
    "capabilities",
    "state",
    "name",
    "intensity",
    "x",
    "y",
    "text",
    "words",
    "append",
    "queue",
    "topics",
    "width",
    "nonce",
    "mode",
)
KINDS: Final = (
    "audio",
    "audio",
    "audio",
    "end",
    "interrupt",
    "hello",
    "caption",
    "state",
    "emotion",
    "gesture",
    "look_at",
    "ping",
    "take_floor",
    "release_floor",
    "subscribe",
    "get_thumbnail",
    "pause",
    "resume",
    "bye",
    "listen",
    "mute",
    "unmute",
    "nonsense",
)


def frames(chance: random.Random) -> list[bytes]:
    """One message. Its audio, if any, is the constant 100."""
    match chance.randrange(8):
        case 0:
            return [chance.randbytes(chance.randrange(60)) for _ in range(chance.randint(1, 4))]
        case 1:
            fields = {chance.choice(FIELDS): chance.choice(VALUES) for _ in range(chance.randrange(5))}
            return [msgspec.msgpack.encode({**fields, "type": chance.choice(KINDS)})]
        case 2:
            return _spoiled(chance, _good(chance))
        case _:
            return _good(chance)


def _good(chance: random.Random) -> list[bytes]:
    kind = chance.choice(KINDS)
    fields: dict[str, Any] = {}
    if kind in ("audio", "end", "caption", "interrupt"):
        fields["turn"] = f"f{chance.randrange(8)}"
    match kind:
        case "audio":
            fields["seq"] = chance.choice((0, 0, 1, 2, 2**40))
            return [_header(kind, fields), b"\x64\x00" * chance.choice((0, 1, 80, 320, 3200))]
        case "hello":
            fields |= {
                "protocol": chance.choice((1, 1, 2)),
                "client": "fuzz",
                "rate_hz": 16000,
                "role": chance.choice(("speaker", "agent", "observer")),
                "encoding": chance.choice(("s16le", "s16le", "opus")),
            }
        case "caption":
            fields |= {"text": "text", "words": [["word", n * 10, n * 10 + 9] for n in range(chance.randrange(20))]}
        case "state" | "emotion" | "gesture":
            fields |= {"state": {"state": "thinking"}, "emotion": {"name": "happy"}, "gesture": {"name": "nod"}}[kind]
        case "listen":
            fields |= {"mode": chance.choice(("speech", "always", "off")), "encoding": chance.choice(("s16le", "opus"))}
        case "subscribe":
            fields["topics"] = chance.choice(([], ["state", "levels"], ["captions", "health"]))
    return [_header(kind, fields)]


def _header(kind: str, fields: dict[str, Any]) -> bytes:
    return msgspec.msgpack.encode({"type": kind, **fields})


def _spoiled(chance: random.Random, good: list[bytes]) -> list[bytes]:
    """Change some bytes. No such change can produce `volume`, which would alter other clients' sound."""
    spoiled = bytearray(good[0])
    for _ in range(chance.randrange(1, 4)):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return [bytes(spoiled), *good[1:]]
