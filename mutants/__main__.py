"""Command line: python -m mutants --seed 1 --count 200. See README.md."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from mutants import equivalent, report, sandbox
from mutants.covered import Suite, suite
from mutants.sample import candidates, draw, shares
from mutants.source import Mutation
from mutants.targets import PACKAGES, suites_of
from mutants.trial import Outcome, attempt
from mutants.workspace import Workspace


def main() -> int:
    """Exit status 1 if fewer than --least percent were killed."""
    options = _options()
    packages = [PACKAGES[name] for name in options.packages]
    drawn = _drawn(options)
    if options.list:
        print("\n".join(f"{one.name}\n    - {one.before}\n    + {one.after}" for one in drawn))
        return 0
    if not sandbox.can_shut_in():
        print(
            "mutants: no namespaces available: mutants are confined by resource limits only",
            flush=True,
        )
    with ExitStack() as stack:
        _end_at_a_signal(stack)
        workspaces = [stack.enter_context(Workspace()) for _ in range(options.workers)]
        names = sorted({package.suites[0] for package in packages}) if options.own else suites_of(packages)
        suites = {name: suite(name, workspaces[0]) for name in names}
        _tell_unfit(suites)
        outcomes = list(_outcomes(drawn, suites, workspaces))
    print(report.text(outcomes))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(outcomes, options.seed), indent=1))
    return int(report.table(outcomes)[-1]["percent"] < options.least)


def _end_at_a_signal(stack: ExitStack) -> None:
    """On a signal, kill the running mutants and remove the copies."""

    def end(number: int, _: object) -> None:
        sandbox.end_all()
        stack.close()
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--packages", nargs="+", choices=list(PACKAGES), default=list(PACKAGES))
    parser.add_argument("--at", metavar="FILE[:LINE]", nargs="+", help="try all mutants of these files or lines")
    parser.add_argument("--own", action="store_true", help="run only the package's own tests: faster, stricter")
    parser.add_argument("--workers", type=int, choices=(1, 2, 4), default=2)
    parser.add_argument("--least", type=float, default=0.0, help="percentage that must be killed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", action="store_true", help="only list what would be tried")
    return parser.parse_args()


def _drawn(options: argparse.Namespace) -> list[Mutation]:
    found = {name: candidates(PACKAGES[name]) for name in options.packages}
    if options.at:
        places = [place.partition(":") for place in options.at]
        return [
            one
            for each in found.values()
            for one in each
            if any(one.file.endswith(file) and line in ("", str(one.line)) for file, _, line in places)
        ]
    counts = shares({name: len(each) for name, each in found.items()}, options.count)
    return [one for name, number in counts.items() for one in draw(found[name], number, options.seed)]


def _tell_unfit(suites: dict[str, Suite]) -> None:
    for found in suites.values():
        for test in found.unfit:
            print(f"mutants: left out, since it fails or is skipped without a mutant: {test}", flush=True)


def _outcomes(drawn: list[Mutation], suites: dict[str, Suite], workspaces: list[Workspace]) -> Iterator[Outcome]:
    free: SimpleQueue[Workspace] = SimpleQueue()
    for workspace in workspaces:
        free.put(workspace)
    listed = equivalent.known()

    def one(mutation: Mutation) -> Outcome:
        reason = equivalent.why(mutation, listed)
        if reason is not None:
            return Outcome(mutation, "equivalent", reason, 0, 0.0)
        workspace = free.get()
        try:
            return attempt(mutation, suites, workspace)
        finally:
            free.put(workspace)

    with ThreadPoolExecutor(len(workspaces)) as pool:
        begun = [pool.submit(one, mutation) for mutation in drawn]
        for number, done in enumerate(as_completed(begun), 1):
            outcome = done.result()
            print(
                f"[{number:3}/{len(drawn)}] {outcome.how:10} {outcome.seconds:5.1f} s  {outcome.mutation.name}  "
                f"{outcome.by}",
                flush=True,
            )
    yield from (done.result() for done in begun)


if __name__ == "__main__":
    sys.exit(main())
