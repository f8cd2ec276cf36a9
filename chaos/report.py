"""The report at the end of a run, for people."""

from pathlib import Path

from rich.console import Console

from chaos.plan import Schedule
from chaos.run import Outcome

TOLD = {"the harness failed", "hostile client failed", "killed", "slow to settle"}
LINES = 30  # of a log around a violation


def say(console: Console, text: str, style: str = "") -> None:
    """Print a line verbatim: without markup, and unwrapped when piped."""
    console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def print_outcome(console: Console, outcome: Outcome, path: Path) -> None:
    """Print figures, and every violation with its context."""

    def said(text: str, style: str = "") -> None:
        say(console, text, style)

    fates = ", ".join(f"{name} {count}" for name, count in sorted(outcome.fates.items()))
    said(f"seed {outcome.schedule.seed}: {outcome.seconds:.0f} s, {len(outcome.done)} acts")
    said(f"  {outcome.begun} turns ({fates}), {outcome.compared} compared with the recording")
    for name, most in outcome.usage.items():
        said(f"  mien-{name}, maximum usage: {most}")
    said(f"  the oracles ran at most {outcome.latest_s} s late")
    for kind, notes in outcome.notes:
        if notes.keys() & TOLD:
            said("\n".join(f"  {kind}: {name}: {note}" for name, note in notes.items()), "yellow")
    for violation in outcome.violations:
        times = outcome.counts[violation.key]
        said(f"VIOLATION {violation.key} at {violation.at_s} s ({times} times)\n  {violation.what}", "red")
        if violation.context:
            said("\n".join(f"  | {line}" for line in violation.context.splitlines()[-LINES:]))
    if outcome.violations:
        said("schedule up to there:")
        for action in outcome.done:
            said(f"  {action}")
        said(f"replay with: make chaos REPLAY={path}")
    else:
        said("no violation", style="green")


def print_smallest(console: Console, smallest: Schedule, path: Path) -> None:
    """Print a reduced schedule."""
    say(console, "smallest failing schedule found:")
    for action in smallest.actions:
        say(console, f"  {action}")
    say(console, f"replay with: make chaos REPLAY={path}")
