"""Where goosebit's environment is: `make test-fleet` makes it, and runs these tests."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rigs.goosebit import Goosebit

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mien/fleet/goosebit/bin/python"
PYTHON = Path(os.environ.get("MIEN_GOOSEBIT") or CACHE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out this folder where there is no goosebit."""
    return True if collection_path.name == "test_goosebit.py" and not PYTHON.exists() else None


def pytest_report_header() -> list[str]:
    """Name what is left out."""
    return [] if PYTHON.exists() else ["goosebit left to `make test-fleet`"]


@pytest.fixture(scope="module")
def goosebit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Goosebit]:
    server = Goosebit(PYTHON, tmp_path_factory.mktemp("goosebit"))
    yield server
    server.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Goosebit]:
    """A server that knows its devices by their tokens."""
    server = Goosebit(
        PYTHON, tmp_path / "strict", GOOSEBIT_DEVICE_AUTH__ENABLE="true", GOOSEBIT_DEVICE_AUTH__MODE="strict"
    )
    yield server
    server.close()


@pytest.fixture(scope="session", autouse=True)
def version() -> None:
    """goosebit is the real one."""
    command = [PYTHON, "-c", "from importlib.metadata import version; print(version('goosebit'))"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("0.2.")
