"""What may be kept of a visit: times, counts, how it ended. Nothing that was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

End = Literal["word", "touch", "silence", "left", "no_consent", "person", "shutdown"]
Touch = Literal["touch", "mouse", "key"]


@dataclass(slots=True)
class Record:
    """Times in ns of CLOCK_MONOTONIC; 0: it did not happen. began_by: what woke the kiosk.

    touched_by: with what buttons were chosen. extensions: how often more time was offered. consented: None where nobody
    was asked. language, captions: of the visit's end; whoever runs the conversation adds them.
    """

    began_ns: int = 0
    began_by: str = ""
    greeted_ns: int = 0
    first_question_ns: int = 0
    first_answer_ns: int = 0
    called_ns: int = 0
    handed_over_ns: int = 0
    ended_ns: int = 0
    ended: End = "silence"
    questions: int = 0
    answered: int = 0
    refused: int = 0
    interrupted: int = 0
    touches: int = 0
    touched_by: frozenset[Touch] = frozenset()
    extensions: int = 0
    calls: int = 0
    calls_unanswered: int = 0
    consented: bool | None = None
    language: str = ""
    captions: bool = False
