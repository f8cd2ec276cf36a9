"""Where the shipped motion models lie, and which engine a path or a name means."""

from pathlib import Path

from mien.errors import ModelError
from mien.motion.base import MotionEngine

SHIPPED = "mien-standard"

# In a wheel the artefacts lie inside the package; in the source tree under models/motion.
_PACKAGE = Path(__file__).resolve().parent / "data"
_SOURCE = Path(__file__).resolve().parents[3] / "models" / "motion"


def shipped_manifest(name: str = SHIPPED) -> Path:
    """The manifest of a model that came with mien, by its name. Raises ModelError where there is none."""
    for folder in (_PACKAGE, _SOURCE):
        if (folder / f"{name}.json").is_file():
            return folder / f"{name}.json"
    names = sorted({path.stem for folder in (_PACKAGE, _SOURCE) for path in folder.glob("*.json")})
    if not names:
        raise ModelError(f"the shipped motion models are missing (looked in {_PACKAGE} and {_SOURCE}); reinstall mien")
    raise ModelError(f"no motion model {name!r} came with mien: one of {', '.join(names)}, or the path of a manifest")


def load_engine(model: Path | None = None) -> MotionEngine:
    """The TFLite engine of the manifest at a path, or of a shipped model by its name; None: mien-standard.

    A name is one word without a suffix, such as mien-lowlatency. Raises ModelError.
    """
    from mien.motion.tflite import TfliteEngine

    if model is None:
        return TfliteEngine(shipped_manifest())
    named = not model.suffix and len(model.parts) == 1
    return TfliteEngine(shipped_manifest(model.name) if named else model)


def load_envelope() -> MotionEngine:
    """The engine that needs no model, for the degraded level."""
    from mien.motion.envelope import EnvelopeEngine

    return EnvelopeEngine()
