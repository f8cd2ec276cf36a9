"""A slow drift of what stands still on the screen for hours, which would burn into some panels."""

from typing import Final

from mien.units import NS_PER_S

STEP_NS: Final = 90 * NS_PER_S
# One pixel a step, on a closed path that visits every place in a square of REACH + 1 pixels a side about equally often.
REACH: Final = 4


def drift(since_ns: int) -> tuple[int, int]:
    """The offset in pixels, right and down, 0..REACH each, after `since_ns` on the screen; (0, 0) at first."""
    step = max(0, since_ns) // STEP_NS
    return _folded(step), _folded(step // (2 * REACH))


def _folded(step: int) -> int:
    """Counts up to REACH and down again."""
    at = step % (2 * REACH)
    return min(at, 2 * REACH - at)
