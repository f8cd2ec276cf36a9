"""Facts about this board that do not change while the link runs: versions, slot, avatar."""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien import __version__
from mien.avatar.place import avatar_path
from mien.config import Config, load_config
from mien.errors import AvatarError, ConfigError
from mien.fleet.status import Avatar
from mien.host.board import ROOT, board_model
from mien.motion.names import SHIPPED

log = logging.getLogger("mien.link")

_SLOT: Final = re.compile(r"\brauc\.slot=(\S+)")
_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """As `status` tells them. built: UTC seconds of the image's build, 0 off an image."""

    version: str
    image: str
    slot: str
    model: str
    motion: str
    avatar: Avatar | None
    built: float


def read_facts(root: Path = ROOT, config: Callable[[], Config] = lambda: load_config(None)) -> Facts:
    """Read them. config: reads mien.toml; what it names stays empty where it cannot be read."""
    release = _release(root)
    try:
        face = config().face
    except ConfigError as error:
        log.warning("mien.toml cannot be read, so that the avatar stays untold: %s", error)
        motion, avatar = "", None
    else:
        motion, avatar = Path(face.model).stem or SHIPPED, find_avatar(face.avatar)
    built = release.get("BUILD_EPOCH", "")
    return Facts(
        version=__version__,
        image=" ".join(filter(None, (release.get("VERSION_ID"), release.get("VARIANT_ID"))))[:_TEXT],
        slot=_slot(root),
        model=board_model(root)[:_TEXT],
        motion=motion[:_TEXT],
        avatar=avatar,
        built=float(built) if built.isdigit() else 0.0,
    )


def find_avatar(configured: str) -> Avatar | None:
    """The avatar that face.avatar names: a file, a shipped one, or "" for the default; None if it cannot be read.

    sha256 is that of the file, read in pieces.
    """
    try:
        path = avatar_path(configured)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (AvatarError, OSError):
        return None
    return Avatar(name=path.stem[:_TEXT], sha256=digest)


def _release(root: Path) -> dict[str, str]:
    """/etc/mien-release of the image."""
    try:
        lines = (root / "etc/mien-release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _slot(root: Path) -> str:
    """The system slot that runs, as U-Boot names it on the kernel's command line: A or B."""
    try:
        found = _SLOT.search((root / "proc/cmdline").read_text(encoding="ascii", errors="replace"))
    except OSError:
        return ""
    return found.group(1)[:_TEXT] if found else ""
