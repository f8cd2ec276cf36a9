"""The parts of the link that are made where link.toml asks for them."""

import asyncio

from mien.fleet import event
from mien.fleet.event import EventBase
from mien.link.metrics.metrics import Metrics
from mien.link.metrics.outlet import serve_metrics
from mien.link.parts import Idle, Joined, Parts
from mien.link.streams import Streams, StreamsSeams


def join(parts: Parts) -> list[Joined]:
    """Make it inside the event loop. Raises ConfigError."""
    joined: list[Joined] = []
    allow, metrics = parts.config.allow, parts.config.metrics
    if allow.watch or allow.captions or allow.ear or allow.floor:
        joined.append(_streams(parts))
    if metrics.listen or metrics.textfile:
        joined.append(MetricsPart(parts))
    return joined


def _streams(parts: Parts) -> Streams:
    seams = StreamsSeams(
        client=lambda: parts.voice.client,
        publish=parts.outbox.publish,
        may_listen=lambda user: parts.roles.at_least(user, "agent"),
        floor=parts.floor,
        attendance=parts.attendance,
        always=lambda: parts.voice.topics,
    )
    return Streams(parts.config.allow, seams)


class MetricsPart(Idle):
    """Metrics of what the link tells its broker."""

    def __init__(self, parts: Parts) -> None:
        self._snapshot = parts.snapshot
        self._metrics = Metrics(parts.config.place)
        self._served = asyncio.create_task(serve_metrics(parts.config.metrics, self._metrics.render))

    def happened(self, event: EventBase) -> None:
        """Count it."""
        if isinstance(event, _EVENTS):
            self._metrics.observe_event(event)

    def step(self, now_ns: int) -> None:
        """Take over what was published."""
        self._metrics.observe_status(self._snapshot.status)
        self._metrics.observe_health(self._snapshot.health)
        if self._served.done():
            self._served.result()  # an address that cannot be had ends the service, which says so

    async def close(self) -> None:
        """Stop listening."""
        self._served.cancel()
        await asyncio.gather(self._served, return_exceptions=True)


_EVENTS = (
    event.Turn,
    event.Visit,
    event.Fault,
    event.Level,
    event.Call,
    event.FloorChanged,
    event.Commanded,
    event.Update,
    event.Lifecycle,
    event.Dropped,
)
