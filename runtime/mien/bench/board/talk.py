"""Measures the running services of a board: talking, interrupted, silent, beside a stated load."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mien.bench.board.busy import busy_processes
from mien.bench.board.plan import Plan
from mien.bench.board.report import Use
from mien.bench.board.resources import UseMeter
from mien.bench.board.syllables import syllables
from mien.bench.offsets import FrameTrace
from mien.bench.session import Session, running_session
from mien.bench.turns import GAP_S, interrupt_heard, speak
from mien.core.bus import Anchor, FaceHealth
from mien.errors import MienError
from mien.motion.base import Pcm

FEWEST: Final = 3
"""Measurements of each kind, however long they take."""
SETTLE_S: Final = 3.0
LENGTHS_S: Final = (1.2, 1.7, 2.2, 2.7)
Mark = tuple[int, int, float]
Progress = Callable[[str], None]


class NotStarted(MienError):
    """The services, or one of them, did not start."""


@dataclass(slots=True)
class Talk:
    """What was recorded. Times are monotonic, in ns.

    burst, stream: of each turn when it was sent, when it had been heard, the latency of its first sound in ms. cuts: of
    each interruption its time, its epoch, the ms that had been heard. idle, talking: of each service.
    unloaded_ns, talking_ns: spans. no_trace: why there is no trace; "" if there is one.
    """

    burst: list[Mark] = field(default_factory=list)
    stream: list[Mark] = field(default_factory=list)
    cuts: list[Mark] = field(default_factory=list)
    loaded_ms: list[float] = field(default_factory=list)
    idle: dict[str, Use] = field(default_factory=dict)
    talking: dict[str, Use] = field(default_factory=dict)
    unloaded_ns: tuple[int, int] = (0, 0)
    talking_ns: tuple[int, int] = (0, 0)
    talking_health: tuple[FaceHealth, FaceHealth] | None = None
    underruns: int | None = None
    anchors: list[Anchor] = field(default_factory=list)
    trace: FrameTrace | None = None
    no_trace: str = ""


def talk(
    settings: Mapping[str, str], plan: Plan, tell: Progress, *, face: bool, processes: int, start_timeout_s: float
) -> Talk:
    """Run the services and measure them. face: whether there is a display. processes: how many are busy under load.

    Raises NotStarted, or MienError when they fail later. A face that does not stop cleanly costs only its trace.
    """
    done, session = Talk(), None
    speech = [syllables(length_s, seed) for seed, length_s in enumerate(LENGTHS_S)]
    complete = False
    try:
        with running_session(dict(settings), face=face, start_timeout_s=start_timeout_s) as session:
            _measure(session, done, speech, plan, tell, processes)
            complete = True
    except MienError as error:
        if session is None:
            raise NotStarted(str(error)) from error
        if not complete:
            raise
        done.no_trace = str(error)
    if session is not None:
        done.anchors, done.trace = list(session.probe.anchors), session.trace
    return done


def _measure(session: Session, done: Talk, speech: list[Pcm], plan: Plan, tell: Progress, processes: int) -> None:
    tell("idle: services without speech")
    time.sleep(SETTLE_S)
    began_ns = time.monotonic_ns()
    done.idle = _use_during(session, lambda: time.sleep(plan.idle_s))
    for number in _until(plan.turns_s, tell, "turns"):
        pcm = speech[number % len(speech)]
        done.burst.append(speak(session, session.burst, pcm))
        done.stream.append(speak(session, session.real_time, pcm))
    # An epoch begins with media time 0. The first interruption only ends the epoch of the turns above.
    interrupt_heard(session, speech[0], 0)
    time.sleep(GAP_S)
    for number in _until(plan.cuts_s, tell, "interruptions"):
        sent_ns, epoch, finished, _ = interrupt_heard(session, speech[number % len(speech)], number)
        done.cuts += [(sent_ns, epoch, turn.played_ms) for turn in finished if turn.interrupted]
        time.sleep(GAP_S)
    before = _health(session)
    talking_from_ns = time.monotonic_ns()
    done.talking = _use_during(session, lambda: _talk_on(session, speech, plan.talking_s, tell))
    done.talking_ns, after = (talking_from_ns, time.monotonic_ns()), _health(session)
    done.talking_health = (before, after) if before and after else None
    done.unloaded_ns = (began_ns, time.monotonic_ns())
    with busy_processes(processes):
        for number in _until(plan.loaded_s, tell, f"first sound beside {processes} busy processes"):
            done.loaded_ms.append(speak(session, session.burst, speech[number % len(speech)])[2])
    done.underruns = session.probe.voices[-1].counters.get("sink_underruns", 0) if session.probe.voices else None


def _until(seconds: float, tell: Progress, what: str) -> Iterator[int]:
    """Numbers until the time is over, at least FEWEST."""
    end_s, number = time.monotonic() + seconds, 0
    while (left_s := end_s - time.monotonic()) > 0 or number < FEWEST:
        tell(f"{what}: {max(0.0, left_s):.0f} s left")
        yield number
        number += 1


def _talk_on(session: Session, speech: list[Pcm], seconds: float, tell: Progress) -> None:
    for number in _until(seconds, tell, "talking without a pause"):
        session.client.say(speech[number % len(speech)])


def _use_during(session: Session, work: Callable[[], None]) -> dict[str, Use]:
    """The use of each service that runs, while work is done."""
    services = {"voice": session.stack.voice, "face": session.stack.face}
    meters = {name: UseMeter(process.pid) for name, process in services.items() if process is not None}
    work()
    return {name: meter.use() for name, meter in meters.items()}


def _health(session: Session) -> FaceHealth | None:
    return session.probe.faces[-1] if session.probe.faces else None
