"""pytest plugin: run the tests listed in MUTANTS_TESTS, in that order; write the first that fails to MUTANTS_KILLER."""

import json
import os
from pathlib import Path

import hypothesis
import pytest

# Any failing example will do; shrinking it takes minutes.
hypothesis.settings.register_profile(
    "mutants",
    database=None,
    phases=[phase for phase in hypothesis.Phase if phase not in (hypothesis.Phase.shrink, hypothesis.Phase.explain)],
)
hypothesis.settings.load_profile("mutants")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select and order the chosen tests."""
    order = {test: number for number, test in enumerate(json.loads(Path(os.environ["MUTANTS_TESTS"]).read_text()))}
    chosen = [item for item in items if item.nodeid in order]
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in order])
    items[:] = sorted(chosen, key=lambda item: order[item.nodeid])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the test that failed."""
    if report.failed:
        killer = Path(os.environ["MUTANTS_KILLER"])
        if not killer.exists():
            killer.write_text(report.nodeid)
