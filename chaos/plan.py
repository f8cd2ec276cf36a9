"""Schedules of acts against mien. Pure: one seed gives one schedule; stored as JSON."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SETTLE = "settle"
SETTLE_S = 6.0  # a typical duration
Args = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One act. after_s: delay since the start of the previous act. args: of its kind, JSON."""

    kind: str
    after_s: float = 0.0
    args: Args = field(default_factory=dict)

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in self.args.items())
        return f"+{self.after_s:.1f}s {self.kind}({inside})"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of act. draw: random arguments. lasts_s: approximate duration. needs: required of the machine."""

    name: str
    draw: Callable[[random.Random], Args]
    lasts_s: float = 3.0
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run. seed: also of the conversation."""

    seed: int
    actions: tuple[Action, ...]


def make_schedule(seed: int, seconds: float, kinds: Sequence[Kind]) -> Schedule:
    """Rounds of two to four overlapping acts, each followed by a settling phase, for about `seconds`.

    Kinds are drawn without replacement: each occurs before any occurs again.
    """
    chance = random.Random(seed)
    actions, passed, deck = [Action(SETTLE)], SETTLE_S, _deal(chance, kinds)
    while passed < seconds:
        longest = 0.0
        for _ in range(chance.randint(2, 4)):
            kind = next(deck)
            after_s = round(chance.uniform(0.1, 1.5), 2)
            actions.append(Action(kind.name, after_s, kind.draw(chance)))
            passed += after_s
            longest = max(longest, kind.lasts_s)
        actions.append(Action(SETTLE, 0.2))
        passed += longest + SETTLE_S
    return Schedule(seed, tuple(actions))


def _deal(chance: random.Random, kinds: Sequence[Kind]) -> Iterator[Kind]:
    while True:
        deck = list(kinds)
        chance.shuffle(deck)
        yield from deck


def save(schedule: Schedule, path: Path) -> None:
    """As JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(schedule), indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Schedule:
    """Read what save() wrote. Raises ValueError for a file that is no schedule, OSError if there is none."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        actions = tuple(Action(str(one["kind"]), float(one["after_s"]), dict(one["args"])) for one in tree["actions"])
        return Schedule(int(tree["seed"]), actions)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a schedule of make chaos ({error!r})") from None
