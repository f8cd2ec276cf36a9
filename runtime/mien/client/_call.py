"""Makes a call of what was said, within the limits of a header."""

from collections.abc import Iterable
from typing import Final, Literal

from mien.core import wire

SpokenBy = Literal["customer", "kiosk"]
MOST: Final = 24
TEXT: Final = 500
ALL: Final = 3_000  # characters: a header has 16 kB, and a character up to four bytes


def make_call(question: str, language: str, conversation: Iterable[tuple[SpokenBy, str]]) -> wire.Call:
    """The message. conversation: oldest first; the newest are kept, and long texts are cut."""
    kept: list[wire.Spoken] = []
    left = ALL
    for who, text in reversed(list(conversation)[-MOST:]):
        cut = text[: min(TEXT, left)]
        if not cut:
            break
        kept.append(wire.Spoken(who, cut))
        left -= len(cut)
    return wire.Call(question=question[:TEXT], language=language[:16], conversation=tuple(reversed(kept)))
