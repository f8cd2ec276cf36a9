"""The commit of mien's source, where it is known."""

import json
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Final

import mien
from mien.bench.board.figures import fact
from mien.bench.board.report import Fact

PACKAGE: Final = Path(mien.__file__).resolve().parent
GIT_S: Final = 20.0


def commit(package: Path = PACKAGE) -> Fact:
    """The commit of the checkout that mien runs from, or of the one that pip installed."""
    checkout = package.parents[1]
    if package.parent.name == "runtime" and (checkout / ".git").exists():
        return _of_checkout(checkout)
    return fact(_of_installation(), "installed from a package, which names no commit")


def _of_checkout(checkout: Path) -> Fact:
    if shutil.which("git") is None:
        return fact("", "run from a checkout, but git is not installed")
    head, changes = _git(checkout, "rev-parse", "HEAD"), _git(checkout, "status", "--porcelain", "-uno")
    if head is None or changes is None:
        return fact("", "git refuses to read the checkout")
    return fact(f"{head} with changes" if changes else head, "")


def _git(checkout: Path, *words: str) -> str | None:
    try:
        made = subprocess.run(["git", "-C", str(checkout), *words], capture_output=True, text=True, timeout=GIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return made.stdout.strip() if made.returncode == 0 else None


def _of_installation() -> str:
    """From the record that pip keeps of an installation from a repository; "" without one."""
    try:
        record = json.loads(metadata.distribution("mien").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    return str(record.get("vcs_info", {}).get("commit_id", "")) if isinstance(record, dict) else ""
