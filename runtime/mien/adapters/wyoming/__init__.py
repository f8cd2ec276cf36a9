"""Home Assistant's voice protocol: mien as a satellite, as its two halves, as a proxy in front of a TTS.

    snd        audio in; `played` is sent when it was heard
    mic        the ear's sound out
    satellite  both on one connection, as Home Assistant drives it
    tts        passes text on to a TTS, and its text to the captions of what is then played

Needs the extra mien[wyoming]. Wyoming has no authentication.
"""

from typing import Final

from mien.adapters.supported import fits, installed

SUPPORTED: Final = "1.10 and later, below 2"


def check_version(found: str | None) -> None:
    """Raises ImportError for a wyoming package that is missing, None, or unsupported."""
    if found is None:
        raise ImportError("the package wyoming is not installed; pip install 'mien[wyoming]'")
    if not fits(found, (1, 10), (2,)):
        raise ImportError(
            f"wyoming {found} is not supported; supported are {SUPPORTED}: pip install 'wyoming>=1.10,<2'"
        )


check_version(installed("wyoming"))  # before the imports, which fail on another release with a message of its own

from mien.adapters.wyoming.serve import Options, Service  # noqa: E402

__all__ = ["SUPPORTED", "Options", "Service"]
