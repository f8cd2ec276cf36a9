"""Forced alignment by a network instead of an HMM: python -m training.realign RUN SOURCE...

A flat start fails on acted dialogue of many voices: a network trained on clean speech disagreed with two thirds of its
phones. Here the network's phone posteriors, divided by their priors, replace the Gaussians (Bourlard and Morgan,
"Connectionist Speech Recognition", 1994), and recordings with a bad fit are discarded.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from mien.motion.features import FeatureConfig, FeatureStream

from . import corpus, hmm
from .align import words_of
from .corpus import Utterance
from .dataset import features_of, load
from .espeak import Espeak
from .human import decode, recordings
from .network import Tcn
from .paths import ALIGNED, FRAME_HZ, RATE_HZ
from .phones import PHONES, SILENCE, classes
from .targets import TimedPhone, class_track
from .timing import centred
from .trained import load_run

_PRIORS = ("asterisk-fr", "asterisk-it", "flite", "espeak")
_PAUSES = 20  # frames of silence added before and after
_WORST = 0.15  # the share to discard
# Below this agreement a recording does not match its text or is masked by music. In the worst tenth of the Czech
# dialogues (agreement .25 on average) 31% of falls into stops and 49% of rises after them are within 20 ms of a label;
# in the other nine tenths 46 to 57% and 61 to 76%.
_LEAST = 0.25


def log_priors(sources: Iterable[str]) -> NDArray[np.float32]:
    """The log frequencies of the phone classes in the training speech, (classes,)."""
    counts = np.bincount(load(sources)["track"].ravel(), minlength=len(PHONES)).astype(np.float64)
    # Silence in those sequences is mostly padding, so it counts as a fifth of speech.
    counts[0] = counts[1:].sum() / 5
    return np.asarray(np.log(counts / counts.sum() + 1e-4), dtype=np.float32)


def posteriors(net: Tcn, delay: int, pcm: NDArray[np.int16], stream: FeatureStream) -> NDArray[np.float32]:
    """Log posteriors of the phone classes, (frames, classes), with pauses added around."""
    around = _PAUSES * stream.config.hop
    padded = np.pad(pcm, (around, around + (delay + 4) * stream.config.hop))
    with torch.no_grad():
        found = torch.log_softmax(net(torch.from_numpy(features_of(padded, stream))[None])[1][0], dim=-1).numpy()
    return np.asarray(found[delay : delay + -(-len(pcm) // stream.config.hop) + 2 * _PAUSES])


def align(
    words: list[list[str]], scores: NDArray[np.float32], priors: NDArray[np.float32]
) -> tuple[list[TimedPhone], float]:
    """Words of IPA phones and log posteriors -> timed phones, and the mean log posterior of the alignment."""
    parts = [[(phone, part) for phone in word for part in classes(phone)] for word in words]
    ids = {(str(part), state): part for part in range(len(PHONES)) for state in range(3)}
    ids |= {(hmm.PAUSE, state): 0 for state in range(3)}
    links = hmm.chain([[str(part) for _, part in word] for word in parts], ids)
    path, _ = hmm.viterbi(links, scores - priors)
    names = [hmm.PAUSE]
    for word in parts:
        names += [*(phone for phone, _ in word), hmm.PAUSE]
    owner = links.owner[path]
    fit = float(np.mean(scores[np.arange(len(path)), links.states[path]]))
    edges = np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1, [len(owner)]])
    seconds = (edges - _PAUSES) / FRAME_HZ
    return [
        (names[index], max(0.0, float(s)), float(e))
        for index, s, e in zip(owner[edges[:-1]], seconds[:-1], seconds[1:], strict=True)
        if e > 0
    ], fit


def agreement(scores: NDArray[np.float32], phones: list[TimedPhone]) -> float:
    """The share of spoken frames in which the network's best phone is that of the alignment."""
    around_s = _PAUSES / FRAME_HZ
    track = class_track([(ipa, start + around_s, end + around_s) for ipa, start, end in phones], len(scores))
    said = track != SILENCE
    return float((scores.argmax(axis=1) == track)[said].mean()) if said.any() else 0.0


def spoken(source: str) -> Iterator[tuple[Utterance, list[list[str]]]]:
    """The utterances of a source without times, with their words as IPA phones.

    The words come from its texts or, if there is a corpus SOURCE-rough, from that corpus's phones between pauses.
    """
    if (ALIGNED / f"{source}-rough.npz").exists():
        for utterance in corpus.read(f"{source}-rough"):
            joined = "\0".join(ipa for ipa, _, _ in utterance.phones).split("\0\0")
            yield replace(utterance, source=source), [[p for p in word.split("\0") if p] for word in joined]
        return
    engine = Espeak()
    for recording in recordings(source):
        words = words_of(recording.text, recording.language, engine)
        yield (
            Utterance(source, recording.speaker, recording.language, recording.name, decode(recording.path), []),
            words,
        )


def main(run: str, sources: list[str]) -> None:
    """Align every source and write it as a corpus, with labels shifted to where the sound changes."""
    net, delay = load_run(run)
    stream, priors = FeatureStream(FeatureConfig()), log_priors(_PRIORS)
    for source in sources:
        found, agreed = [], []
        for utterance, words in spoken(source):
            if not 0.4 < len(utterance.pcm) / RATE_HZ < 16:
                continue
            scores = posteriors(net, delay, utterance.pcm, stream)
            if not words or len(scores) < 4.5 * sum(map(len, words)):
                continue
            phones, _ = align(words, scores, priors)
            found.append(replace(utterance, phones=phones))
            agreed.append(agreement(scores, phones))
        least = max(_LEAST, float(np.quantile(agreed, _WORST)))
        kept = [u for u, share in zip(found, agreed, strict=True) if share > least]
        print(f"{source}: {len(kept)} of {len(found)} kept, agreement above {least:.2f}", flush=True)
        corpus.write(source, centred(kept))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
