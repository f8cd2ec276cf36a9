"""Attacks on the bus's sockets by an impostor face."""

import random
import time
from typing import Final

from chaos.hostile import Act, Order
from chaos.zmtp import Gone, Peer, frame, message
from mien.core import bus

VERSION: Final = bytes([bus.BUS_VERSION])
LAST_EPOCH: Final = 2**63 - 1


def report_flood(order: Order) -> None:
    """Invalid reports, unsolicited thumbnails and poses, motion of the largest epoch."""
    peer = _opened(order, "report", b"PUSH")
    if peer is None:
        return
    chance = random.Random(order.args["count"])
    with peer:
        for number in range(order.args["count"]):
            peer.send(message([_report(chance, order.args["what"], number)]))
        time.sleep(0.3)


def _report(chance: random.Random, what: str, number: int) -> bytes:
    if what == "motion_ready":
        epoch = (LAST_EPOCH, 2**64 - 1, -1, 0)[number % 4]
        return bus.encode(bus.MotionReady(epoch=epoch, ready_ns=(LAST_EPOCH, 0)[number % 2]))
    if what == "thumbnails":
        data = b"x" * (1 << (number % 18))
        return bus.encode(bus.Thumbnail(epoch=number, width=320, height=240, encoding="jpeg", data=data))
    if what == "poses":
        seq, at_ns = ((LAST_EPOCH, -1, 2**64 - 1, number)[number % 4] for _ in range(2))
        frames = chance.randbytes(1 << (number % 12))
        return bus.encode(bus.PoseBatch(epoch=number, seq=seq, at_ns=at_ns, key=bool(number % 2), frames=frames))
    body = chance.randbytes(chance.choice((0, 1, 20, 200)))
    return chance.choice((b"", VERSION, b"\x01")) + body


def bus_stalled(order: Order) -> None:
    """Subscribers to everything that never read."""
    held = []
    for _ in range(order.args["count"]):
        peer = _opened(order, "bus", b"SUB", receive_bytes=4096)
        if peer is not None:
            _send(order, peer, frame(b"\x01"))
            held.append(peer)
    time.sleep(order.args["seconds"])
    for peer in held:
        peer.close()


def bus_subscriptions(order: Order) -> None:
    """A subscriber to very many topics that are never published."""
    peer = _opened(order, "bus", b"SUB")
    if peer is None:
        return
    chance = random.Random(order.args["seed"])
    with peer:
        for done in range(0, order.args["count"], 500):
            many = b"".join(frame(b"\x01" + chance.randbytes(100)) for _ in range(500))
            if not _send(order, peer, many):
                break
            order.notes["sent"] = done + 500
        time.sleep(1.0)


def _opened(order: Order, where: str, kind: bytes, *, receive_bytes: int = 0) -> Peer | None:
    peer = order.connect(where, receive_bytes=receive_bytes)
    try:
        if peer is not None:
            peer.open(kind)
    except Gone:
        order.count("refused")
        if peer is not None:
            peer.close()
        return None
    return peer


def _send(order: Order, peer: Peer, data: bytes) -> bool:
    try:
        peer.send(data)
    except Gone:
        order.count("disconnected")
        return False
    return True


ACTS: Final[dict[str, Act]] = {act.__name__: act for act in (report_flood, bus_stalled, bus_subscriptions)}
