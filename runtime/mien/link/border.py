"""The border: what comes from the broker is checked here, once, before anything happens.

Every payload is hostile until its struct was built. A refusal names the field.
"""

import re
from typing import Any, Final

import msgspec

from mien.fleet.command import MAX_COMMAND_BYTES, Command, CommandBase, Refusal, Watch

_COMMANDS: Final = msgspec.json.Decoder(Command)
_WATCHES: Final = msgspec.json.Decoder(Watch)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MAX_WATCH_BYTES: Final = 512
MAX_SPEECH_BYTES: Final = 16_384
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")
_MESSAGE_CHARACTERS: Final = 300


def read_command(payload: bytes) -> CommandBase | Refusal:
    """A command, or why it is none."""
    if len(payload) > MAX_COMMAND_BYTES:
        return _too_large(len(payload), MAX_COMMAND_BYTES)
    try:
        command = _COMMANDS.decode(payload)
    except _UNREADABLE as error:
        return _bad(error)
    if not _ID.fullmatch(command.id):  # Python's $ lets a line feed pass, which a JSON Schema does not
        return Refusal(code="bad_payload", message="an id is 8 to 64 of A-Z, a-z, 0-9, _ and -", path="id")
    return command


def read_watch(payload: bytes) -> Watch | Refusal:
    """A watch, or why it is none."""
    if len(payload) > MAX_WATCH_BYTES:
        return _too_large(len(payload), MAX_WATCH_BYTES)
    try:
        return _WATCHES.decode(payload)
    except _UNREADABLE as error:
        return _bad(error)


def claimed(payload: bytes) -> tuple[str, str]:
    """The id and the name that a refused command claims, to answer it; empty where it has none that can be used."""
    if len(payload) > MAX_COMMAND_BYTES:
        return "", ""
    try:
        raw = msgspec.json.decode(payload)
    except _UNREADABLE:
        return "", ""
    if not isinstance(raw, dict):
        return "", ""
    return _usable(raw.get("id")), _usable(raw.get("command"), least=1)


def _usable(value: Any, least: int = 8) -> str:
    if not isinstance(value, str) or not least <= len(value) <= 64:
        return ""
    return value if _ID.fullmatch(value.ljust(8, "_")) else ""


def _too_large(size: int, most: int) -> Refusal:
    return Refusal(code="bad_payload", message=f"{size} bytes; at most {most}")


def _bad(error: Exception) -> Refusal:
    text = str(error)[:_MESSAGE_CHARACTERS]
    if isinstance(error, RecursionError):
        text = "nested too deeply"
    found = _PATH.search(text)
    return Refusal(code="bad_payload", message=text, path=found.group(1) if found else "")
