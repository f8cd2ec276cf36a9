"""One run of a schedule: starts the processes, actors, acts, oracles; collects the outcome."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from chaos import acts
from chaos.actors import Actor
from chaos.cast import Agent, Observer, Speaker
from chaos.ear_lives import start_ear
from chaos.lives import start_face, start_voice
from chaos.plan import SETTLE, Action, Schedule
from chaos.settle import settle
from chaos.setup import make_world
from chaos.stacks import where
from chaos.violation import Verdicts, Violation
from chaos.watch import Watch
from chaos.world import World

FIRST_S: Final = 60.0
ACT_S: Final = 90.0


@dataclass(slots=True)
class Outcome:
    """done: acts that were started. notes: of the acts. usage: the maximum of each process."""

    schedule: Schedule
    violations: list[Violation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    done: list[Action] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    usage: dict[str, str] = field(default_factory=dict)
    begun: int = 0
    compared: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    latest_s: float = 0.0


Tell = Callable[[int, Action, World], None]


def run(
    schedule: Schedule,
    *,
    keep_going: bool = False,
    until: frozenset[str] = frozenset(),
    seconds: float = 0.0,
    tell: Tell | None = None,
) -> Outcome:
    """Run a schedule. Stops at the first violation unless keep_going; until: only at one with such a key.

    seconds: time limit; 0: the whole schedule. Raises OSError if this machine cannot host a run, RuntimeError if the
    services do not start.
    """
    verdicts = Verdicts()
    world = make_world(schedule.seed, verdicts)
    outcome = Outcome(schedule)
    began_s = time.monotonic()
    try:
        _Run(world, outcome, keep_going, until).go(schedule, began_s + seconds if seconds else float("inf"), tell)
    finally:
        world.stopping.set()
        world.processes.stop()
        world.places.close()
    outcome.violations, outcome.counts = list(verdicts.found), dict(verdicts.counts)
    outcome.begun, outcome.fates, outcome.compared = world.book.begun, dict(world.book.fates), world.ear.compared
    outcome.seconds = time.monotonic() - began_s
    return outcome


class _Run:
    """Those parts of a run that have a thread."""

    def __init__(self, world: World, outcome: Outcome, keep_going: bool, until: frozenset[str]) -> None:
        self._world = world
        self._outcome = outcome
        self._keep_going = keep_going
        self._until = until
        self._watch = Watch(world)
        self._actors: list[Actor] = [Speaker(world, "bot"), Agent(world, "ada"), Observer(world, "eye")]
        self._busy: list[threading.Thread] = []

    def go(self, schedule: Schedule, until_s: float, tell: Tell | None) -> None:
        world = self._world
        world.systemd.start()
        start_voice(world)
        start_face(world)
        start_ear(world)
        world.bus.start()
        world.ears.start()
        self._await_full()
        self._watch.start()
        for actor in self._actors:
            actor.start()
        try:
            self._act(schedule, until_s, tell)
        finally:
            self._finish()

    def _await_full(self) -> None:
        until_s = time.monotonic() + FIRST_S
        while self._world.bus.level(self._world.processes["voice"].pid) != "full":
            if time.monotonic() > until_s:
                said = {
                    name: self._world.processes.log(name).read_text(errors="replace")[-500:]
                    for name in self._world.processes.children
                }
                raise RuntimeError(f"the services did not reach level full within {FIRST_S:.0f} s: {said}")
            time.sleep(0.1)

    def _act(self, schedule: Schedule, until_s: float, tell: Tell | None) -> None:
        for index, action in enumerate(schedule.actions):
            if not self._world.wait(action.after_s) or self._is_over():
                return
            if time.monotonic() > until_s and action.kind != SETTLE:
                break
            if tell is not None:
                tell(index, action, self._world)
            self._outcome.done.append(action)
            if action.kind == SETTLE:
                self._settle()
            else:
                thread = threading.Thread(target=self._do, args=(action,), name=action.kind, daemon=True)
                self._busy.append(thread)
                thread.start()
        self._settle()

    def _settle(self) -> None:
        until_s = time.monotonic() + ACT_S
        for thread in self._busy:
            while thread.is_alive() and time.monotonic() < until_s and not self._is_over():
                thread.join(0.2)
            if thread.is_alive() and time.monotonic() >= until_s:
                self._outcome.notes.append((thread.name, {"the harness failed": f"still busy: {where(thread)}"}))
        self._busy.clear()
        if not self._is_over():
            slow = settle(self._world, self._actors, self._watch.resources)
            self._outcome.notes.extend(("settle", {"slow to settle": one}) for one in slow)

    def _do(self, action: Action) -> None:
        began_s = time.monotonic()
        try:
            notes = acts.do(self._world, action)
        except Exception as error:  # a fault of the harness is reported, but is not a violation
            notes = {"the harness failed": repr(error)}
        notes["took_s"] = round(time.monotonic() - began_s, 1)
        self._outcome.notes.append((action.kind, notes))

    def _is_over(self) -> bool:
        counts = self._world.verdicts.counts
        return bool(self._until & counts.keys()) if self._until else bool(counts) and not self._keep_going

    def _finish(self) -> None:
        self._world.stopping.set()
        for thread in (*self._busy, *self._actors):
            thread.join(15.0)
        self._watch.close()
        self._world.bus.close()
        self._world.ears.close()
        self._world.systemd.close()
        self._outcome.usage = {name: str(oracle.most) for name, oracle in self._watch.resources.items()}
        self._outcome.latest_s = round(self._watch.latest_s, 2)
