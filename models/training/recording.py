"""A recording and what is said in it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recording:
    """language: as espeak-ng names its voices. text: what the speaker says, as it is written."""

    speaker: str
    language: str
    name: str
    path: Path
    text: str
