"""Captured blocks that wait until it is known what the speaker played meanwhile.

On a busy machine the far end comes late. A block without it would be echo that nobody can tell from a customer.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ
from mien.ear.microphone import Block
from mien.units import NS_PER_MS, frames_to_ns

PATIENCE_NS: Final = 60 * NS_PER_MS
"""How long a block waits after its end: a quarter of what a barge-in may take. At most five blocks wait."""

_BLOCK_NS: Final = frames_to_ns(EAR_BLOCK_FRAMES, EAR_RATE_HZ)


class HeldBlocks:
    """A queue in order of capture."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque()

    def add(self, block: Block) -> None:
        """The newest block."""
        self._blocks.append(block)

    def due(self, now_ns: int, lacks: Callable[[int], bool]) -> Iterator[Block]:
        """Blocks to process now. lacks: whether the far end of the block that began at this time has yet to come."""
        while self._blocks:
            at_ns = self._blocks[0].at_ns
            if now_ns < at_ns + _BLOCK_NS + PATIENCE_NS and lacks(at_ns):
                return
            yield self._blocks.popleft()
