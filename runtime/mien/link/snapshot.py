"""The state of the board as one object, for what renders it elsewhere: metrics, updates, the bundle."""

from dataclasses import dataclass, field

from mien.core.counters import Counters
from mien.fleet.status import Health, Status


@dataclass(slots=True)
class Snapshot:
    """status and health: as they were published last. trouble: the name of what separates the board from the broker.

    counters: the link's own: connections, topics_unknown, watches_refused, speech_refused. certificate_ends: UTC
    seconds; None without a certificate.
    """

    status: Status
    health: Health = field(default_factory=Health)
    connected: bool = False
    trouble: str = ""
    certificate_ends: float | None = None
    counters: Counters = field(default_factory=Counters)
