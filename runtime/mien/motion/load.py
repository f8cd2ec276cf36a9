"""Where the shipped motion model lies, and which engine a path means."""

from pathlib import Path

from mien.errors import ModelError
from mien.motion.base import MotionEngine

SHIPPED = "mien-standard.json"

# In a wheel the artefacts lie inside the package; in the source tree under models/motion.
_PACKAGE = Path(__file__).resolve().parent / "data"
_SOURCE = Path(__file__).resolve().parents[3] / "models" / "motion"


def shipped_manifest(name: str = SHIPPED) -> Path:
    """The manifest of a model that came with mien. Raises ModelError where there is none."""
    for folder in (_PACKAGE, _SOURCE):
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"the shipped motion model {name} is missing (looked in {_PACKAGE} and {_SOURCE}); reinstall mien")


def load_engine(path: Path | None = None) -> MotionEngine:
    """The TFLite engine of the manifest at `path`; None: the shipped model. Raises ModelError."""
    from mien.motion.tflite import TfliteEngine

    return TfliteEngine(shipped_manifest() if path is None else path)


def load_envelope() -> MotionEngine:
    """The engine that needs no model, for the degraded level."""
    from mien.motion.envelope import EnvelopeEngine

    return EnvelopeEngine()
