"""What needs a browser is left to `make test-console`, which has one."""

from importlib.util import find_spec
from pathlib import Path

BROWSER = find_spec("playwright") is not None


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out browser/ where playwright is not installed."""
    return True if collection_path.name == "browser" and not BROWSER else None


def pytest_report_header() -> list[str]:
    """Name what is left out."""
    return [] if BROWSER else ["tests/console/browser is left to `make test-console`"]
