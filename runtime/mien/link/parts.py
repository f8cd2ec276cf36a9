"""What parts of the link share, by which another part joins: live streams, an agent's speech, metrics, updates.

`mien.link.service` makes one `Parts` and calls every `Joined` part with what concerns it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mien.client import Event
from mien.fleet.command import Watch
from mien.fleet.event import EventBase
from mien.link.attendance import Attendance
from mien.link.board_actions import BoardActions
from mien.link.board_control import BoardControl
from mien.link.config import LinkConfig
from mien.link.drain import Drain
from mien.link.floor_keeper import FloorKeeper
from mien.link.outbox import Outbox
from mien.link.roles_seen import RolesSeen
from mien.link.snapshot import Snapshot
from mien.link.status_keeper import StatusKeeper
from mien.link.voice_link import VoiceLink
from mien.link.wall_clock import WallClock


@dataclass(frozen=True, slots=True)
class Parts:
    """folder: of link.toml. state: the data folder of this service. tell(event) records an event, whose queue, seq, at
    and mono_s are filled in."""

    config: LinkConfig
    folder: Path
    state: Path
    run_dir: Path
    outbox: Outbox
    voice: VoiceLink
    floor: FloorKeeper
    attendance: Attendance
    keeper: StatusKeeper
    roles: RolesSeen
    drain: Drain
    board: BoardActions
    control: BoardControl
    snapshot: Snapshot
    clock: WallClock
    tell: Callable[[EventBase], object]


class Joined(Protocol):
    """A part of the link. Every method returns at once: work goes into tasks of its own."""

    def watch(self, user: str, watch: Watch, now_ns: int) -> None:
        """A user asks for streams, or for none. now_ns: CLOCK_MONOTONIC."""

    def speech(self, user: str, payload: bytes, now_ns: int) -> None:
        """Sound of a user, unchecked but for its size. Whether that user holds the floor is to be checked."""

    def hear(self, event: Event) -> None:
        """A message of the voice."""

    def happened(self, event: EventBase) -> None:
        """An event was recorded."""

    def step(self, now_ns: int) -> None:
        """After every change, ten times a second while this or another part is `hurried`, otherwise once a second."""

    @property
    def hurried(self) -> bool:
        """Whether step() has work that is due by time."""

    async def close(self) -> None:
        """The link stops."""


class Idle:
    """A part that does nothing; others override what concerns them."""

    def watch(self, user: str, watch: Watch, now_ns: int) -> None:
        """Ignored."""

    def speech(self, user: str, payload: bytes, now_ns: int) -> None:
        """Ignored."""

    def hear(self, event: Event) -> None:
        """Ignored."""

    def happened(self, event: EventBase) -> None:
        """Ignored."""

    def step(self, now_ns: int) -> None:
        """Nothing to do."""

    @property
    def hurried(self) -> bool:
        """Once a second will do."""
        return False

    async def close(self) -> None:
        """Nothing to end."""
