"""The TFLite motion engine: an int8 network with explicit int8 state tensors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import HEAD_CHANNELS, SHAPE_COUNT
from mien.errors import ModelError
from mien.motion.base import MotionFrames, MotionInfo, Pcm
from mien.motion.features import HOPS_PER_STEP, BandMean, FeatureStream
from mien.motion.framing import StepStream
from mien.motion.guidance import GuideReport, SpokenWord
from mien.motion.guide import Guide
from mien.motion.interpreter import RUNTIMES, Runtime, open_interpreter
from mien.motion.manifest import Manifest, check_hash, read_manifest
from mien.motion.phone_model import load_phone_model
from mien.motion.speech_gate import SpeechGate


class Network:
    """The quantized network, one step at a time. Its states start at zero."""

    def __init__(self, manifest: Manifest, interpreter: Any) -> None:
        self._interpreter = interpreter
        taken = {detail["name"]: detail for detail in interpreter.get_input_details()}
        given = {detail["name"]: detail for detail in interpreter.get_output_details()}
        step_in = _find(taken, manifest.input, (1, manifest.features.width))
        step_out = _find(given, manifest.output, (1, HOPS_PER_STEP * SHAPE_COUNT))
        self._states = [_pair(taken, given, state.name, tuple(state.shape)) for state in manifest.states]
        if len(taken) != len(self._states) + 1 or len(given) != len(self._states) + 1:
            raise ModelError("`$.states`: the model's tensors differ from those in its manifest; run `make model`")
        self._input, self._output = step_in["index"], step_out["index"]
        self._in_scale, self._in_zero = step_in["quantization"]
        self._out_scale, self._out_zero = step_out["quantization"]
        self._scaled = np.empty((1, manifest.features.width), dtype=np.float32)
        self._quantized = np.empty((1, manifest.features.width), dtype=np.int8)
        self._memory: list[NDArray[np.int8]] = []
        self._names = [state.name for state in manifest.states]
        self.reset()

    def reset(self) -> None:
        """Set all states to their zero points."""
        self._memory = [np.full(shape, zero, dtype=np.int8) for _, _, shape, zero in self._states]

    def newest(self, state: str) -> Callable[[], NDArray[np.int8]]:
        """A function that returns what the last step put into a state, int8 (width,). Raises ValueError."""
        index = self._names.index(state)
        return lambda: self._memory[index][0, -1]

    def step(self, features: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """float32 (2, bands) -> `out`, float32 (2, 52), written."""
        interpreter = self._interpreter
        np.multiply(features.reshape(1, -1), 1 / self._in_scale, out=self._scaled)
        np.rint(self._scaled, out=self._scaled)
        np.add(self._scaled, self._in_zero, out=self._scaled)
        np.maximum(self._scaled, -128, out=self._scaled)  # np.clip takes five times as long on so few values
        np.minimum(self._scaled, 127, out=self._scaled)
        np.copyto(self._quantized, self._scaled, casting="unsafe")
        interpreter.set_tensor(self._input, self._quantized)
        for (index, _, _, _), memory in zip(self._states, self._memory, strict=True):
            interpreter.set_tensor(index, memory)
        interpreter.invoke()
        self._memory = [interpreter.get_tensor(index) for _, index, _, _ in self._states]
        np.subtract(interpreter.get_tensor(self._output).reshape(out.shape), self._out_zero, out=out, dtype=np.float32)
        np.multiply(out, self._out_scale, out=out)


# A frame is at rest when no shape reaches this. In silence an int8 network flickers by single quantization steps, up to
# .028 on both shipped models, and the face must not quiver.
REST = 0.03


class TfliteEngine:
    """A MotionEngine for a manifest and its artefact. Raises ModelError when the two do not match.

    runtimes: the interpreters to choose from, in order of preference.
    """

    def __init__(self, manifest_path: Path, *, runtimes: tuple[Runtime, ...] = RUNTIMES) -> None:
        manifest = read_manifest(manifest_path)
        model_path = manifest_path.with_name(manifest.model)
        model = read_model(model_path)
        check_hash(manifest, model, model_path)
        self.manifest = manifest
        opened = open_interpreter(model, runtimes=runtimes)
        self.info = MotionInfo(
            backend="tflite",
            interpreter=opened.name,
            rate_hz=manifest.features.rate_hz,
            frame_hz=manifest.frame_hz,
            lookahead_ms=manifest.lookahead_ms,
        )
        self._features = FeatureStream(manifest.features)
        self._network = Network(manifest, opened.interpreter)
        self._mean = BandMean(manifest.band_mean) if manifest.band_mean else None
        self._gate = SpeechGate(manifest.features.bands)
        phones = load_phone_model(manifest_path, manifest.sha256, manifest.delay_frames)
        self.text_guide = Guide(phones) if phones else None
        self._hidden = self._network.newest(phones.manifest.state) if phones else None
        self._shapes = np.empty((HOPS_PER_STEP, SHAPE_COUNT), dtype=np.float32)
        self._loudest = np.empty(HOPS_PER_STEP, dtype=np.float32)
        self._steps = StepStream(
            self._step,
            step_samples=manifest.features.step_samples,
            frames_per_step=HOPS_PER_STEP,
            delay_frames=manifest.delay_frames,
            width=SHAPE_COUNT + len(HEAD_CHANNELS),
        )

    def push(self, pcm: Pcm) -> MotionFrames:
        """See MotionEngine.push."""
        return self._steps.push(pcm)

    def flush(self) -> MotionFrames:
        """See MotionEngine.flush."""
        frames = self._steps.flush()
        self.reset()
        return frames

    def newest_state(self, name: str) -> Callable[[], NDArray[np.int8]]:
        """A function that returns what the last step put into a state of the network, int8 (width,)."""
        return self._network.newest(name)

    @property
    def guided(self) -> GuideReport:
        """See MotionEngine.guided."""
        return self.text_guide.ended if self.text_guide else GuideReport()

    def guide(self, words: Sequence[SpokenWord]) -> None:
        """See MotionEngine.guide."""
        if self.text_guide:
            self.text_guide.add(words)

    def reset(self) -> None:
        """See MotionEngine.reset."""
        self._steps.reset()
        if self.text_guide:
            self.text_guide.reset()
        self._features.reset()
        if self._mean:
            self._mean.reset()
        self._network.reset()
        self._gate.reset()

    def _step(self, pcm: Pcm, out: MotionFrames) -> None:
        features = self._features.step(pcm)
        gain = self._gate.step(features, pcm)
        self._network.step(self._mean.step(features) if self._mean else features, self._shapes)
        shapes = out[:, :SHAPE_COUNT]
        np.maximum(self._shapes, 0, out=shapes)
        np.minimum(shapes, 1, out=shapes)
        np.maximum.reduce(shapes, axis=1, out=self._loudest)
        at_rest = self._loudest < REST
        shapes[at_rest] = 0
        if self.text_guide and self._hidden:
            self.text_guide.step(self._hidden(), shapes, at_rest)
        if gain < 1.0:
            shapes *= gain
        out[:, SHAPE_COUNT:] = 0


def _find(details: dict[str, Any], name: str, shape: tuple[int, ...]) -> Any:
    detail = details.get(name)
    if detail is None:
        raise ModelError(f"the model has no tensor {name!r} (it has {', '.join(sorted(details))}); run `make model`")
    if tuple(detail["shape"]) != shape or detail["dtype"] is not np.int8:
        raise ModelError(
            f"the model's tensor {name!r} is {detail['dtype'].__name__} {tuple(detail['shape'])}, but the manifest "
            f"specifies int8 {shape}; run `make model`"
        )
    return detail


def _pair(
    given: dict[str, Any], returned: dict[str, Any], name: str, shape: tuple[int, ...]
) -> tuple[int, int, tuple[int, ...], int]:
    entry, leave = _find(given, name, shape), _find(returned, f"{name}_next", shape)
    if entry["quantization"] != leave["quantization"]:
        raise ModelError(f"the model's state {name!r} has different scales at input and output; convert it again")
    return entry["index"], leave["index"], shape, entry["quantization"][1]


def read_model(path: Path) -> bytes:
    """The bytes of a model file. Raises ModelError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the motion model cannot be read: {error.strerror}") from error
