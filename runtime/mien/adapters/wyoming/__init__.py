"""Home Assistant's voice protocol: mien as a satellite, as its two halves, and as a proxy in front of a TTS.

    snd        audio in; `played` is sent when it was heard
    mic        the ear's sound out
    satellite  both on one connection, as Home Assistant drives it
    tts        passes text on to a TTS, and its text to the captions of what is then played

Needs the extra mien[wyoming]. Wyoming has no authentication.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

SUPPORTED: Final = "1.10 and later, below 2"


def check_version(found: str | None) -> None:
    """Raises ImportError for a wyoming package that is missing, None, or unsupported."""
    if found is None:
        raise ImportError("the package wyoming is not installed; pip install 'mien[wyoming]'")
    try:
        major, minor = (int(part) for part in found.split(".")[:2])
    except ValueError:
        major, minor = 0, 0
    if major != 1 or minor < 10:
        raise ImportError(
            f"wyoming {found} is not supported; supported are {SUPPORTED}: pip install 'wyoming>=1.10,<2'"
        )


def _installed() -> str | None:
    try:
        return version("wyoming")
    except PackageNotFoundError:
        return None


check_version(_installed())

from mien.adapters.wyoming.serve import Options, Service  # noqa: E402

__all__ = ["SUPPORTED", "Options", "Service"]
