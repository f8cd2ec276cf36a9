"""The support bundle: logs, doctor's rows, configuration without secrets, as one tar.gz in memory."""

import gzip
import hashlib
import io
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from mien.link.redact import redacted

PART_BYTES: Final = 45_000
"""Of one answer: 60 kB as base64, which every broker takes."""
MOST_BYTES: Final = 8_000_000
MOST_CONFIG_BYTES: Final = 1_000_000


def pack(files: Mapping[str, bytes]) -> bytes:
    """The tar.gz. Without times and owners, so that the same board gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"mien-bundle/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0)


def parts(data: bytes, encode: Any) -> Iterator[dict[str, Any]]:
    """The results of the answers that carry it. encode: bytes to base64 text."""
    digest = hashlib.sha256(data).hexdigest()
    count = max(1, -(-len(data) // PART_BYTES))
    for number in range(count):
        piece = data[number * PART_BYTES : (number + 1) * PART_BYTES]
        yield {"part": number, "parts": count, "data": encode(piece), "sha256": digest}


def configuration(path: Path) -> bytes:
    """A TOML file as JSON without its secrets; what is wrong with it, if it cannot be read."""
    try:
        if path.stat().st_size > MOST_CONFIG_BYTES:
            return b"too large"
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return f"{path}: {error.strerror}".encode()
    except (ValueError, RecursionError) as error:
        return f"{path}: {error}".encode()
    return msgspec.json.format(msgspec.json.encode(redacted(tree), enc_hook=str), indent=2)
