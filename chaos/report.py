"""What a run says at its end, for people."""

from pathlib import Path

from rich.console import Console

from chaos.plan import Schedule
from chaos.run import Outcome


def print_outcome(console: Console, outcome: Outcome, path: Path) -> None:
    """Figures, and every violation with what surrounds it."""
    said = console.print
    fates = ", ".join(f"{name} {count}" for name, count in sorted(outcome.fates.items()))
    said(f"seed {outcome.schedule.seed}: {outcome.seconds:.0f} s, {len(outcome.done)} acts, {outcome.begun} turns ({fates}), "
         f"{outcome.compared} compared with the recording", markup=False, soft_wrap=True)
    for name, most in outcome.usage.items():
        said(f"  mien-{name} took at most: {most}", markup=False, soft_wrap=True)
    said(f"  the oracles looked at most {outcome.latest_s} s late", markup=False, soft_wrap=True)
    for kind, notes in outcome.notes:
        if "the harness failed" in notes or "hostile client failed" in notes or "put down" in notes:
            said(f"  {kind}: {notes}", style="yellow", markup=False, soft_wrap=True)
    for violation in outcome.violations:
        said(f"VIOLATION {violation.key} at {violation.at_s} s ({outcome.counts[violation.key]} times)\n  {violation.what}",
             style="red", markup=False, soft_wrap=True)
        if violation.context:
            said(f"  {violation.context}", markup=False, soft_wrap=True)
    if outcome.violations:
        said("the schedule up to there:", markup=False, soft_wrap=True)
        for action in outcome.done:
            said(f"  {action}", markup=False, highlight=False, soft_wrap=True)
        said(f"again: make chaos REPLAY={path}", markup=False, soft_wrap=True)
    else:
        said("nothing was violated", style="green", markup=False, soft_wrap=True)


def print_smallest(console: Console, smallest: Schedule, path: Path) -> None:
    """The schedule that is left of it."""
    console.print("the smallest schedule that was found:", markup=False, soft_wrap=True)
    for action in smallest.actions:
        console.print(f"  {action}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"again: make chaos REPLAY={path}", markup=False, soft_wrap=True)
