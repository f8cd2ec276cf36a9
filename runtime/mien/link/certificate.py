"""How long the board's own certificate is valid: read from its file, without a cryptography library.

TLS 1.3 tells a client nothing about why its certificate was refused, so the board looks for itself.
"""

import base64
import calendar
import re
import time
from pathlib import Path
from typing import Final, NamedTuple

from mien.errors import ConfigError

_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\s+(.*?)-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE: Final = 0x30
_UTC_TIME: Final = 0x17
_VERSION: Final = 0xA0


class Validity(NamedTuple):
    """UTC seconds."""

    begins: float
    ends: float


def validity(path: Path) -> Validity:
    """The validity of a PEM file's first certificate (RFC 5280, 4.1). Raises ConfigError."""
    try:
        found = _PEM.search(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"broker.certificate: {path}: {error.strerror}") from None
    if found is None:
        raise ConfigError(f"broker.certificate: {path}: no PEM certificate in it")
    try:
        return _read(base64.b64decode(found.group(1)))
    except (ValueError, IndexError):
        raise ConfigError(f"broker.certificate: {path}: no certificate that can be read; copy it again") from None


def _read(der: bytes) -> Validity:
    """Raises ValueError or IndexError for other bytes."""
    tbs = _content(_content(der, 0, _SEQUENCE), 0, _SEQUENCE)
    at = 0
    skip = 5 if tbs[0] == _VERSION else 4  # version; serial number, algorithm, issuer
    for _ in range(skip - 1):
        at = _end(tbs, at)
    dates = _content(tbs, at, _SEQUENCE)
    return Validity(_time(dates, 0), _time(dates, _end(dates, 0)))


def _header(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins, and its length."""
    length = der[at + 1]
    if length < 0x80:
        return at + 2, length
    digits = length & 0x7F
    return at + 2 + digits, int.from_bytes(der[at + 2 : at + 2 + digits], "big")


def _end(der: bytes, at: int) -> int:
    begin, length = _header(der, at)
    return begin + length


def _content(der: bytes, at: int, tag: int) -> bytes:
    if der[at] != tag:
        raise ValueError("another element")
    begin, length = _header(der, at)
    return der[begin : begin + length]


def _time(dates: bytes, at: int) -> float:
    """UTCTime, or GeneralizedTime from 2050 on."""
    form = "%y%m%d%H%M%SZ" if dates[at] == _UTC_TIME else "%Y%m%d%H%M%SZ"
    text = _content(dates, at, dates[at]).decode("ascii")
    return float(calendar.timegm(time.strptime(text, form)))
