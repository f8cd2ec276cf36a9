"""Passwords of people, as mosquitto's password file wants them.

A line is NAME:$7$ITERATIONS$SALT$HASH, PBKDF2 with HMAC-SHA-512. The passwords are made here, with 120 bits of chance,
so that few iterations are enough: the broker has one thread and computes them at every sign-in.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

ITERATIONS: Final = 1000
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none that look alike
_GROUPS: Final = 4
_GROUP: Final = 6
_SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64


def make_password() -> str:
    """A new password: four groups of six signs."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def hashed(password: str, salt: bytes | None = None) -> str:
    """The hash of a password, for the broker's file."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    return f"$7${ITERATIONS}${_b64(salt)}${_b64(_digest(password, salt, ITERATIONS))}"


def is_right(password: str, stored: str) -> bool:
    """Whether a password has this hash. False for a hash of another kind."""
    parts = stored.split("$")
    try:
        if len(parts) != 5 or parts[:2] != ["", "7"]:
            return False
        salt, expected = base64.b64decode(parts[3]), base64.b64decode(parts[4])
        return hmac.compare_digest(_digest(password, salt, int(parts[2])), expected)
    except (ValueError, binascii.Error):
        return False


def _digest(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
