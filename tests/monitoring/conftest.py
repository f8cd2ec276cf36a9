"""Which tools of an operator this machine has: `make test-fleet` brings all of them."""

import shutil
from pathlib import Path

TOOLS = {
    "test_promtool.py": ("promtool",),
    "test_exporter.py": ("prometheus-mqtt-exporter", "mosquitto", "prometheus"),
}
ABSENT = {file: [tool for tool in tools if not shutil.which(tool)] for file, tools in TOOLS.items()}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out a file whose tools are not installed."""
    return True if ABSENT.get(collection_path.name) else None


def pytest_report_header() -> list[str]:
    """Name what is left out."""
    left = [f"{file} (needs {', '.join(tools)})" for file, tools in ABSENT.items() if tools]
    return [f"monitoring left to `make test-fleet`: {'; '.join(left)}"] if left else []
