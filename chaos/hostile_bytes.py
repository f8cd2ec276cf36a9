"""Attacks with raw bytes, on any socket."""

import random
import struct
import time
from typing import Final

from chaos.hostile import Act, Order
from chaos.zmtp import GREETING, LONG, MORE, Gone, Peer, command, frame, message, ready

KIND_OF: Final = {"bus": b"SUB", "report": b"PUSH", "far_end": b"SUB", "ear": b"PUSH"}


def bare_connects(order: Order) -> None:
    """Silent connections."""
    held = _connections(order)
    time.sleep(order.args["hold_s"])
    _close(held)


def half_greetings(order: Order) -> None:
    """Connections that stop within the greeting."""
    held = _connections(order)
    for number, peer in enumerate(held):
        _try(order, peer, GREETING[: number % len(GREETING)])
    time.sleep(order.args["hold_s"])
    _close(held)


def slowloris(order: Order) -> None:
    """Connections that greet one byte at a time without completing."""
    held = _connections(order)
    stream = GREETING + ready(_kind(order)) + frame(b"x" * 200, MORE) * 50
    until_s, at = time.monotonic() + order.args["seconds"], 0
    while time.monotonic() < until_s and at < len(stream):
        held = [peer for peer in held if _try(order, peer, stream[at : at + 1])]
        at += 1
        time.sleep(0.05)
    _close(held)


def garbage(order: Order) -> None:
    """Random bytes, from the start or after a valid greeting."""
    chance = random.Random(order.args["seed"])
    for number in range(order.args["count"]):
        peer = order.connect()
        if peer is None:
            continue
        with peer:
            opening = (b"", GREETING, GREETING + ready(_kind(order)))[number % 3]
            _try(order, peer, opening + chance.randbytes(chance.choice((1, 10, 64, 100, 5_000, 200_000))))
            time.sleep(0.005)


def mutated_streams(order: Order) -> None:
    """A client's stream with bytes changed, removed or repeated, in pieces of random size."""
    chance = random.Random(order.args["seed"])
    for _ in range(order.args["count"]):
        peer = order.connect()
        if peer is None:
            continue
        with peer:
            send_in_pieces(order, peer, mutate(chance, good_stream(chance, _kind(order))), chance)


def good_stream(chance: random.Random, kind: bytes) -> bytes:
    """A greeting, READY and a few messages of random frames."""
    bodies = [[chance.randbytes(chance.choice((0, 1, 20, 300))) for _ in range(chance.randint(1, 3))] for _ in range(4)]
    hello = b"\x84\xa4type\xa5hello\xa8protocol\x01\xa4role\xa8observer\xa6client\xa4fuzz"
    return GREETING + ready(kind) + message([hello]) + b"".join(map(message, bodies)) + command(b"PING", b"\0\0x")


def mutate(chance: random.Random, stream: bytes) -> bytes:
    """Change, remove and repeat some bytes."""
    spoiled = bytearray(stream)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(spoiled))
        match chance.randrange(4):
            case 0:
                spoiled[at] = chance.randrange(256)
            case 1:
                del spoiled[at : at + chance.randint(1, 9)]
                spoiled += b"\0"
            case 2:
                spoiled[at:at] = spoiled[at : at + chance.randint(1, 64)]
            case _:
                spoiled[at] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def send_in_pieces(order: Order, peer: Peer, stream: bytes, chance: random.Random) -> None:
    """Split a stream at random, as TCP may."""
    at = 0
    while at < len(stream):
        size = chance.choice((1, 3, 64, 1000))
        if not _try(order, peer, stream[at : at + size]):
            return
        at += size
    order.count("streams")


def endless_message(order: Order) -> None:
    """A message of endless frames, until the peer disconnects or the bound is reached."""
    body = bytes(order.args["frame_bytes"])
    one = frame(body, MORE)
    _pour(order, one * max(1, (1 << 16) // len(one)))


def huge_frame(order: Order) -> None:
    """A frame with an enormous announced size."""
    _pour(order, bytes(1 << 16), bytes([LONG]) + struct.pack(">Q", order.args["claimed"]))


def odd_commands(order: Order) -> None:
    """Commands instead of messages: unknown ones, PING, SUBSCRIBE, malformed ones."""
    chance = random.Random(order.args["seed"])
    peer = _opened(order)
    if peer is None:
        return
    names = (b"PING", b"PONG", b"SUBSCRIBE", b"CANCEL", b"READY", b"ERROR", b"JOIN", b"HELLO", b"", b"x" * 255)
    with peer:
        for _ in range(order.args["count"]):
            if not _try(
                order, peer, command(chance.choice(names), chance.randbytes(chance.choice((0, 1, 2, 30, 3000))))
            ):
                return


def _pour(order: Order, piece: bytes, first: bytes = b"") -> None:
    """Repeat `piece` up to the bound in megabytes."""
    peer = _opened(order)
    if peer is None:
        return
    with peer:
        sent, most = 0, order.args["mb"] * 1_000_000
        until_s = time.monotonic() + 15.0
        _try(order, peer, first)
        while sent < most and time.monotonic() < until_s:
            if not _try(order, peer, piece):
                break
            sent += len(piece)
        order.notes["sent_mb"] = round(sent / 1e6, 1)
        time.sleep(0.5)


def _opened(order: Order) -> Peer | None:
    peer = order.connect()
    try:
        if peer is not None:
            peer.open(_kind(order))
    except Gone:
        order.count("refused")
        return None
    return peer


def _kind(order: Order) -> bytes:
    """The socket type that the door expects."""
    return KIND_OF.get(order.args["where"], b"DEALER")


def _connections(order: Order) -> list[Peer]:
    found = (order.connect() for _ in range(order.args["count"]))
    return [peer for peer in found if peer is not None]


def _try(order: Order, peer: Peer, data: bytes) -> bool:
    try:
        peer.send(data)
    except Gone:
        order.count("disconnected")
        return False
    return True


def _close(peers: list[Peer]) -> None:
    for peer in peers:
        peer.close()


ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        bare_connects,
        half_greetings,
        slowloris,
        garbage,
        mutated_streams,
        endless_message,
        huge_frame,
        odd_commands,
    )
}
