"""The metrics of this board, from what the link tells its broker."""

import math
from collections.abc import Iterator
from threading import Lock
from typing import Any, Final, TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mien.fleet import event
from mien.fleet.status import Health, Status
from mien.fleet.topics import Board
from mien.link.metrics.fields import FIELDS, Field
from mien.link.metrics.tally import Histogram, Tally

Family: TypeAlias = GaugeMetricFamily | CounterMetricFamily
LATENCY_BOUNDS_S: Final = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
# The counters that events make: (metric, label, help).
COUNTED: Final = (
    ("mien_turns_total", "reason", "Turns that finished, by reason."),
    ("mien_visits_total", "reason", "Visits that ended, by reason."),
    ("mien_faults_total", "part", "Faults, by the part that failed."),
    ("mien_calls_total", "state", "Calls for a person, by what became of them."),
    ("mien_commands_total", "result", "Commands from the broker: ok, or the code of the refusal."),
    ("mien_updates_total", "stage", "Updates, by the stage that was reached."),
)
LATENCY: Final = "mien_turn_latency_seconds"
INFO: Final = "mien_build_info"
OTHERS: Final = (LATENCY, INFO, "mien_heard_seconds_total", "mien_stalls_total", "mien_throttled")


class Metrics(Collector):
    """Takes what passes, and renders it. Any thread may call any method.

    Every series carries the board's place as `site` and `board`. What a board cannot tell has no series.
    """

    def __init__(self, place: Board) -> None:
        self._place = {"site": place.site, "board": place.name}
        self._status = Status(online=False)
        self._health = Health()
        self._tallies = {name: Tally() for name, _, _ in COUNTED}
        self._latency = Histogram(LATENCY_BOUNDS_S)
        self._heard_s = 0.0
        self._stalls = 0
        self._lock = Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def observe_status(self, status: Status) -> None:
        """The status that was published last."""
        with self._lock:
            self._status = status

    def observe_health(self, health: Health) -> None:
        """The health that was published last."""
        with self._lock:
            self._health = health

    def observe_event(self, happened: event.Event) -> None:
        """An event, once, when it happens; not when it is delivered again."""
        with self._lock:
            if isinstance(happened, event.Turn):
                self._observe_turn(happened)
            elif isinstance(happened, event.Visit) and happened.ended:
                self._tallies["mien_visits_total"].add(happened.reason)
            elif isinstance(happened, event.Fault) and happened.failed:
                self._tallies["mien_faults_total"].add(happened.part)
            elif isinstance(happened, event.Call):
                self._tallies["mien_calls_total"].add(happened.state)
            elif isinstance(happened, event.Commanded):
                self._tallies["mien_commands_total"].add("ok" if happened.ok else happened.code)
            elif isinstance(happened, event.Update):
                self._tallies["mien_updates_total"].add(happened.stage)

    def render(self) -> bytes:
        """Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """For prometheus-client: a consistent moment."""
        with self._lock:
            return iter([*self._gauges(), *self._counters(), self._histogram(), self._info()])

    def _observe_turn(self, turn: event.Turn) -> None:
        self._tallies["mien_turns_total"].add(turn.reason)
        self._stalls += max(0, turn.stalls)
        if math.isfinite(turn.heard_ms):
            self._heard_s += max(0.0, turn.heard_ms) / 1000
        if turn.latency_ms is not None and 0 <= turn.latency_ms < math.inf:
            self._latency.add(turn.latency_ms / 1000)

    def _gauges(self) -> list[Family]:
        families: dict[str, Family] = {}
        for field in FIELDS:
            number = number_of(field, self._status if field.topic == "status" else self._health)
            if number is None or not field.board:
                continue
            if field.metric not in families:
                families[field.metric] = self._family(field.metric, field.help, field.kind, tuple(field.labels))
            families[field.metric].add_metric([*self._place.values(), *field.labels.values()], number)
        if self._health.throttled is not None:
            throttled = self._family("mien_throttled", "Whether heat or undervoltage slows the board.", "gauge")
            throttled.add_metric(list(self._place.values()), float(bool(self._health.throttled)))
            families["mien_throttled"] = throttled
        return list(families.values())

    def _family(self, name: str, text: str, kind: str, labels: tuple[str, ...] = ()) -> Family:
        family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
        return family(name, text, labels=[*self._place, *labels])

    def _counters(self) -> Iterator[Metric]:
        for name, label, text in COUNTED:
            family = CounterMetricFamily(name, text, labels=[*self._place, label])
            for value, count in self._tallies[name]:
                family.add_metric([*self._place.values(), value], count)
            yield family
        for name, text, number in (
            ("mien_heard_seconds_total", "Speech that was heard.", self._heard_s),
            ("mien_stalls_total", "Times speech stopped for want of sound.", float(self._stalls)),
        ):
            family = CounterMetricFamily(name, text, labels=list(self._place))
            family.add_metric(list(self._place.values()), number)
            yield family

    def _histogram(self) -> Metric:
        family = HistogramMetricFamily(LATENCY, "Request to first sound of a turn.", labels=list(self._place))
        family.add_metric(list(self._place.values()), self._latency.buckets, self._latency.sum_s)
        return family

    def _info(self) -> Metric:
        status = self._status
        told = {
            "version": status.version,
            "image": status.image,
            "slot": status.slot,
            "model": status.model,
            "motion": status.motion,
            "avatar": status.avatar.name if status.avatar else "",
        }
        family = GaugeMetricFamily(INFO, "Versions, as labels; always 1.", labels=[*self._place, *told])
        family.add_metric([*self._place.values(), *told.values()], 1.0)
        return family


def number_of(field: Field, payload: Status | Health) -> float | None:
    """The field's number in the metric's unit. None where the board does not tell it."""
    value: Any = getattr(payload, field.path)
    if value is None:
        return None
    if field.values is not None:
        return field.values.get(value, field.otherwise)
    number = float(value) * field.scale
    return number if math.isfinite(number) else None
