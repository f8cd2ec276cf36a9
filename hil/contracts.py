"""The contracts of a rig's parts: a protocol each, held by tests/hil/test_contracts.py over every implementation.

Every part of one rig tells times on one clock, in ns, whose zero means nothing: the host's CLOCK_MONOTONIC on a bench
and for the container board, guest time on the emulated board. Every method raises RigError when the part fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from hil.captured import Frame, Sound
from mien.client import Client


class Screen(Protocol):
    """Sees the board's display. A display that is off, or unplugged, raises RigError: it is not a black picture."""

    def frame(self) -> Frame:
        """One picture, now."""
        ...

    def record(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """Pictures for `seconds` of the rig's clock, in the order of their times, no time twice."""
        ...

    def close(self) -> None:
        """Give the capture device back; may be called twice."""
        ...


class Ears(Protocol):
    """Hears the board's speaker."""

    def start(self) -> None:
        """Listen from now on; what was heard before is forgotten."""
        ...

    def sound(self) -> Sound:
        """All that was heard since start(); silence included, so that its length is the time that passed."""
        ...

    def close(self) -> None:
        """Give the device back; may be called twice."""
        ...


class Power(Protocol):
    """Feeds the board."""

    def on(self) -> None:
        """Feed it; nothing happens when it is fed."""
        ...

    def cut(self) -> None:
        """Pull the plug: no warning, nothing is written back."""
        ...

    @property
    def is_on(self) -> bool:
        """Whether it is fed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How the network is to behave. loss and reorder: shares 0..1 of the packets."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0


class Net(Protocol):
    """The board's network cable. unplug() and shape() hold until plug(), which makes it whole again."""

    def plug(self) -> None:
        """Cable in, nothing in its way."""
        ...

    def unplug(self) -> None:
        """Cable out."""
        ...

    def shape(self, link: Link) -> None:
        """Make the cable a bad one. Raises RigError naming what this rig cannot shape."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What a command on the board came to. output: stdout and stderr together, stripped."""

    status: int
    output: str


class Console(Protocol):
    """A root shell on the board."""

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        """Run a line of shell. Raises RigError when there is no answer in time."""
        ...

    def close(self) -> None:
        """Hang up; may be called twice."""
        ...


class Card(Protocol):
    """The board's SD card, while the board is off."""

    def flash(self, image: Path) -> None:
        """Write an image: the card is as new."""
        ...

    def sha256(self) -> str:
        """Of the image that was flashed last; "" before the first."""
        ...


class VoiceStack(Protocol):
    """The integrator's part: something that speaks through the board."""

    def connect(self, role: Literal["speaker", "agent", "observer"] = "speaker") -> Client:
        """A session with mien-voice, as a program beside it, or across the network, would have one."""
        ...


Clock = Callable[[], int]
