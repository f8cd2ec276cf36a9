"""The folders of the training: everything but the artefacts is under build/, which git ignores."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT = REPOSITORY / "build" / "root"
SPEECH = REPOSITORY / "build" / "speech"
ALIGNED = REPOSITORY / "build" / "aligned"
RUNS = REPOSITORY / "build" / "runs"
ARTEFACTS = REPOSITORY / "models" / "motion"

RATE_HZ = 16_000
FRAME_HZ = 100
