"""The folder keys/: the voice's key pair with the public keys of remote clients.

Files are regenerated from the checked keys, so that every parser reads the same.
"""

import functools
import re
from pathlib import Path
from typing import Final

from provisioning.files import Files, read_text
from provisioning.mistake import Mistake

SECRET: Final = "keys/voice.key_secret"
_ALLOWED: Final = re.compile(r"keys/allowed/(speaker|agent|observer|listener)/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.key")
_PLACES: Final = (
    "not a valid path: keys/voice.key_secret, or keys/allowed/ROLE/NAME.key with the role speaker, agent, "
    "observer or listener, and a NAME of at most 64 letters, digits, dots and dashes"
)
_REMEDY: Final = "make a new one with `mien keys make`"
_LINE: Final = re.compile(r"^[ \t]*(public|secret)-key(.*)$", re.MULTILINE)
_VALUE: Final = re.compile(r'[ \t]*=[ \t]*"([^"]*)"[ \t]*')
_Z85: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def check_key_file(path: Path, name: str) -> Files:
    """A file made by `mien keys`. name: its path, beginning with keys/. Raises Mistake, OSError."""
    if name not in ("keys/voice.key", SECRET) and not _ALLOWED.fullmatch(name):
        raise Mistake(_PLACES)
    found = _keys_in(read_text(path))
    if "public" not in found:
        raise Mistake(f"not a key file; {_REMEDY}")
    if name == SECRET and "secret" not in found:
        raise Mistake(f"contains no secret key; {_REMEDY}")
    if name != SECRET and "secret" in found:
        raise Mistake("this is a secret key: it stays with its owner; only the public .key file belongs here")
    lines = [f'    {kind}-key = "{found[kind]}"' for kind in ("public", "secret") if kind in found]
    return {f"mien/{name}": "\n".join(["# A CurveZMQ certificate, imported from the card", "curve", *lines, ""])}


def is_key(text: str) -> bool:
    """Whether this is 32 bytes in Z85 (rfc.zeromq.org/spec/32): 40 characters, each group of five below 2**32."""
    if len(text) != 40 or not set(text) <= set(_Z85):
        return False
    fives = (text[at : at + 5] for at in range(0, 40, 5))
    return all(functools.reduce(lambda value, sign: value * 85 + _Z85.index(sign), five, 0) < 2**32 for five in fives)


def _keys_in(text: str) -> dict[str, str]:
    """kind -> key, for "public" and "secret". Raises Mistake, which never quotes a key."""
    found: dict[str, str] = {}
    for kind, rest in _LINE.findall(text):
        value = _VALUE.fullmatch(rest)
        if value is None or not is_key(value[1]):
            raise Mistake(f"its {kind} key is damaged (a key is 40 characters of Z85); {_REMEDY}")
        if kind in found:
            raise Mistake(f"contains two {kind} keys; {_REMEDY}")
        found[kind] = value[1]
    return found
