"""The synthesisers by name."""

from __future__ import annotations

from typing import Any, Final

from mien.converse.speak.base import Synthesiser
from mien.converse.speak.programs import PROGRAMS, ProgramSynthesiser
from mien.errors import ConverseError

SYNTHESISERS: Final = ("piper", *PROGRAMS, "url")


def make_synthesiser(engine: str, options: dict[str, Any]) -> Synthesiser:
    """One of SYNTHESISERS but piper, whose process is a program of its own. Raises ConverseError."""
    if engine in PROGRAMS:
        return ProgramSynthesiser(engine, **options)
    if engine == "url":
        from mien.converse.speak.url import UrlSynthesiser

        return UrlSynthesiser(**options)
    raise ConverseError(f"converse.speak: '{engine}' is not one of {', '.join(SYNTHESISERS)}")
