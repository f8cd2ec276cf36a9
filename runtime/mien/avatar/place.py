"""Where the shipped avatars are. Without numpy, for programs that only need a file's name."""

from pathlib import Path
from typing import Final

from mien.errors import AvatarError

SUFFIX: Final = ".mien-avatar"
DEFAULT_NAME: Final = f"default{SUFFIX}"


def default_avatar_path() -> Path:
    """The path of the shipped avatar, in the installed package or in the source tree. Raises AvatarError."""
    here = Path(__file__).resolve()
    candidates = (here.parents[1] / "data" / DEFAULT_NAME, here.parents[3] / "models" / "avatars" / DEFAULT_NAME)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise AvatarError(f"the default avatar is in neither {candidates[0]} nor {candidates[1]}; run `make avatars`")


def avatar_path(configured: str) -> Path:
    """The file that face.avatar names: a file, a shipped avatar's name, or "" for the default. Raises AvatarError."""
    if not configured:
        return default_avatar_path()
    path = Path(configured)
    if configured == path.stem and not path.exists():
        return shipped_avatar_path(path.stem)
    return path


def shipped_avatar_path(name: str) -> Path:
    """The file of the shipped avatar of this name. Raises AvatarError, which lists the names."""
    folder = default_avatar_path().parent
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob(f"*{SUFFIX}")))
        raise AvatarError(f"{name}: neither a file nor a shipped avatar; the shipped ones are {known}")
    return path
