"""What ships: data files in the wheel, and one version everywhere."""

import re
import subprocess
import tomllib
from pathlib import Path

import mien

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "runtime/mien"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def test_every_data_file_of_the_package_ships():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["mien"]
    shipped = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    tracked = subprocess.run(
        ["git", "ls-files", "--", str(PACKAGE)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    files = {REPOSITORY / name for name in tracked if not name.endswith(".py")}
    assert {path for path in files if path.exists()} <= shipped
    assert PACKAGE / "core/PROTOCOL.md" in shipped


def test_the_version_stands_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "mien.__version__"}
    settings = f"REPOSITORY={REPOSITORY}; . firmware_scripts/settings.sh; echo $VERSION"
    image = subprocess.run(
        ["bash", "-c", settings], cwd=REPOSITORY, env={"SOURCE_DATE_EPOCH": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert image.strip() == mien.__version__


def test_the_changelog_begins_with_this_version():
    newest = re.search(r"^## (\S+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)
    assert newest is not None
    assert newest[1] == mien.__version__


def test_release_notes_are_this_versions_part_of_the_changelog():
    notes = subprocess.run(
        [REPOSITORY / ".ci/release", "--notes"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert notes
    assert "\n## " not in f"\n{notes}"
    assert notes in (REPOSITORY / "CHANGELOG.md").read_text()


def test_the_hosted_workflow_only_calls_ci_run():
    workflow = (REPOSITORY / ".github/workflows/ci.yml").read_text()
    runs = re.findall(r"^\s*- run: (.*)$", workflow, re.M)
    assert runs[-1] == ".ci/run"
    assert all(not re.search(r"make|pytest|ruff|mypy", command) for command in runs)
