"""Which endpoints need keys, and whether they are there."""

import ipaddress
import re
from dataclasses import dataclass

import zmq

from mien.errors import ConfigError
from mien.transport.keys import KeyFolder


@dataclass(frozen=True, slots=True)
class Access:
    """open: endpoints that this machine alone can reach. guarded: those that need a key. pair: the voice's, or None."""

    open: tuple[str, ...]
    guarded: tuple[str, ...]
    pair: tuple[bytes, bytes] | None


def is_local(endpoint: str) -> bool:
    """Whether only this machine can reach an endpoint: ipc, or tcp on a loopback address."""
    if endpoint.startswith("ipc://"):
        return True
    host = re.sub(r":[^:\]]*$", "", endpoint.removeprefix("tcp://")).strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def plan_access(listen: tuple[str, ...], folder: KeyFolder) -> Access:
    """Sort the endpoints. Raises ConfigError when one can be reached from beyond this machine and there are no keys."""
    guarded = tuple(endpoint for endpoint in listen if not is_local(endpoint))
    open_ = tuple(endpoint for endpoint in listen if is_local(endpoint))
    if not guarded:
        return Access(open_, (), None)
    if not zmq.has("curve"):
        raise ConfigError(f"voice.listen: {guarded[0]} can be reached from beyond this machine, and this libzmq was "
                          "built without CURVE; install one with it, or listen on tcp://127.0.0.1:5570 only")
    pair = folder.voice_pair()
    if pair is None or not folder.allowed():
        raise ConfigError(
            f"voice.listen: {guarded[0]} can be reached from beyond this machine, and {folder.root} has no keys that "
            "could tell who is there; make them with `mien keys make NAME --role speaker`, or listen on "
            "tcp://127.0.0.1:5570 only")
    return Access(open_, guarded, pair)
