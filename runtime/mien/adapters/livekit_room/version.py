"""Which versions of the package `livekit` this adapter supports."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from mien.adapters.supported import fits

OLDEST: Final = (1, 1, 21)  # that of livekit-agents 1.8.9; readers that can be closed, StreamError
BEYOND: Final = (2,)
SUPPORTED: Final = "1.1.21 and later, below 2"


def require_supported() -> None:
    """Raises ImportError, with the remedy, when the package is missing or of another version."""
    try:
        found = metadata.version("livekit")
    except metadata.PackageNotFoundError:
        raise ImportError(
            "mien.adapters.livekit_room needs the package livekit, which is not installed: "
            "pip install 'mien[livekit-room]'"
        ) from None
    if not fits(found, OLDEST, BEYOND):
        raise ImportError(
            f"livekit {found} is not supported; mien.adapters.livekit_room supports {SUPPORTED}: "
            "pip install 'mien[livekit-room]'"
        )
