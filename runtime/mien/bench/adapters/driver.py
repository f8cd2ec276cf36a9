"""The contract of a driver, which plays a framework's part in the adapters' benchmark."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a segment with its times on the segment's clock, in ms."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance of the script.

    number: from 0 on, unique. pcm: int16 (frames,) at the driver's rate. chunk_ms: size of one push. paced: pushed in
    real time, otherwise as fast as the adapter takes it. interrupt_after_ms: the framework interrupts so long after
    the first push; None: never. pause_after_ms, pause_ms: the framework pauses so long after the first push, for so
    long; None where it does not or cannot pause. lose_face: the face is killed while this is spoken; drivers ignore it.
    """

    number: int
    pcm: Pcm
    words: tuple[Word, ...]
    chunk_ms: int = 20
    paced: bool = False
    interrupt_after_ms: float | None = None
    pause_after_ms: float | None = None
    pause_ms: float = 0.0
    lose_face: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a framework was told about a segment.

    pushed_ns: CLOCK_MONOTONIC just before the first push. interrupted_ns: just before the framework interrupted; None
    where it did not, or came too late. position_ms: how much was heard, as reported; None where the framework is told
    no position. interrupted: as reported. words: the words reported as heard; None where the framework is told none.
    """

    pushed_ns: int
    interrupted_ns: int | None
    position_ms: float | None
    interrupted: bool
    words: tuple[str, ...] | None = None


class Driver(Protocol):
    """One framework, with the adapter under test connected to a voice."""

    name: str
    rate_hz: int
    can_pause: bool

    async def open(self, endpoint: str) -> None:
        """Set up the framework with its adapter, connected to the voice at `endpoint`."""

    async def speak(self, segment: Segment) -> Verdict:
        """Speak one segment through the framework's own interface, with its interruption or pause.

        Returns when the framework was told that the segment is finished. The benchmark cancels this after its timeout
        and counts a hang.
        """

    def finishes(self, number: int) -> int:
        """How often the framework was told so far that a segment is finished: anything but 1 is a fault."""

    async def close(self) -> None:
        """Close the adapter as the framework does."""
