"""The motion model's manifest, which is validated at load so that a mismatched artefact is rejected."""

import hashlib
import math
from pathlib import Path

import msgspec

from mien.core.pose import ARKIT_SHAPES
from mien.errors import ModelError
from mien.motion.features import HOPS_PER_STEP, BandMeanConfig, FeatureConfig
from mien.motion.pitch import RATE_HZ, STEP_SAMPLES

FORMAT = 1
_WHY_MEAN = "needs a finite level for each band, decay in 0..1, prior_steps above zero"
_WHY_STEPS = f"must be {RATE_HZ} Hz in steps of {STEP_SAMPLES} samples, like the pitch tracker"


class StateTensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recurrent int8 state: input `{name}`, output `{name}_next`, both of `shape`."""

    name: str
    shape: list[int]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A motion model's description, models/motion/NAME.json.

    model: the artefact's file name, in the manifest's folder. sha256: of the artefact, in hex. frame_hz: pose frames a
    second. delay_frames: how many frames the network's output lags its input. lookahead_ms: how much audio beyond a
    frame's time must have been pushed before the frame is returned. outputs: the blend shapes, in order; a step gives
    one pose per hop. quantization: "int8". features: the parameters used in training. band_mean: those of the mean
    normalisation; null for none.
    """

    format: int
    name: str
    version: str
    model: str
    sha256: str
    quantization: str
    frame_hz: int
    delay_frames: int
    lookahead_ms: float
    features: FeatureConfig
    band_mean: BandMeanConfig | None = None
    input: str
    output: str
    outputs: list[str]
    states: list[StateTensor]


def read_manifest(path: Path) -> Manifest:
    """Read and validate a manifest. Raises ModelError, naming the file, the field and the remedy."""
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise ModelError(f"{path}: the motion manifest cannot be read: {error.strerror}; run `make model`") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: not a motion manifest: {error}; make it again with `make model`") from error
    for field, problem in _problems(manifest):
        raise ModelError(f"{path}: `$.{field}`: {problem}; make it again with `make model`")
    return manifest


def check_hash(manifest: Manifest, model: bytes, path: Path) -> None:
    """Raise ModelError when `model`, read from `path`, is not the manifest's artefact."""
    found = hashlib.sha256(model).hexdigest()
    if found != manifest.sha256:
        raise ModelError(
            f"{path}: sha256 is {found}, but the manifest specifies {manifest.sha256}; the model and its manifest do "
            "not match: reinstall both, or make them with `make model`"
        )


def _sound_mean(mean: BandMeanConfig | None, features: FeatureConfig) -> bool:
    if mean is None:
        return True
    finite = all(math.isfinite(v) for v in (*mean.reference, mean.loud, mean.sharpness, mean.prior_steps))
    return finite and len(mean.reference) == features.bands and 0 < mean.decay < 1 and mean.prior_steps > 0


def _problems(manifest: Manifest) -> list[tuple[str, str]]:
    features = manifest.features
    needed_ms = (manifest.delay_frames + HOPS_PER_STEP) * 1000 / manifest.frame_hz if manifest.frame_hz > 0 else 0.0
    checks = [
        ("format", manifest.format == FORMAT, f"this runtime reads {FORMAT}, not {manifest.format}"),
        ("quantization", manifest.quantization == "int8", f"must be 'int8', not {manifest.quantization!r}"),
        ("outputs", manifest.outputs == list(ARKIT_SHAPES), "must be the 52 ARKit blend shapes in mien's order"),
        ("frame_hz", manifest.frame_hz * features.hop == features.rate_hz, "must give one frame per feature hop"),
        ("features", (features.rate_hz, features.step_samples) == (RATE_HZ, STEP_SAMPLES), _WHY_STEPS),
        ("delay_frames", manifest.delay_frames >= 0, "must not be negative"),
        ("lookahead_ms", manifest.lookahead_ms == needed_ms, f"must be {needed_ms} for this delay and hop"),
        ("model", Path(manifest.model).name == manifest.model, "must be a file name in the manifest's folder"),
        ("features.window", features.hop <= features.window <= features.fft, "must be between hop and fft"),
        ("features.spread", features.spread > 0, "must be above zero"),
        ("band_mean", _sound_mean(manifest.band_mean, features), _WHY_MEAN),
        ("states", bool(manifest.states), "must name at least one state tensor"),
    ]
    return [(field, problem) for field, good, problem in checks if not good]
