"""Mutated packages, with the tests that cover them."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Package:
    """A row of the report. sources: globs relative to the root. suites: folders of tests/, the package's own first."""

    name: str
    sources: tuple[str, ...]
    suites: tuple[str, ...]

    def files(self, root: Path = ROOT) -> list[str]:
        """The sorted source files, relative to the root."""
        found = {path for pattern in self.sources for path in root.glob(pattern) if path.is_file()}
        return sorted(str(path.relative_to(root)) for path in found if path.name != "__init__.py")


_PROVISION = "firmware_scripts/overlay/usr/lib/mien/provision"


def _package(name: str, *suites: str) -> Package:
    return Package(name, (f"runtime/mien/{name}/**/*.py",), suites)


PACKAGES = {
    package.name: package
    for package in (
        _package("core", "core", "voice", "client", "face"),
        _package("voice", "voice", "contracts", "client", "pipeline", "cli"),
        _package("transport", "transport", "voice", "client", "pipeline"),
        _package("client", "client", "cli", "voice"),
        _package("face", "face", "render", "contracts", "pipeline"),
        _package("motion", "motion", "contracts", "face"),
        _package("avatar", "avatar", "render", "cli"),
        _package("host", "host", "systemd", "voice", "face", "cli", "pipeline"),
        Package("provision", (_PROVISION, f"{_PROVISION}ing/*.py"), ("firmware_scripts",)),
        Package("failure-note", ("systemd/failure-note",), ("systemd",)),
    )
}


def suites_of(packages: list[Package], root: Path = ROOT) -> list[str]:
    """The test folders of these packages, without duplicates, in a fixed order."""
    return sorted({suite for package in packages for suite in package.suites if (root / "tests" / suite).is_dir()})
