"""Training sequences from corpora: eight seconds of one speaker, degraded, with the runtime's features."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.motion.features import FeatureConfig, FeatureStream

from . import corpus
from .augment import Draw, degrade
from .corpus import Utterance
from .paths import RATE_HZ, RUNS
from .pauses import hushed
from .targets import TimedPhone, articulate, class_track

SECONDS = 8
STEPS = SECONDS * 50
_ROOM_TONE = 1e-4


def speed_change(utterance: Utterance, factor: float) -> Utterance:
    """The utterance played `factor` times as fast, pitch and formants included, as by a smaller speaker."""
    import soxr

    pcm = soxr.resample(utterance.pcm.astype(np.float32), RATE_HZ * factor, RATE_HZ).astype(np.int16)
    phones = [(ipa, start / factor, end / factor) for ipa, start, end in utterance.phones]
    return Utterance(utterance.source, utterance.speaker, utterance.language, utterance.name, pcm, phones)


def sequences(utterances: list[Utterance], draw: Draw) -> Iterator[tuple[NDArray[np.float64], list[TimedPhone]]]:
    """Sequences of 8 s with their phones: one speaker's utterances, concatenated with pauses.

    Most start in the middle of speech, as for a face that joins late.
    """
    size = SECONDS * RATE_HZ
    by_speaker: dict[str, list[Utterance]] = {}
    for index in draw.permutation(len(utterances)):
        by_speaker.setdefault(utterances[index].speaker, []).append(utterances[index])
    for own in by_speaker.values():
        sounds: list[NDArray[np.float64]] = []
        phones: list[TimedPhone] = []
        at = 0
        for utterance in own:
            piece = speed_change(utterance, draw.uniform(0.82, 1.22)) if draw.random() < 0.6 else utterance
            gap = np.zeros(int(draw.uniform(0.03, 0.7) * RATE_HZ))
            start_s = (at + len(gap)) / RATE_HZ
            phones += [(ipa, start_s + start, start_s + end) for ipa, start, end in piece.phones]
            sounds += [gap, piece.pcm / 32768]
            at += len(gap) + len(piece.pcm)
        whole = np.concatenate([*sounds, np.zeros(-at % size)])
        whole += _ROOM_TONE * draw.random() ** 2 * draw.standard_normal(len(whole))
        for first in range(0, len(whole), size):
            from_s, to_s = first / RATE_HZ, (first + size) / RATE_HZ
            inside = [(ipa, s - from_s, e - from_s) for ipa, s, e in phones if e > from_s and s < to_s]
            yield whole[first : first + size], inside


def features_of(pcm: NDArray[np.int16], stream: FeatureStream) -> NDArray[np.float32]:
    """The streaming features of a whole sound, float32 (steps, 2 * bands)."""
    stream.reset()
    size = stream.config.step_samples
    steps = pcm[: len(pcm) // size * size].reshape(-1, size)
    return np.stack([stream.step(step).reshape(-1).copy() for step in steps])


def build(source: str, copies: int, *, held_out: frozenset[str] = frozenset(), share: float = 1.0) -> Path:
    """Write build/runs/data-SOURCE.npz: features, phone classes and articulators of every sequence.

    copies: the number of differently degraded versions. held_out: languages to skip. share: of the utterances to use.
    """
    RUNS.mkdir(parents=True, exist_ok=True)
    stream, began = FeatureStream(FeatureConfig()), time.monotonic()
    spoken = [u for u in corpus.read(source) if u.language not in held_out]
    utterances = [replace(u, phones=hushed(u.phones, u.pcm)) for u in spoken]
    features, tracks, curves = [], [], []
    for copy in range(copies):
        draw = np.random.default_rng([copy, *source.encode()])
        chosen = draw.permutation(len(utterances))[: int(share * len(utterances))]
        for sound, phones in sequences([utterances[index] for index in chosen], draw):
            features.append(_packed(features_of(degrade(sound, draw), stream), stream.config))
            tracks.append(class_track(phones, STEPS * 2))
            curves.append(np.rint(articulate(phones, STEPS * 2) * 255).astype(np.uint8))
        spent_s = time.monotonic() - began
        print(f"dataset: {source} {copy + 1}/{copies}, {len(features)} sequences, {spent_s:.0f} s", flush=True)
    path = RUNS / f"data-{source}.npz"
    np.savez(path, x=np.stack(features), track=np.stack(tracks), curves=np.stack(curves))
    return path


def load(sources: Iterable[str]) -> dict[str, NDArray[np.uint8]]:
    """The sequences of several sources: x (n, steps, 80), track (n, frames), curves (n, frames, articulators).

    source: the index of each sequence's source, (n,).
    """
    parts: dict[str, list[NDArray[np.uint8]]] = {"x": [], "track": [], "curves": [], "source": []}
    for index, source in enumerate(sources):
        with np.load(RUNS / f"data-{source}.npz") as stored:
            for key in ("x", "track", "curves"):
                parts[key].append(stored[key])
            parts["source"].append(np.full(len(parts["x"][-1]), index, dtype=np.uint8))
    return {key: np.concatenate(found) for key, found in parts.items()}


def _packed(x: NDArray[np.float32], config: FeatureConfig) -> NDArray[np.uint8]:
    # The resolution of the network's int8 input, so that nothing it can see is lost.
    span = config.clip_high - config.clip_low
    result: NDArray[np.uint8] = np.rint((x - config.clip_low) / span * 255).astype(np.uint8)
    return result


def unpacked(x: NDArray[np.uint8], config: FeatureConfig) -> NDArray[np.float32]:
    """Stored features, converted back to those of the runtime."""
    return (x.astype(np.float32) * ((config.clip_high - config.clip_low) / 255) + config.clip_low).astype(np.float32)
