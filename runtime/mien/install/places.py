"""Where things are: the shipped systemd files, the folders that they go to."""

from pathlib import Path
from typing import Final

from mien.errors import InstallError

PREFIX: Final = Path("/usr/local")
"""For what no Debian package owns. systemd, udev, sysusers and tmpfiles read /usr/local/lib before /usr/lib."""

PACKAGED_PREFIX: Final = Path("/usr")
"""The Debian package's, the image's, and that of systemd/install.sh run by hand."""

RUNTIME: Final = Path("/opt/mien")
"""The services' own virtual environment, if mien runs from a place that they cannot see."""

RECEIPT: Final = PREFIX / "lib/mien/receipt.json"
COMMAND: Final = PREFIX / "bin/mien"
SETTINGS: Final = Path("/etc/mien")
SETTINGS_FILE: Final = SETTINGS / "mien.toml"
LINK_FILE: Final = SETTINGS / "link/link.toml"
LINK_STATE: Final = Path("/var/lib/mien-link")
DEFAULTS: Final = PREFIX / "lib/mien/board-defaults.toml"
LOGS: Final = Path("/var/log/mien")
TARGET: Final = "mien.target"
GROUPS: Final = ("mien",)
OPTIONAL: Final = ("mien-ear", "mien-converse", "mien-link")
"""Services that run only where they are enabled."""


def within(root: Path, path: Path) -> Path:
    """An absolute path of the machine, below ROOT."""
    return root / path.relative_to("/")


def shipped_files() -> Path:
    """The folder with the systemd files: in the wheel, or in a source tree. Raises InstallError."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data/systemd", package.parents[1] / "systemd"):
        if (folder / "install.sh").is_file():
            return folder
    raise InstallError(f"{package} lacks its systemd files: install mien again, `pip install --force-reinstall mien`")


def service_names() -> list[str]:
    """All services without templates, such as "mien-face"."""
    return sorted(path.stem for path in shipped_files().glob("*.service") if "@" not in path.stem)


def accounts() -> list[str]:
    """The users that sysusers creates; each has a group of the same name."""
    lines = (shipped_files() / "mien.sysusers.conf").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith("u ")]
