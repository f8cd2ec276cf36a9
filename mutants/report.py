"""Report: a table per package, followed by the survivors."""

from typing import Any

from mutants.trial import Outcome

COLUMNS = ("package", "killed", "tried", "percent", "equivalent")


def table(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """One row per package, and a total. `tried` excludes equivalent mutants."""
    names = list(dict.fromkeys(outcome.mutation.package for outcome in outcomes))
    rows = [_row(name, [outcome for outcome in outcomes if outcome.mutation.package == name]) for name in names]
    return [*rows, _row("all", outcomes)]


def _row(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    killed = sum(outcome.killed for outcome in outcomes)
    same = sum(outcome.how == "equivalent" for outcome in outcomes)
    tried = len(outcomes) - same
    percent = round(100 * killed / tried, 1) if tried else 100.0
    return {"package": name, "killed": killed, "tried": tried, "percent": percent, "equivalent": same}


def text(outcomes: list[Outcome]) -> str:
    """For people."""
    lines = []
    for outcome in outcomes:
        if outcome.how in ("survived", "equivalent"):
            found = outcome.mutation
            lines += [
                f"{outcome.how}: {found.name}  ({outcome.tests} tests{'; ' * bool(outcome.by)}{outcome.by})",
                f"    - {found.before}",
                f"    + {found.after}",
            ]
    lines += ["", "".join(f"{name:>13}" for name in COLUMNS)]
    lines += ["".join(f"{row[name]:>13}" for name in COLUMNS) for row in table(outcomes)]
    return "\n".join(lines)


def as_json(outcomes: list[Outcome], seed: int) -> dict[str, Any]:
    """For machines."""
    return {
        "seed": seed,
        "packages": table(outcomes),
        "mutants": [
            {
                "package": outcome.mutation.package,
                "file": outcome.mutation.file,
                "line": outcome.mutation.line,
                "kind": outcome.mutation.edit.kind,
                "before": outcome.mutation.before,
                "after": outcome.mutation.after,
                "outcome": outcome.how,
                "by": outcome.by,
                "tests": outcome.tests,
                "seconds": round(outcome.seconds, 1),
            }
            for outcome in outcomes
        ],
    }
