"""Loading an avatar: a given file, or the shipped one."""

from pathlib import Path

from mien.avatar.baked import read_baked
from mien.avatar.place import DEFAULT_NAME as DEFAULT_NAME
from mien.avatar.place import SUFFIX, avatar_path
from mien.avatar.place import default_avatar_path as default_avatar_path
from mien.core.mesh import Mesh
from mien.errors import AvatarError


def load_avatar(path: Path | None = None) -> Mesh:
    """The avatar in `path`, or the shipped one of that name; the default one for None. Raises AvatarError."""
    path = avatar_path("" if path is None else str(path))
    if path.suffix.lower() in (".glb", ".vrm", ".gltf"):
        raise AvatarError(f"{path}: not baked; run `mien avatar bake {path}` and load the {SUFFIX} file that it writes")
    return read_baked(path)
