"""Authenticates clients by the keys in the key directory, which is re-read while the service runs."""

import logging
from typing import Final

from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.transport.keys import KeyFolder
from mien.units import NS_PER_S

log = logging.getLogger("mien.access")

REREAD_NS: Final = NS_PER_S  # how soon an added or removed key takes effect


class KeyCheck:
    """Maps public keys to users. An invalid key file is logged once; the other keys stay valid."""

    def __init__(self, folder: KeyFolder, clock: Clock, counters: Counters) -> None:
        self._folder = folder
        self._clock = clock
        self._counters = counters
        self._users: dict[bytes, str] = {}
        self._logged: tuple[str, ...] = ()
        self._read_ns: int | None = None

    def user_of(self, public: bytes) -> str | None:
        """The user id ("role/name") of a public key of 32 bytes; None for an unknown key."""
        self.step()
        user = self._users.get(public)
        self._counters.count("access_refused" if user is None else "access_granted")
        return user

    def listed(self, user_id: str) -> bool:
        """Whether this user's key is still in the directory."""
        return user_id in self._users.values()

    def step(self) -> bool:
        """Re-read the directory when due. Returns whether it was read."""
        now_ns = self._clock.now_ns()
        if self._read_ns is not None and now_ns - self._read_ns < REREAD_NS:
            return False
        self._read_ns = now_ns
        found = self._folder.read()
        self._users = {key.raw: key.user_id for key in found.keys}
        if found.problems != self._logged:
            self._logged = found.problems
            for problem in found.problems:
                log.error("%s", problem)
        return True
