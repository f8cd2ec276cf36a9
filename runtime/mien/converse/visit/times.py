"""The times of a visit, as the configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass

from mien.config import VisitConfig
from mien.units import NS_PER_MS, NS_PER_S

GRACE_NS = 3 * NS_PER_S  # from asking for a sentence until its sound, synthesis included
JUMP_NS = 10 * NS_PER_S  # between two ticks: the machine slept, or hung
MOST_STRETCH = 8  # how far a visitor who asks for time stretches the wait for silence
LONGEST_SOUND_NS = 120 * NS_PER_S  # after which an ear that does not end an utterance is not believed


@dataclass(frozen=True, slots=True)
class Times:
    """All in ns. extend: at least 20 s, as WCAG 2.2.1 asks."""

    greet_after: int = 1500 * NS_PER_MS
    idle: int = 45 * NS_PER_S
    extend: int = 20 * NS_PER_S
    left: int = 8 * NS_PER_S
    attract_every: int = 0
    call: int = 60 * NS_PER_S
    call_tell: int = 20 * NS_PER_S
    consent: bool = False
    """Whether the visitor is asked before anything else."""


def times(config: VisitConfig) -> Times:
    """Those of a configuration."""
    return Times(
        greet_after=config.greet_after_ms * NS_PER_MS,
        idle=config.idle_s * NS_PER_S,
        extend=config.extend_s * NS_PER_S,
        left=config.left_s * NS_PER_S,
        attract_every=config.attract_every_s * NS_PER_S if config.attract else 0,
        call=config.call_s * NS_PER_S,
        consent=config.consent,
    )
