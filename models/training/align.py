"""Forced alignment of recordings with a known text: python -m training.align SOURCE..."""

import random
import re
import sys
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import corpus, hmm
from .corpus import Utterance
from .espeak import Espeak
from .human import decode, recordings
from .paths import RATE_HZ
from .recording import Recording
from .targets import TimedPhone
from .timing import centred

_HOP, _WINDOW, _PAD = 80, 320, 1600
_MIXTURES = (1, 1, 1, 1, 1, 2, 2, 4, 6)
_TRAINING_MINUTES = 18
# The systematic lag of this aligner's boundaries, which is subtracted. Measured on the fall of energy into p t k and
# its rise into vowels, against flite's own phone times; it is the same in all languages.
_LATE_S = 0.016
_WORST = 0.06  # the share of utterances to discard for a bad fit


@dataclass(slots=True)
class Task:
    """An utterance to align."""

    recording: Recording
    pcm: NDArray[np.int16]
    words: list[list[str]]
    frames: hmm.Matrix
    links: hmm.Chain | None = None
    path: NDArray[np.intp] | None = None
    fit: float = 0.0


def words_of(text: str, voice: str, engine: Espeak) -> list[list[str]]:
    """A sentence -> its words as IPA phones, by espeak-ng."""
    words = [[re.sub("[ˈˌ\u200d-]", "", phone) for phone in word] for word in engine.transcribe(text, voice)]
    kept = [[phone for phone in word if phone and not phone.startswith("(")] for word in words]
    return [word for word in kept if word]


def cepstra(pcm: NDArray[np.int16]) -> hmm.Matrix:
    """int16 at 16 kHz -> 13 cepstra with first and second differences every 5 ms, float32 (n, 39)."""
    noise = np.random.default_rng(0).standard_normal(len(pcm) + 2 * _PAD)
    sound = np.pad(pcm / 32768, _PAD) + 3e-4 * noise
    sound = np.append(sound[0], sound[1:] - 0.97 * sound[:-1])
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(windows * np.hamming(_WINDOW), 512)) ** 2
    logs = np.log(power @ _mel() + 1e-8)
    base = logs @ _cosines(logs.shape[1])
    first = _slope(base)
    return np.hstack([base, first, _slope(first)]).astype(np.float32)


def _mel(bands: int = 26) -> NDArray[np.float64]:
    mel = np.linspace(2595 * np.log10(1 + 80 / 700), 2595 * np.log10(1 + 7600 / 700), bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hz = np.arange(257)[:, None] * RATE_HZ / 512
    rise, fall = (hz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hz) / np.diff(edges)[1:]
    result: NDArray[np.float64] = np.clip(np.minimum(rise, fall), 0, None)
    return result


def _cosines(bands: int, count: int = 13) -> NDArray[np.float64]:
    angles = np.pi / bands * (np.arange(bands)[:, None] + 0.5) * np.arange(count)
    result: NDArray[np.float64] = np.cos(angles) * np.sqrt(2 / bands)
    return result


def _slope(values: NDArray[np.float64], reach: int = 4) -> NDArray[np.float64]:
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    total = np.zeros_like(values)
    for step in range(1, reach + 1):
        total += step * (padded[reach + step :][: len(values)] - padded[reach - step :][: len(values)])
    return total / (2 * sum(step * step for step in range(1, reach + 1)))


def load_tasks(source: str) -> list[Task]:
    """Decode a source, skipping recordings that are too short, too long, or implausible for their text."""
    tasks, engine = [], Espeak()
    for count, recording in enumerate(recordings(source), 1):
        if count % 200 == 0:
            print(f"{source}: decoded {count}", flush=True)
        pcm = decode(recording.path)
        seconds = len(pcm) / RATE_HZ
        if not 0.4 < seconds < 16:
            continue
        words = words_of(recording.text, recording.language, engine)
        phones = sum(map(len, words))
        if phones and 0.035 < seconds / phones < 0.6:
            tasks.append(Task(recording, pcm, words, cepstra(pcm)))
    return tasks


def align(tasks: list[Task], label: str) -> None:
    """Train an HMM on the tasks and store path and fit in each."""
    names = sorted({hmm.PAUSE, *(phone for task in tasks for word in task.words for phone in word)})
    state_ids = {(name, part): 3 * index + part for index, name in enumerate(names) for part in range(3)}
    _normalise(tasks)
    for task in tasks:
        task.links = hmm.chain(task.words, state_ids)
    order = random.Random(0).sample(tasks, len(tasks))
    seconds = np.cumsum([len(task.pcm) for task in order]) / RATE_HZ
    training = order[: int(np.searchsorted(seconds, 60 * _TRAINING_MINUTES)) + 1]
    quiet = float(np.percentile(np.concatenate([task.frames[:, 0] for task in training]), 25))
    for task in training:
        task.path = _first_guess(task, quiet)
    mixtures: list[hmm.Mixture] = []
    for turn, components in enumerate(_MIXTURES, 1):
        began = time.monotonic()
        mixtures = _estimate(training, mixtures, len(state_ids), components)
        _pass(training if turn < len(_MIXTURES) else tasks, mixtures)
        fit = float(np.mean([task.fit for task in training]))
        print(f"{label}: pass {turn}/{len(_MIXTURES)} fit {fit:.2f} {time.monotonic() - began:.0f} s", flush=True)


def _normalise(tasks: list[Task]) -> None:
    # Normalise per speaker, which removes voice and microphone and leaves the phones.
    for speaker in {task.recording.speaker for task in tasks}:
        own = [task for task in tasks if task.recording.speaker == speaker]
        frames = np.vstack([task.frames for task in own])
        mean, deviation = frames.mean(axis=0), frames.std(axis=0) + 1e-6
        for task in own:
            task.frames = (task.frames - mean) / deviation


def _first_guess(task: Task, quiet: float) -> NDArray[np.intp]:
    assert task.links is not None
    loud = np.convolve(task.frames[:, 0], np.ones(7) / 7, "same")
    spoken = np.flatnonzero(loud > quiet)
    first, last = (int(spoken[0]), int(spoken[-1]) + 1) if len(spoken) > 10 else (10, len(loud) - 10)
    path = np.full(len(task.frames), 1, dtype=np.intp)
    path[last:] = len(task.links.states) - 2
    positions = [i for i, owner in enumerate(task.links.owner) if task.links.phones[owner] != hmm.PAUSE]
    path[first:last] = np.array(positions)[(np.arange(last - first) * len(positions)) // (last - first)]
    return path


def _estimate(tasks: list[Task], old: list[hmm.Mixture], states: int, components: int) -> list[hmm.Mixture]:
    frames = np.vstack([task.frames for task in tasks])
    owners = np.concatenate([task.links.states[task.path] for task in tasks if task.links and task.path is not None])
    order = np.argsort(owners, kind="stable")
    cuts = np.searchsorted(owners[order], np.arange(states + 1))
    general, found = hmm.single(frames), []
    for state in range(states):
        own = frames[order[cuts[state] : cuts[state + 1]]]
        if len(own) < 8:
            found.append(old[state] if old else general)
            continue
        mixture = hmm.single(own) if components == 1 or not old else old[state]
        while len(mixture.weights) < components and len(own) > 80 * len(mixture.weights):
            mixture = mixture.split()
        for _ in range(2 if components > 1 else 0):
            mixture = mixture.refit(own)
        found.append(mixture)
    return found


def _pass(tasks: list[Task], mixtures: list[hmm.Mixture]) -> None:
    for task in tasks:
        assert task.links is not None
        task.path, task.fit = hmm.viterbi(task.links, hmm.log_likelihoods(mixtures, task.frames))


def timed_phones(task: Task) -> list[TimedPhone]:
    """The alignment in seconds from the first sample. A boundary lies between the centres of two windows."""
    assert task.links is not None
    assert task.path is not None
    owner = task.links.owner[task.path]
    edges = np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1, [len(owner)]])
    seconds = edges * hmm.HOP_S + (_WINDOW - _HOP) / 2 / RATE_HZ - _PAD / RATE_HZ - _LATE_S
    end_s = len(task.pcm) / RATE_HZ
    spans = zip(owner[edges[:-1]], np.clip(seconds[:-1], 0, end_s), np.clip(seconds[1:], 0, end_s), strict=True)
    return [(task.links.phones[index], round(float(s), 4), round(float(e), 4)) for index, s, e in spans if e > s]


def main(sources: list[str]) -> None:
    """Align every source and write it as a corpus."""
    for source in sources:
        tasks = load_tasks(source)
        align(tasks, source)
        worst = np.quantile([task.fit for task in tasks], _WORST)
        kept = [task for task in tasks if task.fit > worst]
        found = [
            Utterance(source, t.recording.speaker, t.recording.language, t.recording.name, t.pcm, timed_phones(t))
            for t in kept
        ]
        # Prompts keep the constant measured over all of them. Other sources are corrected individually.
        corpus.write(source, centred(found) if source.startswith("stamps") else found)


if __name__ == "__main__":
    main(sys.argv[1:])
