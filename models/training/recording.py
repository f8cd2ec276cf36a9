"""Recordings with their texts."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recording:
    """language: the name of an espeak-ng voice. text: the spoken text in its orthography."""

    speaker: str
    language: str
    name: str
    path: Path
    text: str
