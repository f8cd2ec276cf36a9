"""Decides which endpoints require CURVE, given the configured keys."""

import importlib.util
import ipaddress
import re
from dataclasses import dataclass

import zmq.utils.z85

from mien.errors import ConfigError
from mien.transport.keys import KeyFolder


@dataclass(frozen=True, slots=True)
class Access:
    """open: endpoints that only this machine can reach. guarded: endpoints that require CURVE. pair: the voice's public
    and secret key, 32 bytes each, or None."""

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
    """Split the endpoints. Raises ConfigError when other machines can reach one and the keys for it are missing."""
    guarded = tuple(endpoint for endpoint in listen if not is_local(endpoint))
    open_ = tuple(endpoint for endpoint in listen if is_local(endpoint))
    if not guarded:
        return Access(open_, (), None)
    if importlib.util.find_spec("nacl") is None:
        raise ConfigError(
            f"voice.listen: {guarded[0]} is reachable from other machines, and encryption needs PyNaCl; install it "
            "(pip install PyNaCl, apt install python3-nacl), or leave voice.listen empty"
        )
    pair = folder.voice_pair()
    if pair is None or not folder.allowed():
        raise ConfigError(
            f"voice.listen: {guarded[0]} is reachable from other machines, and {folder.root} has no keys to "
            "authenticate clients; make them with `mien keys make NAME --role speaker`, or leave voice.listen empty"
        )
    public, secret = map(zmq.utils.z85.decode, pair)
    return Access(open_, guarded, (public, secret))
