"""Trains the phone model of text-guided lips: python -m training.guide [MANIFEST]...

It reads what the published int8 network computes (its last layer's input), so the network must exist. The speech is the
aligned telephone prompts, one speaker a language; `training.align` makes them. A speaker whom the network never met is
among them on purpose: on voices that it was trained on, its answers are sharper than they will be on others.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.motion.features import HOPS_PER_STEP
from mien.motion.phone_classes import NAMES
from mien.motion.phone_model import FORMAT, TAPS, phone_manifest_path
from mien.motion.tflite import TfliteEngine

from . import corpus
from .corpus import Utterance
from .paths import ARTEFACTS, RUNS
from .targets import class_track

SOURCES = ("asterisk-fr", "asterisk-it", "asterisk-ru")
LICENCE = "Apache-2.0; trained on CC-BY-SA-3.0 (fr, it) and CC-BY-3.0 (ru) recordings, see NOTICE"
NETWORKS = ("mien-standard", "mien-lowlatency")
STATE = "state_7"  # the input of the last layer
HIDDEN, EPOCHS, BATCH, RATE = 64, 8, 256, 2e-3
DROPPED, NOISE, SMOOTHED = 0.2, 0.3, 0.02
LEAST_SHARE = 2e-3  # of a class in speech

Floats = NDArray[np.float32]


@dataclass(slots=True)
class Layers:
    """Weights and biases of both layers, as phone_model reads them."""

    values: list[Floats]

    def scores(self, inputs: Floats) -> Floats:
        """(n, TAPS * width) -> (n, 2, classes)."""
        first, bias, second, other = self.values
        return np.asarray((np.maximum(inputs @ first + bias, 0) @ second + other).reshape(len(inputs), 2, len(NAMES)))


def states(engine: TfliteEngine, utterance: Utterance) -> NDArray[np.int8]:
    """What each step of an utterance puts into STATE, silence after it included, int8 (steps, width)."""
    engine.reset()
    seen: list[NDArray[np.int8]] = []
    step = engine.manifest.features.step_samples
    tail = (engine.manifest.delay_frames // HOPS_PER_STEP + 1) * step
    pcm = np.pad(utterance.pcm, (0, tail + -len(utterance.pcm) % step))
    newest = engine.newest_state(STATE)
    for at in range(0, len(pcm), step):
        engine.push(pcm[at : at + step])
        seen.append(newest().copy())
    return np.array(seen)


def cached(engine: TfliteEngine, source: str) -> tuple[Floats, NDArray[np.int_]]:
    """The examples of a source, which build/runs keeps for each network."""
    path = RUNS / f"guide-{engine.manifest.sha256[:12]}-{source}.npz"
    if not path.exists():
        RUNS.mkdir(parents=True, exist_ok=True)
        inputs, wanted = examples(engine, corpus.read(source))
        np.savez(path, inputs=inputs.astype(np.int8), wanted=wanted.astype(np.uint8))
        print(f"{path.name}: {len(inputs)} steps", flush=True)
    with np.load(path) as stored:
        return stored["inputs"].astype(np.float32), stored["wanted"].astype(np.int_)


def examples(engine: TfliteEngine, utterances: list[Utterance]) -> tuple[Floats, NDArray[np.int_]]:
    """Inputs (steps, TAPS * width), the oldest tap first, and the phone class of both hops of each step."""
    inputs, wanted = [], []
    for utterance in utterances:
        rows = states(engine, utterance).astype(np.float32)
        padded = np.concatenate([np.repeat(rows[:1], TAPS - 1, axis=0), rows])
        taps = np.hstack([padded[tap : tap + len(rows)] for tap in range(TAPS)])
        frames = int(len(utterance.pcm) / engine.manifest.features.hop)
        track = class_track(utterance.phones, frames).astype(np.int_)
        first = HOPS_PER_STEP * np.arange(len(rows)) - engine.manifest.delay_frames
        known = (first >= 0) & (first + 1 < frames)
        inputs.append(taps[known])
        wanted.append(np.stack([track[first[known]], track[first[known] + 1]], axis=1))
    return np.concatenate(inputs), np.concatenate(wanted)


def fit(inputs: Floats, wanted: NDArray[np.int_], seed: int = 0) -> Layers:
    """Train by Adam (Kingma and Ba 2015). The scale of the inputs and the prior of the classes are folded in."""
    draw = np.random.default_rng(seed)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1.0
    scaled = np.asarray((inputs - mean) / scale, dtype=np.float32)
    width, classes = inputs.shape[1], len(NAMES)
    values: list[Floats] = [
        np.asarray(draw.standard_normal((width, HIDDEN)) / np.sqrt(width), dtype=np.float32),
        np.zeros(HIDDEN, dtype=np.float32),
        np.asarray(draw.standard_normal((HIDDEN, 2 * classes)) * 0.05, dtype=np.float32),
        np.zeros(2 * classes, dtype=np.float32),
    ]
    means, squares = [np.zeros_like(value) for value in values], [np.zeros_like(value) for value in values]
    total, done = EPOCHS * (len(scaled) // BATCH), 0
    for _ in range(EPOCHS):
        order = draw.permutation(len(scaled))
        for at in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[at : at + BATCH]
            done += 1
            slopes = _slopes(values, scaled[chosen], wanted[chosen], draw)
            rate = RATE * (1 - done / (total + 1))
            for index, slope in enumerate(slopes):
                means[index] = 0.9 * means[index] + 0.1 * slope
                squares[index] = 0.999 * squares[index] + 0.001 * slope * slope
                step = means[index] / (1 - 0.9**done) / (np.sqrt(squares[index] / (1 - 0.999**done)) + 1e-8)
                values[index] = np.asarray(values[index] - rate * step, dtype=np.float32)
    first, bias, second, other = values
    share = np.maximum(np.bincount(wanted.ravel(), minlength=classes) / wanted.size, LEAST_SHARE)
    folded = [first / scale[:, None], bias - (mean / scale) @ first, second, other - np.tile(np.log(share), 2)]
    return Layers([np.asarray(value, dtype=np.float32) for value in folded])


def _slopes(
    values: list[Floats], inputs: Floats, wanted: NDArray[np.int_], draw: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats]:
    """The gradient of the cross entropy of a batch."""
    first, bias, second, other = values
    count, classes = len(inputs), len(NAMES)
    seen = inputs + NOISE * draw.standard_normal(inputs.shape).astype(np.float32)
    seen = seen * _kept(draw, inputs.shape)
    raw = seen @ first + bias
    kept = _kept(draw, raw.shape)
    hidden = np.maximum(raw, 0) * kept
    scores = (hidden @ second + other).reshape(count, 2, classes)
    powers = np.exp(scores - scores.max(axis=2, keepdims=True))
    target = np.full(scores.shape, SMOOTHED / classes, dtype=np.float32)
    np.put_along_axis(target, wanted[..., None], 1 - SMOOTHED + SMOOTHED / classes, axis=2)
    error = ((powers / powers.sum(axis=2, keepdims=True) - target) / count).reshape(count, -1)
    back = (error @ second.T) * (raw > 0) * kept
    return seen.T @ back + 1e-4 * first, back.sum(axis=0), hidden.T @ error + 1e-4 * second, error.sum(axis=0)


def _kept(draw: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.asarray((draw.random(shape, dtype=np.float32) > DROPPED) / (1 - DROPPED), dtype=np.float32)


def write(manifest_path: Path, engine: TfliteEngine, layers: Layers) -> Path:
    """Write the artefact and its manifest beside the network's."""
    path = phone_manifest_path(manifest_path)
    data = b"".join(value.astype("<f2").tobytes() for value in layers.values)
    model = path.with_suffix(".bin")
    model.write_bytes(data)
    words = {
        "format": FORMAT,
        "name": f"{engine.manifest.name}, phones",
        "network_sha256": engine.manifest.sha256,
        "state": STATE,
        "width": layers.values[0].shape[0] // TAPS,
        "hidden": HIDDEN,
        "delay_frames": engine.manifest.delay_frames,
        "classes": list(NAMES),
        "model": model.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "trained_on": list(SOURCES),
        "licence": LICENCE,
    }
    path.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def main(manifests: list[str]) -> None:
    """Train the phone models of these networks, of both published ones without any."""
    for manifest in [Path(name) for name in manifests] or [ARTEFACTS / f"{name}.json" for name in NETWORKS]:
        phone_manifest_path(manifest).unlink(missing_ok=True)  # that of an earlier network does not fit
        engine = TfliteEngine(manifest)
        inputs, wanted = (np.concatenate(part) for part in zip(*(cached(engine, s) for s in SOURCES), strict=True))
        layers = fit(inputs, wanted)
        right = float((layers.scores(inputs).argmax(axis=2) == wanted).mean())
        print(
            f"{write(manifest, engine, layers).name}: {len(inputs)} steps, {right:.2f} of the frames right", flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])
