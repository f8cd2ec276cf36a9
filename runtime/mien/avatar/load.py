"""Loading an avatar: a given file, or the shipped one."""

from pathlib import Path

from mien.avatar.baked import SUFFIX, read_baked
from mien.core.mesh import Mesh
from mien.errors import AvatarError

DEFAULT_NAME = f"default{SUFFIX}"


def load_avatar(path: Path | None = None) -> Mesh:
    """The avatar in `path`, or the shipped one of that name; the default one for None. Raises AvatarError."""
    if path is None:
        path = default_avatar_path()
    elif str(path) == path.stem and not path.exists():
        path = _shipped(path.stem)
    if path.suffix.lower() in (".glb", ".vrm", ".gltf"):
        raise AvatarError(f"{path}: not baked; run `mien avatar bake {path}` and load the {SUFFIX} file that it writes")
    return read_baked(path)


def _shipped(name: str) -> Path:
    folder = default_avatar_path().parent
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob(f"*{SUFFIX}")))
        raise AvatarError(f"{name}: neither a file nor a shipped avatar; the shipped ones are {known}")
    return path


def default_avatar_path() -> Path:
    """The path of the shipped avatar, in the installed package or in the source tree. Raises AvatarError."""
    here = Path(__file__).resolve()
    candidates = (here.parents[1] / "data" / DEFAULT_NAME, here.parents[3] / "models" / "avatars" / DEFAULT_NAME)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise AvatarError(f"the default avatar is in neither {candidates[0]} nor {candidates[1]}; run `make avatars`")
