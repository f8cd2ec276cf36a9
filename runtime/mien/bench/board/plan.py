"""Divides the minutes of a run among its phases."""

from dataclasses import dataclass
from typing import Final

FRAMES, IDLE, TURNS, CUTS, TALKING, LOADED = 0.16, 0.12, 0.20, 0.12, 0.20, 0.12
"""Shares of the run. The rest is for starting and stopping."""
MOST_MINUTES: Final = 20
"""The face's record of its frames holds twenty minutes at 60 Hz."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds of each phase. A phase may take longer: every measurement is made at least a few times."""

    frames_s: float
    idle_s: float
    turns_s: float
    cuts_s: float
    talking_s: float
    loaded_s: float


def plan_for(minutes: float) -> Plan:
    """The phases of a run of this length."""
    whole_s = minutes * 60
    return Plan(*(round(whole_s * share, 1) for share in (FRAMES, IDLE, TURNS, CUTS, TALKING, LOADED)))
