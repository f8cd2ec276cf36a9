"""Removes from a report what identifies a machine or its owner.

The report is built without host name, user, address, serial number or path. Messages of drivers may still quote one,
so every text passes through here before it is written.
"""

import contextlib
import os
import pwd
import re
import socket
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

ROOT: Final = Path("/")
UNTOLD: Final = frozenset({"root", "mien", "localhost"})
"""Names of accounts and hosts that identify nobody; mien is the image's host name."""
PATTERNS: Final = (
    (re.compile(r"(?<![\w./:])(?:~[\w-]*)?/(?:[\w.@%+~:-]+/)*[\w.@%+~-]*\w/?"), "(path)"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"), "(address)"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![\w:])"), "(address)"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}:?[0-9a-fA-F]{1,4}(?![\w:.])"), "(address)"),
    (re.compile(r"(?<![\w:])fe80:[0-9a-fA-F:]+"), "(address)"),
)
_T = TypeVar("_T", bound=Struct)


def secrets_of(root: Path = ROOT) -> frozenset[str]:
    """This machine's host name, users, serial numbers and hardware addresses. root: where to read from."""
    names = {socket.gethostname(), socket.gethostname().partition(".")[0], _read(root / "etc/hostname")}
    names |= {os.environ.get(key, "") for key in ("USER", "LOGNAME", "SUDO_USER")}
    with contextlib.suppress(KeyError):  # an account without an entry
        names.add(pwd.getpwuid(os.getuid()).pw_name)
    names |= {_read(root / path) for path in ("proc/device-tree/serial-number", "etc/machine-id")}
    names |= {_read(path) for path in (root / "sys/class/dmi/id").glob("*_serial")}
    names |= set(re.findall(r"^Serial\s*: *(\S+)$", _read(root / "proc/cpuinfo"), re.MULTILINE))
    names |= {_read(path) for path in (root / "sys/class/net").glob("*/address")}
    return frozenset(name for name in names if name and name not in UNTOLD)


def scrubbed(text: str, secrets: frozenset[str]) -> str:
    """The text with secrets, paths and addresses replaced."""
    for pattern, instead in PATTERNS:  # first, because a name may be a part of a path
        text = pattern.sub(instead, text)
    for secret in sorted(secrets, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(secret)}(?![\w-])", "(name)", text)
    return text


def without_secrets(report: _T, secrets: frozenset[str]) -> _T:
    """The report with every text scrubbed."""
    return msgspec.convert(_walk(msgspec.to_builtins(report), secrets), type(report))


def found_in(report: Struct, secrets: frozenset[str] = frozenset()) -> list[str]:
    """The texts of a report that scrubbing would change: none in a file that was written by `mien bench board`."""
    return [text for text in _texts(msgspec.to_builtins(report)) if scrubbed(text, secrets) != text]


def _walk(value: Any, secrets: frozenset[str]) -> Any:
    if isinstance(value, str):
        return scrubbed(value, secrets)
    if isinstance(value, dict):
        return {key: _walk(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(inner, secrets) for inner in value]
    return value


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for each in inner for text in _texts(each)]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().strip("\0")
    except OSError:
        return ""
