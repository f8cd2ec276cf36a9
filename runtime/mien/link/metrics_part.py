"""Metrics as a part of the link."""

import asyncio

from mien.fleet.event import EventBase, is_event
from mien.link.metrics.metrics import Metrics
from mien.link.metrics.outlet import serve_metrics
from mien.link.parts import Idle, Parts


class MetricsPart(Idle):
    """Metrics of what the link tells its broker."""

    def __init__(self, parts: Parts) -> None:
        self._snapshot = parts.snapshot
        self._metrics = Metrics(parts.config.place)
        self._served = asyncio.create_task(serve_metrics(parts.config.metrics, self._metrics.render))

    def happened(self, event: EventBase) -> None:
        """Count it."""
        if is_event(event):
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
