"""The parts of the link that are made where link.toml asks for them."""

from mien.fleet.status import Watchers
from mien.link.parts import Joined, Parts
from mien.link.streams import Streams, StreamsSeams


def join(parts: Parts) -> list[Joined]:
    """Make it inside the event loop. Raises ConfigError.

    What metrics and updates stand on is imported where they are on: 7 MB.
    """
    joined: list[Joined] = []
    allow, metrics = parts.config.allow, parts.config.metrics
    if allow.watch or allow.captions or allow.ear or allow.floor:
        joined.append(_streams(parts))
    if metrics.listen or metrics.textfile:
        from mien.link.metrics_part import MetricsPart

        joined.append(MetricsPart(parts))
    if parts.config.update.url:
        from mien.link.update_part import UpdatePart

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
