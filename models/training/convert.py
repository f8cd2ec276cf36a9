"""Converts a trained run to an int8 TFLite artefact with its manifest: python -m training.convert RUN NAME SOURCE...

The streaming graph is implemented again in TensorFlow, one step at a time, with its states as inputs and outputs. Norms
are folded into their layers. The graph ends with the rig (rig.py), so that its outputs are blend shapes.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import tensorflow as tf
import torch
from numpy.typing import NDArray
from tensorflow.lite.tools import flatbuffer_utils

from mien.core.pose import ARKIT_SHAPES
from mien.motion.features import HOPS_PER_STEP, BandMean, FeatureConfig
from mien.motion.manifest import FORMAT, Manifest, StateTensor

from .dataset import load, unpacked
from .network import Shape, Tcn
from .paths import ARTEFACTS, FRAME_HZ
from .phones import ARTICULATORS
from .rig import OPENERS, TERMS, rig_matrix
from .trained import GATES, load_run

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]

CALIBRATION_SEQUENCES, CALIBRATION_STEPS = 48, 120


def gated_rows(net: Tcn, gates: dict[str, tuple[float, float]]) -> dict[str, Layer]:
    """The output layer, split by articulator, with its gates folded in: name -> (head, 2) weights and (2,) biases."""
    weights = net.articulators.weight.detach().numpy()
    biases = net.articulators.bias.detach().numpy()
    rows: dict[str, Layer] = {}
    for index, name in enumerate(ARTICULATORS):
        gain, threshold = gates.get(name, (1.0, 0.5))
        own = [hop * len(ARTICULATORS) + index for hop in range(HOPS_PER_STEP)]
        shift = np.log(threshold / (1 - threshold))
        rows[name] = (gain * weights[own].T, gain * (biases[own] - shift))
    rows["open"] = (-rows["close"][0], -rows["close"][1])
    return rows


def folded(layer: torch.nn.Linear, norm: torch.nn.BatchNorm1d) -> Layer:
    """A layer and its norm as one matrix (inputs, outputs) and bias."""
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
    bias = norm.bias.detach().numpy() - norm.running_mean.detach().numpy() * scale
    return layer.weight.detach().numpy().T * scale, bias


class Streaming(tf.Module):
    """One step of the network: (features, states) -> (shapes, next states)."""

    def __init__(self, net: Tcn, gates: dict[str, tuple[float, float]]) -> None:
        super().__init__()
        self.shape: Shape = net.shape
        self.talker = net.adapt.config
        self.enter, self.join = folded(net.enter, net.enter_norm), folded(net.join, net.join_norm)
        self.hop_blocks, self.blocks = _folded_blocks(net.hop_blocks), _folded_blocks(net.blocks)
        self.head = (net.head.weight.detach().numpy().T, net.head.bias.detach().numpy())
        rows = gated_rows(net, gates)
        self.smooth_names = [name for name in ARTICULATORS if name not in (*GATES, *OPENERS, "jaw")]
        self.smooth = _joined(rows, ["jaw", *self.smooth_names])
        self.openers = _joined(rows, list(OPENERS))
        self.gates = _joined(rows, ["close", "bite", "press"])
        self.open = _joined(rows, ["open"] * len(OPENERS))
        order = ["jaw", *self.smooth_names, "close", "bite", "press", *OPENERS, "jaw*close"]
        rig = rig_matrix()
        self.rig = np.zeros((len(order) * HOPS_PER_STEP, HOPS_PER_STEP * len(ARKIT_SHAPES)), dtype=np.float32)
        for index, term in enumerate(order):
            for hop in range(HOPS_PER_STEP):
                columns = slice(hop * len(ARKIT_SHAPES), (hop + 1) * len(ARKIT_SHAPES))
                self.rig[index * HOPS_PER_STEP + hop, columns] = rig[TERMS.index(term)]

    def state_shapes(self) -> list[tuple[int, int, int]]:
        """One state per block: its past inputs."""
        blocks = [*self.hop_blocks, *self.blocks]
        return [(1, (self.shape.taps - 1) * dilation, len(bias)) for dilation, (_, bias) in blocks]

    def step(self, features: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """features (1, 80), states -> shapes (1, 104) and the states of the next step."""
        by_hops = len(self.hop_blocks)
        hops = tf.nn.relu(_dense(tf.reshape(features, (HOPS_PER_STEP, -1)), self.enter))
        hops, after = self._through(self.hop_blocks, hops[None], states[:by_hops])
        hidden = tf.nn.relu(_dense(tf.reshape(hops, (1, -1)), self.join))
        hidden, later = self._through(self.blocks, hidden[None], states[by_hops:])
        hidden = tf.nn.relu(_dense(hidden[0], self.head))
        smooth, gates = tf.sigmoid(_dense(hidden, self.smooth)), tf.sigmoid(_dense(hidden, self.gates))
        openers = tf.sigmoid(_dense(hidden, self.openers)) * tf.sigmoid(_dense(hidden, self.open))
        shut = smooth[:, :HOPS_PER_STEP] * gates[:, :HOPS_PER_STEP]
        terms = tf.concat([smooth, gates, openers, shut], axis=1)
        return tf.matmul(terms, self.rig), after + later

    def _through(self, blocks: list[tuple[int, Layer]], new: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        # new: (1, hops or steps, width)
        after, count = [], new.shape[1]
        for (dilation, layer), state in zip(blocks, states, strict=True):
            known = tf.concat([state, new], axis=1)
            after.append(known[:, count:])
            rows = [row + tap * dilation for row in range(count) for tap in range(self.shape.taps)]
            taps = tf.reshape(tf.gather(known, rows, axis=1), (count, -1))
            new = tf.nn.relu(new + tf.reshape(_dense(taps, layer), new.shape))
        return new, after


def quantize(streaming: Streaming, examples: NDArray[np.float32]) -> bytes:
    """Static int8, states included. examples: float32 (sequences, steps, 80) for calibration."""
    names = [f"state_{index}" for index in range(len(streaming.state_shapes()))]

    class Wrapped(tf.Module):
        @tf.function
        def serve(self, **inputs: Any) -> dict[str, Any]:
            shapes, after = streaming.step(inputs["features"], [inputs[name] for name in names])
            return {"shapes": shapes, **{f"{name}_next": state for name, state in zip(names, after, strict=True)}}

    wrapped = Wrapped()
    signature = {"features": tf.TensorSpec((1, HOPS_PER_STEP * streaming.shape.bands), tf.float32, "features")}
    for name, shape in zip(names, streaming.state_shapes(), strict=True):
        signature[name] = tf.TensorSpec(shape, tf.float32, name)
    concrete = wrapped.serve.get_concrete_function(**signature)

    def representative() -> Iterator[dict[str, Any]]:
        for sequence in examples:
            states = {n: np.zeros(s, np.float32) for n, s in zip(names, streaming.state_shapes(), strict=True)}
            for features in sequence:
                inputs = {"features": features[None], **states}
                yield inputs
                result = concrete(**{key: tf.constant(value) for key, value in inputs.items()})
                states = {name: result[f"{name}_next"].numpy() for name in names}

    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], wrapped)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return _named(converter.convert(), names)


def publish(
    model: bytes, streaming: Streaming, *, name: str, version: str, delay: int, folder: Path = ARTEFACTS
) -> Path:
    """Write NAME.tflite and NAME.json. Returns the path of the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tflite").write_bytes(model)
    states = [StateTensor(name=f"state_{i}", shape=list(s)) for i, s in enumerate(streaming.state_shapes())]
    manifest = Manifest(
        format=FORMAT, name=name, version=version, model=f"{name}.tflite", sha256=hashlib.sha256(model).hexdigest(),
        quantization="int8", frame_hz=FRAME_HZ, delay_frames=delay,
        lookahead_ms=(delay + HOPS_PER_STEP) * 1000 / FRAME_HZ, features=FeatureConfig(),
        band_mean=streaming.talker, input="features",
        output="shapes", outputs=list(ARKIT_SHAPES), states=states,
    )  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(json.dumps(msgspec.to_builtins(manifest), indent=1) + "\n")
    return path


def _joined(rows: dict[str, Layer], names: list[str]) -> Layer:
    return np.concatenate([rows[name][0] for name in names], axis=1), np.concatenate([rows[name][1] for name in names])


def _folded_blocks(blocks: Iterable[Any]) -> list[tuple[int, Layer]]:
    return [(block.dilation, folded(block.layer, block.norm)) for block in blocks]


def _dense(values: Any, layer: Layer) -> Any:
    return tf.matmul(values, layer[0]) + layer[1]


def _named(model: bytes, states: list[str]) -> bytes:
    # The converter invents tensor names. Replace them by those of the signature, so that the manifest can use them.
    tree = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    signature, tensors = tree.signatureDefs[0], tree.subgraphs[0].tensors
    for entry in (*signature.inputs, *signature.outputs):
        tensors[entry.tensorIndex].name = entry.name
    found = {tensor.name if isinstance(tensor.name, str) else tensor.name.decode(): tensor for tensor in tensors}
    for name in states:
        one, other = found[name].quantization, found[f"{name}_next"].quantization
        if (one.scale[0], one.zeroPoint[0]) != (other.scale[0], other.zeroPoint[0]):
            raise SystemExit(f"{name} has different scales at input and output: {one.scale} {other.scale}")
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tree))


def examples_of(sources: list[str]) -> NDArray[np.float32]:
    """Sequences for calibration, float32 (CALIBRATION_SEQUENCES, steps, 80)."""
    x = load(sources)["x"]
    pick = np.random.default_rng(0).choice(len(x), CALIBRATION_SEQUENCES, replace=False)
    return unpacked(x[np.sort(pick)], FeatureConfig())


def check_band_mean(net: Tcn, sequence: NDArray[np.float32]) -> None:
    """Check the runtime's mean normalisation against the one used in training. sequence: float32 (steps, 80)."""
    mean, bands = BandMean(net.adapt.config), sequence.shape[1] // HOPS_PER_STEP
    streamed = np.stack([mean.step(step.reshape(HOPS_PER_STEP, bands)).reshape(-1).copy() for step in sequence])
    worst = float(np.abs(net.adapt(torch.from_numpy(sequence)[None])[0].numpy() - streamed).max())
    if worst > 1e-3:
        raise SystemExit(f"the mean normalisations of runtime and training differ by {worst}")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--version", required=True)
    parser.add_argument("--folder", type=Path, default=ARTEFACTS)
    options = parser.parse_args()
    net, delay = load_run(options.run)
    streaming = Streaming(net, GATES)
    examples = examples_of(options.sources)
    check_band_mean(net, examples[0])
    model = quantize(streaming, net.adapt(torch.from_numpy(examples[:, :CALIBRATION_STEPS])).numpy())
    path = publish(model, streaming, name=options.name, version=options.version, delay=delay, folder=options.folder)
    print(f"{path}: {len(model)} bytes, {net.parameter_count()} parameters", flush=True)


if __name__ == "__main__":
    main()
