"""The customer's turn, from its first sound until it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from mien.converse.answer import Answer, Thinking
from mien.converse.hear.base import Transcript


@dataclass(slots=True)
class Asked:
    """The customer's turn until it is decided. Times in ns, of the sound itself or of a result.

    over: the answer that was heard when it began; 0 for none. job: of a running recognition, up to until_ns. failed:
    there will be no text. sure, paused: the speech was stopped or paused for it. broken_off: the answer that the voice
    has dropped meanwhile, of which broken_off_ms was heard.
    """

    began_ns: int
    last_ns: int
    over: int = 0
    ended: bool = False
    job: int = 0
    job_ns: int = 0
    until_ns: int = 0
    transcript: Transcript | None = None
    recognised_ns: int = 0
    silence_ns: int = 0
    thinking: Thinking | None = None
    sure: bool = False
    paused: bool = False
    failed: bool = False
    too_long: bool = False
    broken_off: Answer | None = None
    broken_off_ms: float = 0.0

    @property
    def text(self) -> str:
        """What was recognised of it so far."""
        return self.transcript.text if self.transcript is not None else ""
