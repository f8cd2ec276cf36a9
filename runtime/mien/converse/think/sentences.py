"""Cuts a stream of text into sentences that can be said."""

from __future__ import annotations

import re
from typing import Final

_END: Final = re.compile(r"(?P<end>[.!?…]+[\"')\]]*|\n)(?=\s)")
_SHORT: Final = "mr mrs ms dr prof st e.g i.e z.b d.h usw ca no nr vs approx u.a"
_SHORT_FORMS: Final = frozenset(_SHORT.split())
LONGEST_CHARS: Final = 280
_MARKUP: Final = re.compile(r"[*_`#>]+|\[(?P<label>[^\]]*)\]\([^)]*\)")


class Sentences:
    """Collects pieces of any size. A piece without an end is cut at a comma, before it becomes too long to say."""

    def __init__(self) -> None:
        self._rest = ""

    def add(self, piece: str) -> list[str]:
        """The sentences that are complete now."""
        self._rest += piece
        found: list[str] = []
        while (cut := self._cut()) is not None:
            found.append(self._rest[:cut])
            self._rest = self._rest[cut:]
        return [text for text in map(sayable, found) if text]

    def finish(self) -> list[str]:
        """What is left at the end."""
        rest, self._rest = sayable(self._rest), ""
        return [rest] if rest else []

    def _cut(self) -> int | None:
        for match in _END.finditer(self._rest):
            before = self._rest[: match.start()].split()
            last = before[-1].lower() if before else ""
            if match["end"] == "." and (last in _SHORT_FORMS or re.fullmatch(r"\d+", last)):
                continue
            return match.end()
        if len(self._rest) > LONGEST_CHARS:
            found = (self._rest.rfind(mark, 1, LONGEST_CHARS) for mark in ("; ", ": ", ", ", " "))
            return next((at + 1 for at in found if at > 0), LONGEST_CHARS)
        return None


def in_sentences(text: str) -> list[str]:
    """A whole text in sentences; none where nothing of it can be said."""
    sentences = Sentences()
    return [*sentences.add(text), *sentences.finish()]


def sayable(text: str) -> str:
    """Without the marks of Markdown, which a voice would read aloud."""
    return re.sub(r"\s+", " ", _MARKUP.sub(lambda found: found["label"] or "", text)).strip()
