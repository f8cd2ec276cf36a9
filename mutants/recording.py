"""pytest plugin that records coverage with run time per test, once per test folder, without mutants.

MUTANTS_RECORD: the output file. MUTANTS_COVERAGE: a scratch folder. MUTANTS_INCLUDE: sources, separated by colons.
A fixture with a wider scope is a context of its own: its lines count for every test that uses it.
"""

import json
import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import coverage
import pytest

_coverage = coverage.Coverage(
    data_file=f"{os.environ['MUTANTS_COVERAGE']}/main",
    config_file=False,
    messages=False,
    include=os.environ["MUTANTS_INCLUDE"].split(":"),
)
_seconds: dict[str, float] = defaultdict(float)
_unfit: set[str] = set()
_users: dict[str, list[str]] = defaultdict(list)
_now = ""


def pytest_configure() -> None:
    """Start before test modules are imported, so that import-time lines belong to no test."""
    _coverage.start()
    _coverage.switch_context("")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Record which tests use which wider-scoped fixtures."""
    for item in session.items:
        for name, found in getattr(item, "_fixtureinfo").name2fixturedefs.items():  # noqa: B009
            for fixture in found:
                if fixture.scope != "function":
                    _users[f"fixture {fixture.baseid}::{name}"].append(item.nodeid)


def _switch(context: str) -> str:
    global _now
    before, _now = _now, context
    _coverage.switch_context(context)
    return before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Switch the context to the test."""
    before = _switch(item.nodeid)
    result = yield
    _switch(before)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Generator[None, object, object]:
    """Switch the context to a fixture used by more than one test."""
    if fixturedef.scope == "function":
        return (yield)
    before = _switch(f"fixture {fixturedef.baseid}::{fixturedef.argname}")
    try:
        return (yield)
    finally:
        _switch(before)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record run times, and tests that fail or are skipped without a mutant: they cannot detect one."""
    _seconds[report.nodeid] += report.duration
    if not report.passed:
        _unfit.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write the record."""
    _coverage.stop()
    _coverage.save()
    tests = sorted(set(_seconds) - _unfit)
    record = {
        "seconds": {test: round(_seconds[test], 3) for test in tests},
        "unfit": sorted(_unfit),
        "lines": _lines({test: number for number, test in enumerate(tests)}),
    }
    Path(os.environ["MUTANTS_RECORD"]).write_text(json.dumps(record))


def _lines(numbers: dict[str, int]) -> dict[str, dict[int, list[int]]]:
    """file -> line -> numbers of the tests that executed it; [] for lines executed only on import."""
    found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    root = Path.cwd()
    for data in (_coverage.get_data(), *_of_subprocesses()):
        for file in data.measured_files():
            lines = found[str(Path(file).relative_to(root))]
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in contexts:
                    lines[line] |= {numbers[test] for test in _users.get(context, [context]) if test in numbers}
    return {file: {line: sorted(tests) for line, tests in lines.items()} for file, lines in found.items()}


def _of_subprocesses() -> Generator[coverage.CoverageData, None, None]:
    for file in sorted(Path(os.environ["MUTANTS_COVERAGE"]).iterdir()):
        if file.name != "main" and file.suffix != ".json":
            data = coverage.CoverageData(str(file))
            try:
                data.read()
            except coverage.CoverageException:
                continue  # killed while writing
            yield data
