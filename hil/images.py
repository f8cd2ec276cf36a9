"""SD-card image files: lookup by pattern, cached SHA-256."""

import hashlib
import json
import os
from pathlib import Path
from typing import Final

from hil.errors import RigError

CHOICE: Final = "MIEN_HIL_IMAGE"  # of the environment: the image to test, where build/ holds several
NOTES: Final = Path(__file__).resolve().parents[1] / "build/hil/images.json"


def newest(pattern: str) -> Path:
    """The image to test: the one that CHOICE names, else the newest that matches an absolute pattern.

    pattern: such as .../build/mien-*-arm64.img. Raises RigError.
    """
    if chosen := os.environ.get(CHOICE):
        if not Path(chosen).is_file():
            raise RigError("card", f"{CHOICE}={chosen}: there is no such file; name an image of `sudo make image`")
        return Path(chosen).resolve()
    path = Path(pattern)
    found = sorted(path.parent.glob(path.name), key=lambda image: image.stat().st_mtime)
    if not found:
        raise RigError("card", f"no image matches {pattern}: run sudo make image")
    return found[-1]


def fingerprint(image: Path, notes: Path = NOTES) -> str:
    """Hexadecimal. Cached in `notes` while name, size and modification time stay the same."""
    state = image.stat()
    key = f"{image.resolve()} {state.st_size} {state.st_mtime_ns}"
    known: dict[str, str] = json.loads(notes.read_text()) if notes.exists() else {}
    if key not in known:
        with image.open("rb") as file:
            known = {key: hashlib.file_digest(file, "sha256").hexdigest(), **dict(list(known.items())[:9])}
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text(json.dumps(known, indent=1))
    return known[key]
