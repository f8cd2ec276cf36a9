"""Attacks by clients whose key does not permit what they try."""

import contextlib
import time
from typing import Any, Final

import zmq
import zmq.auth

from chaos.hostile import Act, Order
from chaos.hostile_messages import encode, kind_of

PATIENCE_MS: Final = 4000


def stranger(order: Order) -> None:
    """Use a key that is not on the list: the voice must not answer."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = _dealer(context, order, "curve", zmq.curve_keypair())
    socket.send(encode("hello", protocol=1, client="stranger", role="speaker", rate_hz=16000))
    if socket.poll(PATIENCE_MS):
        answer = kind_of(socket.recv_multipart())
        order.wrong.append(("access", "stranger", f"a key that is not on the list was answered with {answer!r}"))
    context.destroy(linger=0)


def stolen_identity(order: Order) -> None:
    """Reuse the routing id of an agent that left, without a hello: the voice must not accept it."""
    where = order.args["where"]
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    identity = b"stolen-" + str(time.monotonic_ns()).encode()
    ada = _dealer(context, order, where, _keys(order, "ada"), identity)
    ada.send(encode("hello", protocol=1, client="ada", role="agent", rate_hz=16000))
    if not ada.poll(PATIENCE_MS) or kind_of(ada.recv_multipart()) != "welcome":
        order.count("the agent was refused")
        context.destroy(linger=0)
        return
    ada.close(linger=0)
    time.sleep(0.05)
    eve = _dealer(context, order, where, _keys(order, "eve"), identity)
    with contextlib.suppress(zmq.Again):
        eve.send(encode("take_floor", queue="hold"))
        eve.send(encode("ping", nonce=7))
    seen = _answers(eve)
    if "pong" in seen or "floor" in seen:
        order.wrong.append(
            (
                "access",
                "stolen identity",
                f"without a hello, with another's routing id, on {where}: it was answered with {', '.join(seen)}",
            )
        )
    context.destroy(linger=0)


def _answers(socket: "zmq.Socket[bytes]") -> list[str]:
    seen: list[str] = []
    until_s = time.monotonic() + 1.5
    while time.monotonic() < until_s:
        if socket.poll(100):
            seen.append(kind_of(socket.recv_multipart()))
    return seen


def _keys(order: Order, name: str) -> tuple[bytes, bytes]:
    public, secret = zmq.auth.load_certificate(f"{order.doors['keys']}/clients/{name}.key_secret")
    return public, secret or b""


def _dealer(
    context: "zmq.Context[Any]", order: Order, where: str, pair: tuple[bytes, bytes], identity: bytes = b""
) -> "zmq.Socket[bytes]":
    address = order.address(where)
    socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDTIMEO, PATIENCE_MS)
    if identity:
        socket.setsockopt(zmq.ROUTING_ID, identity)
    if where == "curve":
        socket.curve_publickey, socket.curve_secretkey = pair
        socket.curve_serverkey = zmq.auth.load_certificate(f"{order.doors['keys']}/voice.key")[0]
    socket.connect(f"ipc://{address}" if isinstance(address, str) else f"tcp://{address[0]}:{address[1]}")
    return socket


ACTS: Final[dict[str, Act]] = {act.__name__: act for act in (stranger, stolen_identity)}
