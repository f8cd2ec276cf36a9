"""Copies the running Python environment to /opt/mien, where the services can see it."""

import compileall
import csv
import importlib.metadata
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from typing import Final

from mien.errors import InstallError
from mien.install.environment import Environment, uses_debians
from mien.install.places import RUNTIME, within

_LAUNCHER: Final = "#!{python}\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
_TOOL_EXTRAS: Final = re.compile(r"""extra\s*==\s*["']dev["']""")


def required(name: str, seen: set[str] | None = None) -> Iterator[Distribution]:
    """The installed distribution, and all installed ones that it needs; those for development are left out."""
    seen = set() if seen is None else seen
    normal = re.sub(r"[-_.]+", "-", name).lower()
    if normal in seen:
        return
    seen.add(normal)
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return
    yield distribution
    for requirement in distribution.requires or ():
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        if match and not _TOOL_EXTRAS.search(requirement):
            yield from required(match.group(), seen)


def copy_environment(root: Path, environment: Environment) -> Path:
    """Make a fresh copy of the running environment beside /opt/mien below root. Returns its folder, for `swap_in`.

    Raises InstallError, OSError.
    """
    distributions = list(required("mien"))
    fresh = within(root, RUNTIME).with_name(f".{RUNTIME.name}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    site = fresh / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    site.mkdir(parents=True)
    debians = uses_debians(root, "pygame")
    shared = debians or uses_debians(root, "systemd") or _shares_packages(environment.prefix)
    for distribution in distributions:
        if not (debians and distribution.name == "pygame"):
            _copy_files(distribution, site)
    (fresh / "pyvenv.cfg").write_text(
        f"home = {environment.base.parent}\ninclude-system-site-packages = {str(shared).lower()}\n"
        f"version = {'.'.join(map(str, sys.version_info[:3]))}\n"
    )
    (fresh / "bin").mkdir()
    (fresh / "bin/python3").symlink_to(environment.base)
    write_launchers(fresh / "bin", RUNTIME / "bin/python3", distributions[0])
    compileall.compile_dir(site, quiet=2, stripdir=str(site), prependdir=str(RUNTIME / site.relative_to(fresh)))
    return fresh


def write_launchers(folder: Path, python: Path, distribution: Distribution) -> None:
    """One program for each command that the distribution declares."""
    for entry in distribution.entry_points.select(group="console_scripts"):
        launcher = folder / entry.name
        launcher.write_text(_LAUNCHER.format(python=python, module=entry.module, function=entry.attr))
        launcher.chmod(0o755)


def swap_in(root: Path, fresh: Path) -> None:
    """Replace /opt/mien by the fresh copy. Raises OSError."""
    place = within(root, RUNTIME)
    old = place.with_name(f".{RUNTIME.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def remove_environment(root: Path, path: Path) -> None:
    """Delete a copied environment, and what a broken-off copy left. Raises OSError."""
    place = within(root, path)
    for folder in (place, place.with_name(f".{path.name}-old"), place.with_name(f".{path.name}-new")):
        if folder.exists():
            shutil.rmtree(folder)


def _shares_packages(prefix: Path) -> bool:
    settings = prefix / "pyvenv.cfg"
    return not settings.exists() or "include-system-site-packages = true" in settings.read_text().lower()


def _recorded(distribution: Distribution) -> list[PurePosixPath]:
    """What pip recorded. From Python 3.12 on `Distribution.files` leaves out what is missing; the record does not."""
    record = distribution.read_text("RECORD")
    if record is None:
        return [PurePosixPath(file) for file in distribution.files or ()]
    return [PurePosixPath(row[0]) for row in csv.reader(record.splitlines()) if row]


def _copy_files(distribution: Distribution, site: Path) -> None:
    for file in _recorded(distribution):
        if ".." in file.parts or "__pycache__" in file.parts or file.suffix == ".pth":
            continue
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(str(distribution.locate_file(file)), target)
        except FileNotFoundError:
            raise InstallError(
                f"{distribution.locate_file(file)} is gone: this environment is broken; make it again, "
                "`pip install --force-reinstall mien`"
            ) from None
