"""Lookup of motion models by path or by name."""

from pathlib import Path

from mien.errors import ModelError
from mien.motion.base import MotionEngine
from mien.motion.names import SHIPPED as SHIPPED

# A wheel has the artefacts inside the package, the source tree under models/motion.
_PACKAGE = Path(__file__).resolve().parent / "data"
_SOURCE = Path(__file__).resolve().parents[3] / "models" / "motion"


def shipped_manifest(name: str = SHIPPED) -> Path:
    """The path of a shipped model's manifest. Raises ModelError for an unknown name."""
    for folder in (_PACKAGE, _SOURCE):
        if (folder / f"{name}.json").is_file():
            return folder / f"{name}.json"
    found = {path.stem for folder in (_PACKAGE, _SOURCE) for path in folder.glob("*.json")}
    names = sorted(name for name in found if not name.endswith(".phones"))
    if not names:
        raise ModelError(f"the shipped motion models are missing (looked in {_PACKAGE} and {_SOURCE}); reinstall mien")
    raise ModelError(f"no motion model {name!r} is shipped: use one of {', '.join(names)}, or the path of a manifest")


def load_engine(model: Path | None = None) -> MotionEngine:
    """The TFLite engine for the path of a manifest, for the name of a shipped model, or for mien-standard (None).

    A name has neither folder nor suffix, as in mien-lowlatency. Raises ModelError.
    """
    from mien.motion.tflite import TfliteEngine

    if model is None:
        return TfliteEngine(shipped_manifest())
    named = not model.suffix and len(model.parts) == 1
    return TfliteEngine(shipped_manifest(model.name) if named else model)


def load_envelope() -> MotionEngine:
    """The engine of the degraded level, which needs no model."""
    from mien.motion.envelope import EnvelopeEngine

    return EnvelopeEngine()
