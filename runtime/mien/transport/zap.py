"""Who is let in: the check of the key that every connection from beyond this machine presents.

This is ZAP (rfc.zeromq.org/spec/27), answered in the voice's own loop, so that there is no thread. libzmq asks before
the first message of a connection is delivered, and hangs up on whoever is refused.
"""

import logging
from typing import Final

import zmq
import zmq.utils.z85

from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import ConfigError
from mien.transport.keys import KeyFolder
from mien.units import NS_PER_S

log = logging.getLogger("mien.access")

DOMAIN: Final = b"mien"
REQUESTS_A_STEP: Final = 4
REREAD_NS: Final = NS_PER_S  # a key that is put into the folder or taken out counts from the next connection on
_ENDPOINT: Final = "inproc://zeromq.zap.01"


class KeyCheck:
    """Answers libzmq's questions from the list in the folder. Bind before the sockets that it guards."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", folder: KeyFolder, clock: Clock,
                 counters: Counters) -> None:
        self._folder = folder
        self._clock = clock
        self._counters = counters
        self._users: dict[bytes, str] = {}
        self._read_ns: int | None = None
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(_ENDPOINT)

    def step(self) -> None:
        """Answer what waits, a few at a time."""
        for _ in range(REQUESTS_A_STEP):
            try:
                request = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.socket.send_multipart(self._answer(request))

    def close(self) -> None:
        """Let nobody in any more."""
        self.socket.close()

    def _answer(self, request: list[bytes]) -> list[bytes]:
        version, number, _, address, _, mechanism, *credentials = request
        user = self._user(credentials[0]) if mechanism == b"CURVE" and credentials else None
        if user is None:
            self._counters.count("access_refused")
            log.warning("refused %s: its key is not on the list", address.decode(errors="replace"))
            return [version, number, b"400", b"this key is not on the list", b"", b""]
        self._counters.count("access_granted")
        return [version, number, b"200", b"OK", user.encode(), b""]

    def _user(self, public: bytes) -> str | None:
        now_ns = self._clock.now_ns()
        if self._read_ns is None or now_ns - self._read_ns > REREAD_NS:
            self._read_ns = now_ns
            self._read()
        return self._users.get(public)

    def _read(self) -> None:
        try:
            self._users = {zmq.utils.z85.decode(key.public): key.user_id for key in self._folder.allowed()}
        except ConfigError as error:  # what was known stays in force
            log.error("%s", error)
