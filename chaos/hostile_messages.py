"""Attacks within the wire format: floods, stalls, hanging sessions, invalid names."""

import random
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from chaos import fuzz
from chaos.hostile import Act, Order
from chaos.zmtp import Gone, Peer, message

ANSWER_S: Final = 5.0
SMALL_BUFFER: Final = 4096  # of the kernel's buffer, so that a client that does not read stalls at once
CONTROL: Final = ("a\0b", "line\nfeed", "\x1b[2Jgone", "\x7f", "a\u0085b", "\u202edrow", "tab\tbed", "\r")


def encode(kind: str, **fields: Any) -> bytes:
    """A header."""
    return msgspec.msgpack.encode({"type": kind, **fields})


def say(kind: str, payload: bytes | None = None, **fields: Any) -> bytes:
    """A message as bytes on the connection."""
    header = encode(kind, **fields)
    return message([header] if payload is None else [header, payload])


def enter(order: Order, role: str = "speaker", name: str = "hostile", *, stalls: bool = False) -> Peer | None:
    """Connect and say hello; None on failure, which is counted."""
    peer = order.connect(receive_bytes=SMALL_BUFFER if stalls else 0)
    if peer is None:
        return None
    try:
        peer.open()
        peer.send(say("hello", protocol=1, client=name, role=role, rate_hz=16000))
        answer = peer.message(ANSWER_S)
    except Gone:
        order.count("disconnected")
        peer.close()
        return None
    welcome = answer is not None and kind_of(answer) == "welcome"
    order.count("welcome" if welcome else "not welcome")
    if not welcome:
        peer.close()
        return None
    return peer


def kind_of(frames: list[bytes]) -> str:
    """The type of an answer; "" if it is none."""
    try:
        found = msgspec.msgpack.decode(frames[0])
    except (msgspec.DecodeError, IndexError):
        return ""
    return str(found.get("type", "")) if isinstance(found, dict) else ""


def flood(order: Order) -> None:
    """One type of message, as fast as it is accepted."""
    reads, what = order.args["reads"], order.args["what"]
    role = "observer" if what in ("subscriptions", "thumbnails") else "speaker"
    peer = enter(order, role, stalls=not reads)
    if peer is None:
        return
    make = _FLOODS[what]
    with peer:
        _repeat(order, peer, make, order.args["seconds"], reads=reads)


def _repeat(order: Order, peer: Peer, make: Callable[[int], bytes], seconds: float, *, reads: bool) -> None:
    until_s, number = time.monotonic() + seconds, 0
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            peer.send(b"".join(make(number + one) for one in range(20)), left_s)
            number += 20
            if reads:
                peer.drain()
    except Gone:
        order.count("disconnected or throttled")
    order.notes["sent"] = order.notes.get("sent", 0) + number


_FLOODS: Final[dict[str, Callable[[int], bytes]]] = {
    "captions": lambda n: say("caption", turn=f"c{n % 50}", text="word " * 100),
    "pings": lambda n: say("ping", nonce=n),
    "grains": lambda n: say("audio", b"\x01\x00", turn="grains", seq=n),
    "subscriptions": lambda n: say("subscribe", topics=["state", "captions", "levels", "health"][: n % 5]),
    "hellos": lambda n: say("hello", protocol=1, client=f"h{n}", role="speaker", rate_hz=16000),
    "states": lambda n: say("emotion", name=("happy", "sad", "neutral")[n % 3], intensity=n % 10 / 10),
    "thumbnails": lambda _: say("get_thumbnail", width=320),
    "unknown": lambda n: say("no such message", turn=f"t{n}"),
}


def stalled_observers(order: Order) -> None:
    """Observers that subscribe to everything and never read, with a client that generates many events."""
    held = [enter(order, "observer", f"stone-{n}", stalls=True) for n in range(order.args["count"])]
    stones = [peer for peer in held if peer is not None]
    for peer in stones:
        _quietly(order, peer, say("subscribe", topics=["state", "captions", "levels", "health"]))
    talker = enter(order, "speaker", "talker")
    text = "a word of it " * order.args["words"]
    if talker is not None:
        with talker:
            _repeat(
                order,
                talker,
                lambda n: say("caption", turn=f"c{n % 20}", text=text[:3900]),
                order.args["seconds"],
                reads=True,
            )
    for peer in stones:
        peer.close()


def idle_sessions(order: Order) -> None:
    """As many idle sessions as the voice accepts."""
    held = [enter(order, "speaker", f"idle-{n}") for n in range(order.args["count"])]
    time.sleep(order.args["seconds"])
    for peer in held:
        if peer is not None:
            peer.close()


def hanging_pause(order: Order) -> None:
    """A client that speaks, pauses and hangs while connected: the pause must end, and so must the turn."""
    peer = enter(order, "speaker", "pauser")
    if peer is None:
        return
    with peer:
        _quietly(order, peer, say("audio", b"\x67\x00" * 8000, turn="held", seq=0) + say("end", turn="held"))
        _quietly(order, peer, say("pause"))
        seen = _kinds(peer, order.args["seconds"])
        order.notes["seen"] = sorted(set(seen))
        if "error" not in seen and "finished" not in seen:
            order.wrong.append(
                (
                    "turns",
                    "paused forever",
                    "a client paused and hung, and half a second of speech had not "
                    f"finished after {order.args['seconds']} s; it received {', '.join(sorted(set(seen)))}",
                )
            )


def _kinds(peer: Peer, seconds: float) -> list[str]:
    """Messages received until a turn is finished or refused."""
    seen: list[str] = []
    until_s = time.monotonic() + seconds
    try:
        while (left_s := until_s - time.monotonic()) > 0 and not {"error", "finished"} & set(seen):
            answer = peer.message(left_s)
            if answer is not None:
                seen.append(kind_of(answer))
    except Gone:
        seen.append("error")
    return seen


def hanging_agent(order: Order) -> None:
    """An agent that takes the floor, begins to speak and vanishes."""
    peer = enter(order, "agent", "hanger")
    if peer is None:
        return
    with peer:
        _quietly(order, peer, say("take_floor", queue="hold"))
        _quietly(order, peer, say("audio", b"\x64\x00" * 4000, turn="h", seq=0))
        time.sleep(order.args["seconds"])


def abandoned_turns(order: Order) -> None:
    """Turns that never end, by a client that stays and then leaves."""
    peer = enter(order, "speaker", "forgetful")
    if peer is None:
        return
    with peer:
        for number in range(order.args["count"]):
            _quietly(order, peer, say("audio", b"\x65\x00" * 800, turn=f"left-{number}", seq=0))
        time.sleep(2.0)


def control_names(order: Order) -> None:
    """Control characters in the names of a client, a turn and a caption."""
    for name in CONTROL:
        peer = enter(order, "speaker", f"n{name}")
        if peer is None:
            peer = enter(order, "speaker", "plain")
        if peer is None:
            continue
        with peer:
            _quietly(order, peer, say("caption", turn=name, text=f"said{name}so"))
            _quietly(order, peer, say("audio", b"\x66\x00" * 3200, turn=name, seq=0))
            _quietly(order, peer, say("end", turn=name))
            time.sleep(0.5)
    time.sleep(1.2)  # the voice reports the last turn to systemd once a second


def churn(order: Order) -> None:
    """Clients that connect, say hello and disconnect, in sequence."""
    for number in range(order.args["count"]):
        peer = order.connect()
        if peer is None:
            continue
        with peer:
            try:
                peer.open()
                peer.send(say("hello", protocol=1, client=f"churn-{number}", role="speaker", rate_hz=16000))
                if number % 3:
                    peer.message(0.05)
            except Gone:
                order.count("disconnected")


def fuzz_messages(order: Order) -> None:
    """Random messages by three clients: valid, invalid and corrupted."""
    chance = random.Random(order.args["seed"])
    peers = {role: enter(order, role, f"fuzz-{role}") for role in ("speaker", "agent", "observer")}
    for _ in range(order.args["count"]):
        role = chance.choice(tuple(peers))
        peer = peers[role]
        try:
            if peer is not None:
                peer.send(message(fuzz.frames(chance)))
                peer.drain()
        except Gone:
            order.count("disconnected")
            peers[role] = enter(order, role, f"fuzz-{role}")
    for peer in peers.values():
        if peer is not None:
            peer.close()


def _quietly(order: Order, peer: Peer, data: bytes) -> None:
    try:
        peer.send(data, ANSWER_S)
    except Gone:
        order.count("disconnected")


ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        flood,
        stalled_observers,
        idle_sessions,
        hanging_pause,
        hanging_agent,
        abandoned_turns,
        control_names,
        churn,
        fuzz_messages,
    )
}
