"""The state of the board as one object, for what renders it elsewhere: metrics, updates, the bundle."""

from dataclasses import dataclass, field

from mien.core.counters import Counters
from mien.fleet.status import Health, Status


@dataclass(slots=True)
class Snapshot:
    """status and health: as they were published last. trouble: the name of what separates the board from the broker.

    counters: the link's own: events_sent, commands_refused, live_dropped, connections.
    """

    status: Status
    health: Health = field(default_factory=Health)
    connected: bool = False
    trouble: str = ""
    counters: Counters = field(default_factory=Counters)
