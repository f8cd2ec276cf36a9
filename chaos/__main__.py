"""make chaos MINUTES=10 SEED=n: a seeded adversary against the real processes.

    python -m chaos --minutes 10 --seed 1
    python -m chaos --replay build/chaos/seed-1.json

Exit codes: 0 no violation, 1 violations, 2 cannot run on this machine.
"""

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from chaos.catalogue import usable
from chaos.plan import SETTLE, Action, Schedule, load, make_schedule, save
from chaos.report import print_outcome, print_smallest, say
from chaos.run import Outcome, run
from chaos.shrink import shrink
from chaos.world import World

OUT = Path(__file__).resolve().parents[1] / "build/chaos"
SCHEDULED_S = 120.0  # seconds of schedule per minute: acts are planned at their longest, and the clock ends the run
ABLE = frozenset(
    {"curve", "mount"}
)  # faults that need mounts are replaced by similar ones where mounting is not permitted


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", type=float, default=10.0, help="How long [10].")
@click.option("--seed", type=int, default=1, help="Seed of the schedule and the conversation [1].")
@click.option("--replay", type=click.Path(path_type=Path), help="Replay a saved schedule instead of a seed.")
@click.option("--only", multiple=True, metavar="KIND", help="Only these acts; repeatable.")
@click.option("--keep-going", is_flag=True, help="Continue after a violation; list each kind once.")
@click.option(
    "--shrink-minutes",
    type=float,
    default=6.0,
    help="How long to search for a smaller failing schedule [6]; 0: do not.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def main(
    minutes: float,
    seed: int,
    replay: Path | None,
    only: tuple[str, ...],
    keep_going: bool,
    shrink_minutes: float,
    as_json: bool,
) -> None:
    """Attack the real processes and watch the oracles."""
    console = Console(stderr=as_json)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that no mount and no process is left behind
    try:
        schedule = load(replay) if replay else make_schedule(seed, minutes * SCHEDULED_S, usable(ABLE, only))
        outcome = _run(console, schedule, keep_going, 0.0 if replay else minutes * 60)
    except (OSError, RuntimeError, ValueError) as error:
        say(console, f"chaos: {error}", "red")
        sys.exit(2)
    path = OUT / f"seed-{schedule.seed}.json"
    save(Schedule(schedule.seed, tuple(outcome.done)), path)
    smallest = None
    if outcome.violations and shrink_minutes > 0 and not keep_going:
        smallest = _shrink(console, outcome, shrink_minutes * 60)
    if as_json:
        sys.stdout.write(json.dumps(_tree(outcome, smallest)) + "\n")
    print_outcome(console, outcome, path)
    if smallest is not None:
        least = path.with_name(f"seed-{schedule.seed}-smallest.json")
        save(smallest, least)
        print_smallest(console, smallest, least)
    sys.exit(1 if outcome.violations else 0)


def _run(console: Console, schedule: Schedule, keep_going: bool, seconds: float) -> Outcome:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} acts"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"seed {schedule.seed}", total=len(schedule.actions))
        tell = _teller(console, progress, task)
        return run(schedule, keep_going=keep_going, seconds=seconds, tell=tell)


def _teller(console: Console, progress: Progress, task: TaskID) -> Callable[[int, Action, World], None]:
    def tell(index: int, action: Action, world: World) -> None:
        progress.update(task, completed=index)
        if not console.is_terminal and action.kind != SETTLE:
            say(console, f"{time.monotonic() - world.verdicts.began_s:6.1f} s  {action}")

    return tell


def _shrink(console: Console, outcome: Outcome, seconds: float) -> Schedule:
    """Replay with fewer and fewer acts while one of the violations recurs."""
    keys, seed = frozenset(outcome.counts), outcome.schedule.seed
    until_s = time.monotonic() + seconds
    items = [action for action in outcome.done if action.kind != SETTLE]
    say(console, f"shrinking {len(items)} acts for {', '.join(sorted(keys))}, at most {seconds:.0f} s")

    def fails(some: list[Action]) -> bool:
        again = run(_closed(seed, some), until=keys, seconds=max(1.0, until_s - time.monotonic()))
        found = keys & again.counts.keys()
        say(console, f"  {len(some)} acts: {', '.join(sorted(found)) or 'pass'}")
        return bool(found)

    return _closed(seed, shrink(items, fails, lambda: time.monotonic() < until_s))


def _closed(seed: int, some: list[Action]) -> Schedule:
    return Schedule(seed, (Action(SETTLE), *some, Action(SETTLE)))


def _tree(outcome: Outcome, smallest: Schedule | None) -> dict[str, object]:
    return {**asdict(outcome), "smallest": asdict(smallest) if smallest else None}


if __name__ == "__main__":
    main()
