"""The parts of the link that are made where link.toml asks for them."""

from mien.fleet.status import Watchers
from mien.link.metrics_part import MetricsPart
from mien.link.parts import Joined, Parts
from mien.link.streams import Streams, StreamsSeams
from mien.link.update_part import UpdatePart


def join(parts: Parts) -> list[Joined]:
    """Make it inside the event loop. Raises ConfigError."""
    joined: list[Joined] = []
    allow, metrics = parts.config.allow, parts.config.metrics
    if allow.watch or allow.captions or allow.ear or allow.floor:
        joined.append(_streams(parts))
    if metrics.listen or metrics.textfile:
        joined.append(MetricsPart(parts))
    if parts.config.update.url:
        joined.append(UpdatePart(parts))
    return joined


def _streams(parts: Parts) -> Streams:
    seams = StreamsSeams(
        client=lambda: parts.voice.client,
        publish=parts.outbox.publish,
        may_listen=lambda user: parts.roles.at_least(user, "agent"),
        floor=parts.floor,
        attendance=parts.attendance,
        always=lambda: parts.voice.topics,
        told=lambda watching, hearing: parts.keeper.change(watchers=Watchers(watching=watching, hearing=hearing)),
    )
    return Streams(parts.config.allow, seams)
