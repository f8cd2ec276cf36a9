"""Measures a published model on held-out speech: python -m training.evaluate MANIFEST [SOURCE[:LANGUAGE,...]]..."""

import json
import sys
from pathlib import Path

import numpy as np

from mien.motion.tflite import TfliteEngine

from . import corpus
from .corpus import Utterance
from .measure import Seen, figures, interval, see, shut
from .paths import RUNS
from .phones import PHONES

# Never trained on: a Russian speaker, and three languages of espeak-ng.
HELD_OUT = ("asterisk-ru", "espeak:tr,fi,sw")


def watch(engine: TfliteEngine, utterances: list[Utterance]) -> list[Seen]:
    """Every utterance through the engine."""
    seen = []
    for utterance in utterances:
        frames = np.concatenate([engine.push(utterance.pcm).copy(), engine.flush()])
        seen.append(see(frames, utterance.phones))
    return seen


def select(choice: str) -> list[Utterance]:
    """ "source" or "source:language,language" -> its utterances of more than half a second."""
    source, _, languages = choice.partition(":")
    wanted = set(languages.split(",")) if languages else None
    found = corpus.read(source)
    return [u for u in found if len(u.pcm) > 8000 and (wanted is None or u.language in wanted)]


def closures_by_phone(seen: list[Seen]) -> dict[str, float]:
    """Phone class -> the share of its frames in which the lips are seen shut."""
    track, closed = np.concatenate([s.track for s in seen]), np.concatenate([shut(s) for s in seen])
    return {p.name: float(closed[track == i].mean()) for i, p in enumerate(PHONES) if (track == i).any()}


def main(manifest: str, choices: list[str]) -> None:
    """Print a table, and write build/runs/figures.json."""
    engine, out = TfliteEngine(Path(manifest)), {}
    for choice in choices or HELD_OUT:
        seen = watch(engine, select(choice))
        values, bounds = figures(seen), interval(seen)
        out[choice] = {"recordings": len(seen), "figures": values, "interval": bounds, "shut": closures_by_phone(seen)}
        print(f"{choice}: {len(seen)} recordings")
        for key, value in values.items():
            print(f"  {key:20}{value:7.2f}  ({bounds[key][0]:.2f} to {bounds[key][1]:.2f})")
    (RUNS / "figures.json").write_text(json.dumps(out, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
