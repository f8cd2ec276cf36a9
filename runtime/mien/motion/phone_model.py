"""Likelihoods of phone classes from what the motion network computes anyway.

A small classifier reads the input of the network's last layer at the last three steps. It is an artefact of its own,
beside the network's: NAME.phones.json describes NAME.phones.bin, the layers' float16 in order. It belongs to one
network, which its manifest names by hash. models/training/guide.py trains it.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.motion.features import HOPS_PER_STEP
from mien.motion.phone_classes import NAMES

FORMAT: Final = 1
TAPS: Final = 3  # steps of 20 ms
SHARPNESS: Final = 0.3  # the exponent of likelihoods: frames are not independent of one another
_LOG_FLOOR: Final = -10.0

Floats = NDArray[np.float32]


class PhoneManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """NAME.phones.json. network_sha256: of the motion model that it belongs to. state: the network's state that it
    reads, of `width` values a step. classes: what it tells apart, in order. model, sha256: its file beside this one.
    delay_frames: how far behind the sound its answer is, in frames. trained_on, licence: for people to read.
    """

    format: int
    name: str
    network_sha256: str
    state: str
    width: int
    hidden: int
    delay_frames: int
    classes: list[str]
    model: str
    sha256: str
    trained_on: list[str]
    licence: str


class PhoneModel:
    """The classifier of one turn at a time."""

    def __init__(self, manifest: PhoneManifest, layers: tuple[Floats, Floats, Floats, Floats]) -> None:
        """layers: weights (TAPS * width, hidden) and biases, weights (hidden, 2 * classes) and biases, these
        less the log of each class's share of speech."""
        self.manifest = manifest
        self._enter, self._enter_bias, self._leave, self._leave_bias = layers
        self._taps = np.zeros((TAPS, manifest.width), dtype=np.float32)
        self._flat = self._taps.reshape(-1)
        self._hidden = np.empty(manifest.hidden, dtype=np.float32)
        self._scores = np.empty(HOPS_PER_STEP * len(NAMES), dtype=np.float32)
        self._by_hop = self._scores.reshape(HOPS_PER_STEP, len(NAMES))
        self._first = True

    def reset(self) -> None:
        """Discard the turn."""
        self._first = True

    def hear(self, state: NDArray[np.int8]) -> None:
        """Take one step's values of the network's state, int8 (width,)."""
        if self._first:
            self._taps[:] = state
            self._first = False
            return
        self._taps[:-1] = self._taps[1:]
        self._taps[-1] = state

    def likelihoods(self) -> Floats:
        """Of the classes at both hops of the last step, relative to the likeliest, float32 (2, classes), in a view."""
        np.dot(self._flat, self._enter, out=self._hidden)
        np.add(self._hidden, self._enter_bias, out=self._hidden)
        np.maximum(self._hidden, 0, out=self._hidden)
        np.dot(self._hidden, self._leave, out=self._scores)
        np.add(self._scores, self._leave_bias, out=self._scores)
        scores = self._by_hop
        np.subtract(scores, np.maximum.reduce(scores, axis=1, keepdims=True), out=scores)
        np.maximum(scores, _LOG_FLOOR, out=scores)
        np.multiply(scores, SHARPNESS, out=scores)
        np.exp(scores, out=scores)
        return scores


def phone_manifest_path(network: Path) -> Path:
    """The phone model's manifest for that of a network."""
    return network.with_suffix(".phones.json")


def load_phone_model(network: Path, network_sha256: str, delay_frames: int) -> PhoneModel | None:
    """The phone model beside a network's manifest; None where there is none. Raises ModelError when it does not fit."""
    path = phone_manifest_path(network)
    if not path.is_file():
        return None
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=PhoneManifest)
        data = path.with_name(Path(manifest.model).name).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the phone model cannot be read: {error.strerror}; reinstall mien") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: not a phone model's manifest: {error}; reinstall mien") from error
    for field, good in (
        ("format", manifest.format == FORMAT),
        ("network_sha256", manifest.network_sha256 == network_sha256),
        ("delay_frames", manifest.delay_frames == delay_frames),
        ("classes", manifest.classes == list(NAMES)),
        ("sha256", manifest.sha256 == hashlib.sha256(data).hexdigest()),
    ):
        if not good:
            raise ModelError(
                f"{path}: `$.{field}` does not fit the motion model or this release; "
                "train it with `python -m training.guide`, or reinstall mien"
            )
    return PhoneModel(manifest, _layers(path, data, manifest))


def _layers(path: Path, data: bytes, manifest: PhoneManifest) -> tuple[Floats, Floats, Floats, Floats]:
    inside, outside = TAPS * manifest.width, HOPS_PER_STEP * len(NAMES)
    shapes = ((inside, manifest.hidden), (manifest.hidden,), (manifest.hidden, outside), (outside,))
    values = np.frombuffer(data, dtype="<f2").astype(np.float32)
    sizes = [int(np.prod(shape)) for shape in shapes]
    if len(values) != sum(sizes) or not np.isfinite(values).all():
        raise ModelError(f"{path}: {manifest.model} does not hold {sum(sizes)} finite numbers; reinstall mien")
    first, second, third, fourth = np.split(values, np.cumsum(sizes)[:-1])
    return first.reshape(shapes[0]), second, third.reshape(shapes[2]), fourth
