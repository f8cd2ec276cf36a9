"""Trial of a mutant: insert it, run the tests that execute its line, then their neighbours."""

import json
import time
from dataclasses import dataclass

from mutants.covered import Suite
from mutants.source import Mutation
from mutants.targets import PACKAGES
from mutants.workspace import Workspace

MOST_TEST_SECONDS = 150.0  # of tests outside the package's own folder that execute the line
MOST_NEIGHBOUR_SECONDS = 40.0  # of tests that are not known to execute it, but are in the same file as ones that do
START_SECONDS = 30.0
SLOWER = 6.0  # how much slower than recorded a test may be on a busy machine


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a trial. how: killed, timeout, survived or equivalent. by: the test that failed, or the reason."""

    mutation: Mutation
    how: str
    by: str
    tests: int
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether the mutant was detected."""
        return self.how in ("killed", "timeout")


def rounds(mutation: Mutation, suites: dict[str, Suite]) -> list[list[str]]:
    """Tests in execution order: by folder, by file, fastest first."""
    names = [name for name in PACKAGES[mutation.package].suites if name in suites]
    running = {name: suites[name].running(mutation) for name in names}
    first = [test for name in names for test in _ordered(suites[name], running[name])]
    files = {test.split("::")[0] for test in first}
    own = suites[names[0]]
    whole = mutation.at_import or not first
    more = {test for test in own.seconds if whole or test.split("::")[0] in files} - set(first)
    seconds = {test: time_s for name in names for test, time_s in suites[name].seconds.items()}
    asked = [test for test in first if test in own.seconds]
    asked += _within(MOST_TEST_SECONDS, [test for test in first if test not in own.seconds], seconds)
    neighbours = _within(MOST_NEIGHBOUR_SECONDS, _ordered(own, more), seconds)
    return [tests for tests in (asked, neighbours) if tests]


def _ordered(suite: Suite, tests: set[str]) -> list[str]:
    cost: dict[str, float] = {}
    for test in tests:
        file = test.split("::")[0]
        cost[file] = cost.get(file, 0.0) + suite.seconds[test]
    return sorted(tests, key=lambda test: (cost[test.split("::")[0]], test.split("::")[0], suite.seconds[test], test))


def _within(most_s: float, tests: list[str], seconds: dict[str, float]) -> list[str]:
    """As many tests as the time limit allows."""
    kept, spent_s = [], 0.0
    for test in tests:
        if spent_s + seconds[test] <= most_s:
            kept.append(test)
            spent_s += seconds[test]
    return kept


def attempt(mutation: Mutation, suites: dict[str, Suite], workspace: Workspace) -> Outcome:
    """Insert the mutant, run the tests, remove it."""
    began, asked = time.monotonic(), 0
    with workspace.changed(mutation.file, mutation.edit):
        for tests in rounds(mutation, suites):
            asked += len(tests)
            how, by = _ask(tests, suites, workspace)
            if how != "survived":
                return Outcome(mutation, how, by, asked, time.monotonic() - began)
    executed = any(suite.running(mutation) for suite in suites.values())
    note = "" if executed or mutation.at_import else "no test executes this line"
    return Outcome(mutation, "survived", note, asked, time.monotonic() - began)


def _ask(tests: list[str], suites: dict[str, Suite], workspace: Workspace) -> tuple[str, str]:
    chosen, killer = workspace.work / "tests.json", workspace.work / "killer"
    chosen.write_text(json.dumps(tests))
    killer.unlink(missing_ok=True)
    known = {test: time_s for suite in suites.values() for test, time_s in suite.seconds.items()}
    took = [known[test] for test in tests]
    files = list(dict.fromkeys(test.split("::")[0] for test in tests))
    each = f"--timeout={max(20.0, SLOWER * max(took)):.0f}"
    status = workspace.pytest(
        "choosing",
        ["-x", each, *files],
        {"MUTANTS_TESTS": str(chosen), "MUTANTS_KILLER": str(killer)},
        START_SECONDS + SLOWER * sum(took),
    )
    by = killer.read_text() if killer.exists() else "import, or the process exited"
    if status == 5:
        raise SystemExit(f"mutants: pytest found none of {tests[:3]}:\n{workspace.output()[-2000:]}")
    if status is None:
        return "timeout", by if killer.exists() else "time"
    return ("survived", "") if status == 0 else ("killed", by)
