"""Which versions of the package `livekit` this adapter supports."""

from __future__ import annotations

from importlib import metadata
from typing import Final

SUPPORTED: Final = "1.2 and later, below 2"


def require_supported() -> None:
    """Raises ImportError, with the remedy, when the package is missing or of another version."""
    try:
        found = metadata.version("livekit")
    except metadata.PackageNotFoundError:
        raise ImportError(
            "mien.adapters.livekit_room needs the package livekit, which is not installed: "
            "pip install 'mien[livekit-room]'"
        ) from None
    if not _is_supported(found):
        raise ImportError(
            f"livekit {found} is not supported; mien.adapters.livekit_room supports {SUPPORTED}: "
            "pip install 'mien[livekit-room]'"
        )


def _is_supported(version: str) -> bool:
    major, _, rest = version.partition(".")
    minor = rest.split(".")[0]
    return major == "1" and minor.isdigit() and int(minor) >= 2
