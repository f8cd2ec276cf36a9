"""Fixtures of the rig's tests, common to all rigs; they also record the findings."""

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from labgrid import Target
from labgrid.pytestplugin.hooks import LABGRID_ENV_KEY

from hil.account import account
from hil.board import Board
from hil.images import fingerprint
from hil.lg import MienStrategy
from hil.report.findings import Findings
from hil.rig import Rig
from hil.stages import State

OUT = Path(__file__).resolve().parents[2] / "build/hil"
PLACES = "/opt/mien /usr/local/lib"  # of the package, in the container or in the image
_RESULTS: list[dict[str, object]] = []
_FOUND: list[Findings] = []


@pytest.fixture(scope="session")
def strategy(target: Target) -> MienStrategy:
    """labgrid's strategy: moves the board between off, flashed, booted and ready."""
    strategy: MienStrategy = target.get_driver("MienStrategy")
    return strategy


@pytest.fixture(scope="session")
def rig(strategy: MienStrategy) -> Rig:
    """The bench: screen, ears, power, net, console, card, voice."""
    return strategy.rig


@pytest.fixture(scope="session")
def findings(rig: Rig, strategy: MienStrategy) -> Findings:
    """Collects the findings of the tests."""
    found = Findings(rig=rig.name, emulated=rig.emulated)
    image = strategy.stages.image
    found.identity["image"] = image.name
    found.identity["image SHA-256"] = fingerprint(image)
    found.identity["run"] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    _FOUND.append(found)
    return found


@pytest.fixture(scope="session")
def identified(strategy: MienStrategy, findings: Findings) -> None:
    """Record the versions on the board, once."""
    strategy.transition("ready")
    for name, command in (
        ("release", "tr '\\n' ' ' </etc/mien-release"),
        ("kernel", "uname -srm"),
        (
            "model SHA-256",
            f"sha256sum $(find {PLACES} -name mien-standard.tflite 2>/dev/null) | cut -c1-64",
        ),
    ):
        findings.identity[name] = strategy.rig.console.run(command, 60 * strategy.rig.patience).output


@pytest.fixture
def board(strategy: MienStrategy, findings: Findings, identified: None) -> Iterator[Board]:  # noqa: ARG001
    """A ready board. If the test leaves it unfit for the next one, a fresh card is written."""
    strategy.transition("ready")
    strategy.rig.ears.start()
    board = Board(strategy.stages, findings)
    yield board
    board.hang_up()
    strategy.rig.plug_screen()
    if strategy.stages.state is not State.UNKNOWN and not board.is_fit():
        findings.figure("board reset after", str(_RESULTS[-1]["name"]) if _RESULTS else "the first test")
        strategy.stages.to(State.OFF)
        if not strategy.stages.resumes():
            strategy.stages.to(State.FLASHED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    broken = report.failed and report.when != "call"  # in a fixture
    if report.when == "call" or report.skipped or broken:
        outcome = "error" if broken else report.outcome
        why = (
            ""
            if report.passed
            else (report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext[-4000:])
        )
        if report.failed and isinstance(board := getattr(item, "funcargs", {}).get("board"), Board):
            why += "\n" + account(board.rig)
        _RESULTS.append({"name": item.name, "outcome": outcome, "seconds": report.duration, "why": why})
        save()  # after each test, so that an aborted run leaves a report
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    environment = config.stash[LABGRID_ENV_KEY]
    if environment is None or "emulated" not in environment.get_target_features() or os.environ.get("MIEN_HIL_FULL"):
        return
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason="takes minutes on an emulated board: set MIEN_HIL_FULL=1"))


def save() -> None:
    """Write the findings for the report."""
    for found in _FOUND:
        found.results = _RESULTS
        found.save(OUT / f"{found.rig}.findings.json")


def pytest_sessionfinish() -> None:
    save()


def pytest_configure(config: pytest.Config) -> None:  # noqa: ARG001
    OUT.mkdir(parents=True, exist_ok=True)
