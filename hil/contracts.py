"""Contracts of a rig's parts, one protocol each; tests/hil/test_contracts.py runs over every implementation.

All parts of a rig share one clock in ns with an arbitrary origin: the host's CLOCK_MONOTONIC on a bench and for the
container board, guest time on the emulated board. Every method raises RigError when the part fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from hil.captured import Frame, Sound
from hil.mouth.ring import Pcm
from hil.mouth.scene import Scene
from mien.client import Client


class Screen(Protocol):
    """Captures the board's display. A display that is off or unplugged raises RigError instead of a black frame."""

    def frame(self) -> Frame:
        """Capture one frame now."""
        ...

    def record(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """Capture frames for `seconds` of the rig's clock, with strictly increasing times."""
        ...

    def close(self) -> None:
        """Release the capture device; may be called twice."""
        ...


class Ears(Protocol):
    """Records the board's speaker."""

    def start(self) -> None:
        """Start recording; earlier sound is discarded."""
        ...

    def sound(self) -> Sound:
        """The recording since start(), silence included: its length is the elapsed time."""
        ...

    def close(self) -> None:
        """Release the device; may be called twice."""
        ...


class Mouth(Protocol):
    """Speaks into the board's microphone, which also hears the board's speaker through a room."""

    late_ms: float

    def open(self, scene: Scene) -> None:
        """Plug the microphone in. A bench has the room that it stands in, whatever the scene says."""
        ...

    def say(self, pcm: Pcm, over_echo_db: float) -> None:
        """The customer says this now, int16 at 48 kHz, over_echo_db louder than the kiosk. Returns at once."""
        ...

    def near(self) -> Sound:
        """The customer's sound alone since open(), as it reached the microphone."""
        ...

    def close(self) -> None:
        """Pull the microphone out; may be called twice. late_ms: what its sound lacked since open()."""
        ...


class Power(Protocol):
    """Switches the board's power."""

    def on(self) -> None:
        """Switch power on; no effect if it is on."""
        ...

    def cut(self) -> None:
        """Cut the power without warning: nothing is written back."""
        ...

    @property
    def is_on(self) -> bool:
        """Whether power is on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Network impairment. loss, reorder: fractions 0..1 of the packets."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0


class Net(Protocol):
    """The board's network cable. unplug() and shape() last until plug()."""

    def plug(self) -> None:
        """Connect the cable and remove all impairment."""
        ...

    def unplug(self) -> None:
        """Cable out."""
        ...

    def shape(self, link: Link) -> None:
        """Impair the link. Raises RigError naming what this rig cannot do."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """Result of a command on the board. output: stdout and stderr together, stripped."""

    status: int
    output: str


class Console(Protocol):
    """A root shell on the board."""

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        """Run a line of shell. Raises RigError if there is no answer in time."""
        ...

    def close(self) -> None:
        """Close the connection; may be called twice."""
        ...


class Card(Protocol):
    """The board's SD card. The board must be off."""

    def flash(self, image: Path) -> None:
        """Write an image."""
        ...

    def sha256(self) -> str:
        """SHA-256 of the image flashed last; "" before the first."""
        ...


class VoiceStack(Protocol):
    """The integrator's side: a client that speaks through the board."""

    def connect(self, role: Literal["speaker", "agent", "observer"] = "speaker") -> Client:
        """Open a session with mien-voice, locally or over the network."""
        ...


Clock = Callable[[], int]
