"""systemd's tools: accounts, folders, services."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mien.errors import InstallError, InstallRefused
from mien.install.places import OPTIONAL, TARGET

_SECONDS: Final = 120
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TOOLS: Final = ("systemctl", "systemd-sysusers", "systemd-tmpfiles")


class System:
    """root: / for this machine, else an image's root folder, in which nothing is started."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_live = root == Path("/")

    def refuse_unfit(self) -> None:
        """Raises InstallRefused without root's rights, without systemd, or for a ROOT that is no system."""
        if self.is_live and os.geteuid() != 0:
            raise InstallRefused("only root may do this: run it again with sudo")
        missing = [tool for tool in _TOOLS if shutil.which(tool, path=_PATH) is None]
        if missing:
            raise InstallRefused(
                f"{missing[0]} is missing: mien's services need systemd (Debian: apt-get install systemd); "
                "without it, `mien run` runs both in the foreground"
            )
        if self.is_live and not Path("/run/systemd/system").is_dir():
            raise InstallRefused(
                "systemd does not run this machine: `mien run` runs both services in the foreground, and "
                "--root DIR installs into an image"
            )
        if not (self.root / "usr").is_dir():
            raise InstallRefused(f"{self.root} is no system's root folder: it has no usr/")

    def create_accounts(self) -> None:
        """Users and groups, and the folders that belong to them. Raises InstallError."""
        self.call("systemd-sysusers", *self._root(), "mien.conf")
        self.call("systemd-tmpfiles", *self._root(), "--create", "mien.conf")

    def enable(self, *optional: str) -> None:
        """Start mien at every boot, with these optional services. Raises InstallError."""
        if self.is_live:
            self.call("systemctl", "daemon-reload")
            self._try("udevadm", "control", "--reload")
        self.call("systemctl", *self._root(), "--quiet", "--force", "enable", TARGET, *optional)

    def restart(self) -> None:
        """(Re)start both services now, without waiting for a screen. Raises InstallError."""
        if self.is_live:
            self.call("systemctl", "--no-block", "restart", TARGET)

    def stop(self, services: Sequence[str]) -> None:
        """Stop, and do not start again. What is not there is fine."""
        if self.is_live:
            self._try("systemctl", "stop", TARGET, "mien-retry@*.timer", *services)
        self._try("systemctl", *self._root(), "--quiet", "disable", TARGET, *OPTIONAL)

    def forget(self, services: Sequence[str]) -> None:
        """Let systemd and udev notice that the files are gone."""
        if self.is_live:
            self._try("systemctl", "daemon-reload")
            self._try("systemctl", "reset-failed", *services)
            self._try("udevadm", "control", "--reload")

    def delete_accounts(self, users: Sequence[str], groups: Sequence[str]) -> None:
        """Delete users, and their groups, that exist. Raises InstallError."""
        prefix = () if self.is_live else ("--prefix", str(self.root))
        for user in users:
            if self.has("passwd", user):
                self.call("userdel", *prefix, user)
        for group in (*users, *groups):
            if self.has("group", group):
                self.call("groupdel", *prefix, group)

    def has(self, database: str, name: str) -> bool:
        """Whether /etc/passwd or /etc/group has this entry."""
        path = self.root / "etc" / database
        return path.exists() and any(line.startswith(f"{name}:") for line in path.read_text().splitlines())

    def is_enabled(self, unit: str = TARGET) -> bool:
        """Whether mien starts at boot, or one of its optional services does."""
        return self._try("systemctl", *self._root(), "--quiet", "is-enabled", unit).returncode == 0

    def activity(self, service: str) -> str:
        """systemd's word for the service's state, such as `active` or `failed`."""
        return self._try("systemctl", "is-active", f"{service}.service").stdout.strip() or "unknown"

    def call(self, *command: str) -> None:
        """Run a tool. Raises InstallError with what it said."""
        done = self._try(*command)
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
            raise InstallError(f"`{' '.join(command)}` failed: {said}; correct it, and run the command again")

    def _try(self, *command: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
                env={**os.environ, "PATH": _PATH},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 127, "", str(error))

    def _root(self) -> tuple[str, ...]:
        return () if self.is_live else (f"--root={self.root}",)


def is_packaged(root: Path) -> bool:
    """Whether mien is installed as a Debian package."""
    status = root / "var/lib/dpkg/status"
    if not status.exists():
        return False
    for paragraph in status.read_text(errors="replace").split("\n\n"):
        lines = paragraph.splitlines()
        if "Package: mien" in lines:
            return any(line.startswith("Status: ") and line.endswith(" installed") for line in lines)
    return False
