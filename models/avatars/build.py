"""Build the avatars of looks.py into this folder: python models/avatars/build.py [NAME ...]"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generator.assemble import build_mesh  # noqa: E402
from looks import LOOKS  # noqa: E402

from mien.avatar.baked import SUFFIX, write_baked  # noqa: E402


def main(names: list[str]) -> None:
    known = {look.name for look in LOOKS}
    if not known.issuperset(names):
        sys.exit(f"there is no look named {', '.join(set(names) - known)}; there are {', '.join(sorted(known))}")
    for look in LOOKS:
        if not names or look.name in names:
            path = HERE / f"{look.name}{SUFFIX}"
            mesh = build_mesh(look)
            write_baked(mesh, path)
            print(f"{path.name}: {len(mesh.positions)} vertices, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
