"""The thinkers by name."""

from __future__ import annotations

from typing import Any, Final

from mien.converse.think.base import Thinker
from mien.errors import ConverseError

THINKERS: Final = ("knowledge", "url")


def make_thinker(engine: str, options: dict[str, Any]) -> Thinker:
    """One of THINKERS; options are the arguments of its class. Raises ConverseError."""
    if engine == "knowledge":
        from mien.converse.think.retrieval import KnowledgeThinker

        return KnowledgeThinker(**options)
    if engine == "url":
        from mien.converse.think.chat import ChatThinker

        return ChatThinker(**options)
    raise ConverseError(f"converse.think: '{engine}' is not one of {', '.join(THINKERS)}")
