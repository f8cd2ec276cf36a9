"""The installed files as a tree: staged, compared, written, removed."""

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mien.errors import InstallError
from mien.install.places import COMMAND, PREFIX, SETTINGS, shipped_files, within


@dataclass(frozen=True)
class Entry:
    """A file, or a link if `link` is set. mode: permission bits."""

    content: bytes = b""
    mode: int = 0o644
    link: str = ""

    @property
    def digest(self) -> str:
        """What the receipt records."""
        return f"-> {self.link}" if self.link else hashlib.sha256(self.content).hexdigest()


def stage(commands: Path, prefix: Path = PREFIX) -> dict[Path, Entry]:
    """All files of an installation, by absolute path. Raises InstallError."""
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        script = shipped_files() / "install.sh"
        done = subprocess.run(
            ["sh", script, folder, prefix, commands], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise InstallError(f"{script} failed: {done.stderr.strip() or done.returncode}")
        root = Path(folder)
        return {
            Path("/") / path.relative_to(root): Entry(path.read_bytes(), path.stat().st_mode & 0o7777)
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


def command_link(root: Path, commands: Path) -> dict[Path, Entry]:
    """A link to the command `mien` where sudo looks for commands; none if another program has that name there."""
    target, path = commands / "mien", within(root, COMMAND)
    taken = path.exists() and not path.is_symlink()
    if target == COMMAND or taken or commands == Path("/usr/bin"):
        return {}
    return {COMMAND: Entry(link=str(target))}


def digest_of(path: Path) -> str | None:
    """The digest of what is there now; None if nothing is."""
    try:
        return f"-> {path.readlink()}" if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def make_folders(root: Path, paths: list[Path]) -> list[Path]:
    """Create the parents of paths. Returns what was created, parents first, as absolute paths. Raises OSError."""
    created = []
    for path in paths:
        for folder in reversed(path.parents):
            if not within(root, folder).is_dir():
                within(root, folder).mkdir(mode=0o755)
                created.append(folder)
    return created


def write(root: Path, path: Path, entry: Entry) -> bool:
    """Put a file in place at once. Returns whether anything changed. Raises OSError."""
    target = within(root, path)
    same_mode = bool(entry.link) or (target.is_file() and target.stat().st_mode & 0o7777 == entry.mode)
    if digest_of(target) == entry.digest and same_mode:
        return False
    fresh = target.with_name(f".{target.name}.mien-new")
    fresh.unlink(missing_ok=True)
    if entry.link:
        fresh.symlink_to(entry.link)
    else:
        fresh.write_bytes(entry.content)
        fresh.chmod(entry.mode)
    fresh.replace(target)
    return True


def remove_files(root: Path, paths: list[Path]) -> None:
    """Delete files and links; what is gone already is fine. Raises OSError."""
    for path in paths:
        within(root, path).unlink(missing_ok=True)


def remove_folders(root: Path, folders: list[Path]) -> None:
    """Delete folders that an installation created, unless something else is in them now. Settings are not touched."""
    for folder in reversed(folders):
        if folder == SETTINGS or not within(root, folder).is_dir():
            continue
        if not any(within(root, folder).iterdir()):
            within(root, folder).rmdir()
