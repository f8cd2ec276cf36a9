"""Checks whether the services can run from a Python environment.

A service sees no home and no /tmp of anybody (ProtectHome, PrivateTmp). An environment below /opt, /usr or /srv is used
as it is; any other, such as one made by pipx, is copied (`mien.install.environment_copy`).
"""

import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path, PurePath
from typing import Final

from mien.errors import InstallRefused
from mien.install.places import within

PROGRAMS: Final = ("mien", "mien-voice", "mien-face", "mien-ear", "mien-link", "mien-board-control")
_SHARED: Final = (Path("/opt"), Path("/usr"), Path("/srv"))
_HIDDEN: Final = (Path("/home"), Path("/root"), Path("/tmp"), Path("/var/tmp"), Path("/run/user"))
_DEBIAN_PACKAGES: Final = Path("/usr/lib/python3/dist-packages")
_MUTE: Final = (
    "systemd-python is missing, without which systemd takes the services for hung and kills them: "
    "apt-get install python3-systemd (for an environment in /opt, made with --system-site-packages)"
)
_SAFE: Final = re.compile(r"[A-Za-z0-9._/+-]+")


@dataclass(frozen=True)
class Environment:
    """prefix: the environment that runs this program. base: its interpreter outside of any environment."""

    prefix: Path
    commands: Path
    base: Path

    @property
    def is_shared(self) -> bool:
        """Whether services can run from it as it is."""
        return any(self.prefix.is_relative_to(folder) for folder in _SHARED)


def running_environment() -> Environment:
    """The environment of this process."""
    return Environment(
        Path(sys.prefix),
        Path(sysconfig.get_path("scripts")),
        Path(getattr(sys, "_base_executable", sys.executable) or sys.executable).resolve(),
    )


def refuse_hidden(environment: Environment) -> None:
    """Raises InstallRefused if the services could not see the interpreter, or a unit could not name its folder."""
    if any(environment.base.is_relative_to(folder) for folder in _HIDDEN):
        raise InstallRefused(
            f"this mien runs on {environment.base}, which the services cannot see: install it with the system's "
            "Python, `python3 -m venv --system-site-packages /opt/mien && /opt/mien/bin/pip install mien`"
        )
    if not _SAFE.fullmatch(str(environment.commands)):
        raise InstallRefused(f"a unit cannot name the folder {environment.commands}; install mien below /opt/mien")


def check_commands(root: Path, commands: Path) -> None:
    """Check that what the units start exists and starts. Raises InstallRefused with the remedy.

    In an image (root is not /) nothing is executed.
    """
    for name in PROGRAMS:
        script = within(root, commands / name)
        if not script.is_file():
            raise InstallRefused(f"{commands / name} does not exist: {_remedy(commands)}")
        python = _interpreter(script)
        if python is not None and not _exists(root, python):
            raise InstallRefused(f"{commands / name} starts {python}, which does not exist: {_remedy(commands)}")
        if root == Path("/") and python is not None:
            _import(python, f"{commands / name}", commands)


def _remedy(commands: Path) -> str:
    return (
        f"the environment in {commands.parent} is broken (was the system's Python upgraded?); make it again, "
        f"`python3 -m venv --clear --system-site-packages {commands.parent} && {commands}/pip install mien`, or run "
        "`mien service install` of a working one"
    )


def _interpreter(script: Path) -> Path | None:
    with script.open("rb") as file:
        first = file.readline(512).decode(errors="replace")
    return Path(first[2:].split()[0]) if first.startswith("#!/") else None


def _exists(root: Path, path: Path) -> bool:
    """Like Path.exists, with links that are followed inside root."""
    for _ in range(20):
        inside = within(root, path)
        if not inside.is_symlink():
            return inside.exists()
        path = Path("/") / PurePath(path.parent, inside.readlink())
    return False


def _import(python: Path, name: str, commands: Path) -> None:
    done = subprocess.run(
        [python, "-c", "import mien.voice.service, mien.face.__main__, mien.cli, systemd.daemon"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd="/",
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if "'systemd" in last:
            raise InstallRefused(_MUTE)
        raise InstallRefused(f"{name} does not start ({last}): {_remedy(commands)}")


def refuse_uncopyable(distributions: list[Distribution]) -> None:
    """Raises InstallRefused for a source tree (an editable installation) or one without a list of its files."""
    if not distributions:
        raise InstallRefused("mien is not installed here, it runs from a source tree: `pip install .` first")
    for distribution in distributions:
        files = distribution.files
        if not files or any("__editable__" in file.name for file in files):
            raise InstallRefused(
                f"{distribution.name} is installed as a source tree (editable): install it with `pip install .`, "
                "without -e, and then as a service"
            )


def uses_debians(root: Path, package: str) -> bool:
    """Whether Debian's package of that name is installed. PyPI's pygame has no KMSDRM, and draws in windows only."""
    return within(root, _DEBIAN_PACKAGES / package).is_dir()


def refuse_mute(root: Path, distributions: list[Distribution]) -> None:
    """Raises InstallRefused without systemd-python: the services could not say that they are ready, and be killed."""
    if not uses_debians(root, "systemd") and all(found.name != "systemd-python" for found in distributions):
        raise InstallRefused(_MUTE)


def draws_on_a_console(root: Path, commands: Path) -> bool:
    """Whether the environment's pygame can draw without a desktop: it is Debian's, not PyPI's."""
    bundled = within(root, commands.parent).glob("lib/python3*/site-packages/pygame.libs")
    return uses_debians(root, "pygame") and not any(bundled)


def plays_sound(root: Path, commands: Path) -> bool:
    """Whether the environment has pyalsaaudio, or Debian does."""
    own = within(root, commands.parent).glob("lib/python3*/site-packages/alsaaudio*.so")
    return any(own) or any(within(root, _DEBIAN_PACKAGES).glob("alsaaudio*.so"))


def refuse_missing_python(root: Path, environment: Environment) -> None:
    """Raises InstallRefused if an image lacks the interpreter that this mien is made for."""
    if not within(root, environment.base).exists():
        raise InstallRefused(
            f"{root} has no {environment.base}, on which this mien runs: install python3 there, or run mien with "
            "that system's version of Python"
        )
