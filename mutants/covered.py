"""Coverage per test: recorded once per test folder, cached in build/mutants until sources or tests change."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mutants.source import Mutation
from mutants.targets import PACKAGES, ROOT
from mutants.workspace import Workspace

KEPT = ROOT / "build/mutants"
MOST_SECONDS = 1800.0


@dataclass(slots=True)
class Suite:
    """The record of a test folder. seconds: of each test. lines: file -> line -> tests."""

    name: str
    seconds: dict[str, float]
    unfit: list[str]
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def running(self, mutation: Mutation) -> set[str]:
        """Tests that execute the mutated statement; for import-time code, tests that execute anything in the file."""
        lines = self.lines.get(mutation.file, {})
        if mutation.at_import:
            return {test for tests in lines.values() for test in tests}
        first, last = mutation.lines
        return {test for line in range(first, last + 1) for test in lines.get(line, ())}


def suite(name: str, workspace: Workspace) -> Suite:
    """The record of a test folder; made anew if sources or tests have changed."""
    path = KEPT / f"{name}-{_fingerprint(name)}.json"
    if not path.exists():
        _record(name, workspace, path)
    record = json.loads(path.read_text())
    tests = list(record["seconds"])
    lines = {
        file: {int(line): [tests[number] for number in numbers] for line, numbers in found.items()}
        for file, found in record["lines"].items()
    }
    return Suite(name, record["seconds"], record["unfit"], lines)


def _record(name: str, workspace: Workspace, path: Path) -> None:
    print(f"mutants: recording the coverage of tests/{name}", flush=True)
    folder, result = workspace.work / "coverage", workspace.work / "record.json"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    include = ":".join(f"{workspace.tree}/{pattern}" for package in PACKAGES.values() for pattern in package.sources)
    environment = {"MUTANTS_RECORD": str(result), "MUTANTS_COVERAGE": str(folder), "MUTANTS_INCLUDE": include}
    result.unlink(missing_ok=True)
    workspace.pytest("recording", [f"tests/{name}"], environment, MOST_SECONDS)
    if not result.exists():
        raise SystemExit(f"mutants: tests/{name} did not complete:\n{workspace.output()[-3000:]}")
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob(f"{name}-*.json"):
        old.unlink()
    shutil.copy(result, path)


def _fingerprint(name: str) -> str:
    digest = hashlib.sha256()
    for path in _read_by(name):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _read_by(name: str) -> Iterable[Path]:
    sources = {path for package in PACKAGES.values() for path in map(ROOT.joinpath, package.files())}
    tests = {path for folder in (name, "rigs") for path in (ROOT / "tests" / folder).rglob("*") if path.is_file()}
    return sorted(
        path for path in {*sources, *tests, *(ROOT / "mutants").glob("recording.py")} if "__pycache__" not in path.parts
    )
