"""Probe client: does the voice accept clients and answer them?"""

import time
from typing import Any, Final

import zmq
import zmq.auth

from chaos.world import World
from mien.core import wire
from mien.errors import ProtocolError

ANSWER_S: Final = 4.0


class Probe:
    """Connects and says hello. where: ipc, tcp or curve. key: name of the key on curve. welcomed: whether accepted."""

    def __init__(self, world: World, where: str, key: str = "kim", role: wire.Role = "speaker") -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDTIMEO, int(ANSWER_S * 1000))
        if where == "curve":
            folder = world.places["keys"]
            public, secret = zmq.auth.load_certificate(folder / f"clients/{key}.key_secret")
            self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            self._socket.curve_serverkey = zmq.auth.load_certificate(folder / "voice.key")[0]
        self._socket.connect(world.endpoints[where])
        self._socket.send(wire.encode(wire.Hello(protocol=1, client="probe", role=role)))
        self.refusal = "no answer"
        self.welcomed = self._await(wire.Welcome)

    def answers(self) -> bool:
        """Whether a ping is answered."""
        try:
            self._socket.send(wire.encode(wire.Ping(nonce=77)))
        except zmq.Again:  # libzmq drops the queue of a connection whose key was refused
            return False
        return self._await(wire.Pong, nonce=77)

    def close(self) -> None:
        """Hang up."""
        self._context.destroy(linger=0)

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _await(self, kind: type, nonce: int | None = None) -> bool:
        until_s = time.monotonic() + ANSWER_S
        while (left_s := until_s - time.monotonic()) > 0:
            if not self._socket.poll(int(left_s * 1000)):
                continue
            try:
                message = wire.decode_voice(self._socket.recv_multipart()[0])
            except ProtocolError:
                continue
            if isinstance(message, kind) and (nonce is None or getattr(message, "nonce", None) == nonce):
                return True
            if isinstance(message, wire.Error):
                self.refusal = f"{message.code}: {message.message}"
                return False
        return False
