"""The recognisers by name."""

from __future__ import annotations

from typing import Any, Final

from mien.converse.hear.base import Recogniser
from mien.errors import ConverseError

RECOGNISERS: Final = ("whisper", "url")


def make_recogniser(engine: str, options: dict[str, Any]) -> Recogniser:
    """One of RECOGNISERS; options are the arguments of its class. Raises ConverseError."""
    if engine == "whisper":
        from mien.converse.hear.whisper import Whisper

        return Whisper(**options)
    if engine == "url":
        from mien.converse.hear.url import UrlRecogniser

        return UrlRecogniser(**options)
    raise ConverseError(f"converse.hear: '{engine}' is not one of {', '.join(RECOGNISERS)}")
