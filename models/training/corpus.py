"""Corpora: utterances with timed phones, one .npz per source under build/aligned."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .paths import ALIGNED
from .targets import TimedPhone


@dataclass(slots=True)
class Utterance:
    """pcm: int16 (N,) at 16 kHz. phones: (IPA, start s, end s), "" for a pause. speaker: a person or a voice."""

    source: str
    speaker: str
    language: str
    name: str
    pcm: NDArray[np.int16]
    phones: list[TimedPhone]


def write(source: str, utterances: list[Utterance]) -> Path:
    """Write a source's utterances to build/aligned/SOURCE.npz."""
    ALIGNED.mkdir(parents=True, exist_ok=True)
    path = ALIGNED / f"{source}.npz"
    index = [
        {"speaker": u.speaker, "language": u.language, "name": u.name, "samples": len(u.pcm), "phones": u.phones}
        for u in utterances
    ]
    pcm = np.concatenate([u.pcm for u in utterances])
    np.savez(path, pcm=pcm, index=np.frombuffer(json.dumps(index, ensure_ascii=False).encode(), dtype=np.uint8))
    minutes = len(pcm) / 16_000 / 60
    print(f"{path.name}: {len(utterances)} utterances, {minutes:.1f} min", flush=True)
    return path


def read(source: str) -> list[Utterance]:
    """The utterances of build/aligned/SOURCE.npz."""
    with np.load(ALIGNED / f"{source}.npz") as stored:
        pcm, index = stored["pcm"], json.loads(stored["index"].tobytes())
    found, at = [], 0
    for entry in index:
        piece = pcm[at : at + entry["samples"]]
        at += entry["samples"]
        phones = [(str(ipa), float(start), float(end)) for ipa, start, end in entry["phones"]]
        found.append(Utterance(source, entry["speaker"], entry["language"], entry["name"], piece, phones))
    return found
