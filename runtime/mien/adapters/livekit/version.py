"""Which versions of livekit-agents this adapter supports."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from mien.adapters.supported import fits

OLDEST: Final = (1, 8)
BEYOND: Final = (2,)
SUPPORTED: Final = "1.8 and later, below 2"


def require_supported() -> None:
    """Raises ImportError, with the remedy, when LiveKit Agents is missing or of another version."""
    try:
        found = metadata.version("livekit-agents")
    except metadata.PackageNotFoundError:
        raise ImportError(
            "mien.adapters.livekit needs LiveKit Agents, which is not installed: pip install 'mien[livekit]'"
        ) from None
    if not fits(found, OLDEST, BEYOND):
        raise ImportError(
            f"livekit-agents {found} is not supported; mien.adapters.livekit supports {SUPPORTED}: "
            "pip install 'mien[livekit]'"
        )
