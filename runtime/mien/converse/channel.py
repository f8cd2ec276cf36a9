"""Messages to the process of an engine, over its standard streams.

A message is one line of JSON. `bytes`, where present, is the length of the payload that follows the line.

    to the engine    {"id": 7, "text": "Good morning", ...}    a request; one at a time
                     {"cancel": 7}                             its result is not wanted any more
    from the engine  {"ready": true} or {"failed": "why"}      once, after loading
                     {"id": 7, ..., "bytes": 4410} + payload   a part of the result
                     {"id": 7, "done": true}                   or {"id": 7, "error": "why", "done": true}
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, BinaryIO, Final

from mien.errors import ConverseError

Header = dict[str, Any]

MAX_LINE_BYTES: Final = 1 << 20
MAX_PAYLOAD_BYTES: Final = 64 << 20


def pack(header: Header, payload: bytes = b"") -> bytes:
    """One message."""
    if payload:
        header = {**header, "bytes": len(payload)}
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + payload


def unpack_header(line: bytes) -> tuple[Header, int]:
    """The header with the length of its payload. Raises ConverseError for anything else."""
    try:
        header = json.loads(line)
        size = int(header.get("bytes", 0)) if isinstance(header, dict) else -1
    except (ValueError, TypeError):
        size = -1
    if not 0 <= size <= MAX_PAYLOAD_BYTES:
        raise ConverseError(f"the engine answered with something that is no message: {line[:80]!r}")
    return header, size


def read(stream: BinaryIO) -> tuple[Header, bytes] | None:
    """The next message of a blocking stream; None at its end."""
    line = stream.readline(MAX_LINE_BYTES)
    if not line:
        return None
    header, size = unpack_header(line)
    return header, stream.read(size) if size else b""


async def read_async(stream: asyncio.StreamReader) -> tuple[Header, bytes] | None:
    """The next message; None at the end of the stream. Raises ConverseError for anything else."""
    try:
        line = await stream.readline()
        if not line:
            return None
        header, size = unpack_header(line)
        return header, await stream.readexactly(size) if size else b""
    except (ValueError, asyncio.IncompleteReadError) as error:
        raise ConverseError(f"the engine's answer broke off: {error}") from None
