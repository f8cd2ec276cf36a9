"""A busy hour at a kiosk, by seed: visits with turns, now and then a call for a person or a fault.

Pure. Times are seconds of the kiosk's hour; a run at five times the speed divides them.
"""

import random
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from mien.fleet import event, status

Happening: TypeAlias = event.Turn | event.Visit | event.Call | event.Fault
VISIT_EVERY_S: Final = 150.0
TURNS: Final = (3, 9)
CALL_CHANCE: Final = 0.05
FAULT_CHANCE: Final = 0.02
_LANGUAGES: Final = ("en", "de", "es")
_PARTS: Final = ("screen", "sound", "ear")


class Moment(NamedTuple):
    """At at_s of the hour something happens, and the status changes in these fields."""

    at_s: float
    happening: Happening
    changes: dict[str, object]


def life(seed: int) -> Iterator[Moment]:
    """The moments of one kiosk, without an end, in order."""
    chance = random.Random(seed)
    at_s, visit = chance.uniform(0, VISIT_EVERY_S), 0
    while True:
        visit += 1
        for moment in _visit(chance, at_s, f"v{visit}"):
            yield moment
            at_s = moment.at_s
        if chance.random() < FAULT_CHANCE:
            part = chance.choice(_PARTS)
            yield Moment(at_s + 1, _fault(part, failed=True), {})
            at_s += 20
            yield Moment(at_s, _fault(part, failed=False), {})
        at_s += chance.expovariate(1 / VISIT_EVERY_S) + 5


def _visit(chance: random.Random, at_s: float, name: str) -> Iterator[Moment]:
    language, began_s = chance.choice(_LANGUAGES), at_s
    there = status.Visit(visit=name, phase="listening", language=language)
    yield Moment(at_s, _seen(name, language=language), {"visit": there})
    turns = chance.randint(*TURNS)
    for number in range(turns):
        at_s += chance.uniform(4, 12)
        yield Moment(at_s, _turn(chance, f"{name}-{number}"), {"phase": "idle"})
    if chance.random() < CALL_CHANCE:
        yield Moment(at_s + 1, _call(name, "open", language), {"call": status.Call(call=name, since=at_s)})
        at_s += chance.uniform(10, 40)
        yield Moment(at_s, _call(name, "timed_out", language), {"call": None})
    at_s += 5
    ended = _seen(name, language=language, ended=True, duration_s=at_s - began_s, turns=turns)
    yield Moment(at_s, ended, {"visit": None})


def _turn(chance: random.Random, name: str) -> event.Turn:
    return event.Turn(
        queue="",
        seq=0,
        client="agent",
        turn=name,
        reason="done",
        heard_ms=round(chance.uniform(1500, 9000), 1),
        latency_ms=round(chance.lognormvariate(6.4, 0.3), 1),
    )


def _seen(
    name: str, *, language: str, ended: bool = False, duration_s: float | None = None, turns: int | None = None
) -> event.Visit:
    return event.Visit(
        queue="", seq=0, visit=name, ended=ended, language=language, duration_s=duration_s, turns=turns, answered=turns
    )


def _call(name: str, state: Literal["open", "timed_out"], language: str) -> event.Call:
    return event.Call(queue="", seq=0, call=name, state=state, language=language)


def _fault(part: str, *, failed: bool) -> event.Fault:
    return event.Fault(queue="", seq=0, part=part, failed=failed)
