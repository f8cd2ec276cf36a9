"""Measures a published model on held-out speech: python -m training.evaluate MANIFEST [SOURCE[:LANGUAGE,...]]...

If build/runs has a run of the same name, its float32 network is measured on the same recordings.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.motion.tflite import TfliteEngine

from . import corpus
from .corpus import Utterance
from .measure import Seen, bitten, figures, interval, see, shut
from .paths import RUNS
from .phones import PHONES
from .rig import shapes
from .streams import gated, logits
from .trained import GATES, load_run

# Never trained on: two people (the second was used to choose the gates), two Finnish voices, three espeak-ng languages.
HELD_OUT = ("asterisk-ru", "stamps-el", "festival:finnish", "espeak:tr,fi,sw")
MOST = 330  # recordings per choice


def watch(engine: TfliteEngine, utterances: list[Utterance]) -> list[Seen]:
    """Run every utterance through the engine."""
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
    kept = [u for u in found if len(u.pcm) > 8000 and (wanted is None or u.language in wanted)]
    return kept[:: -(-len(kept) // MOST)]


def watch_float(run: str, utterances: list[Utterance]) -> list[Seen]:
    """Run every utterance through the float network, with the same gates and rig."""
    net, delay = load_run(run)
    return [see(shapes(gated(logits(net, delay, u), GATES)), u.phones) for u in utterances]


def by_phone(seen: list[Seen], held: Callable[[Seen], NDArray[np.bool_]]) -> dict[str, float]:
    """Phone class -> the share of its frames with this lip position (measure.shut, measure.bitten)."""
    track, frames = np.concatenate([s.track for s in seen]), np.concatenate([held(s) for s in seen])
    return {p.name: float(frames[track == i].mean()) for i, p in enumerate(PHONES) if (track == i).any()}


def main(manifest: str, choices: list[str]) -> None:
    """Print a table, and write build/runs/figures.json."""
    engine, out, run = TfliteEngine(Path(manifest)), {}, Path(manifest).stem
    trained = (RUNS / f"{run}.pt").exists()
    for choice in choices or HELD_OUT:
        utterances = select(choice)
        seen = watch(engine, utterances)
        values, bounds = figures(seen), interval(seen)
        floats = figures(watch_float(run, utterances)) if trained else {}
        out[choice] = {
            "recordings": len(seen), "figures": values, "interval": bounds, "float": floats,
            "shut": by_phone(seen, shut), "bitten": by_phone(seen, bitten),
        }  # fmt: skip
        print(f"{choice}: {len(seen)} recordings")
        for key, value in values.items():
            low, high = bounds[key]
            print(f"  {key:20}{value:7.2f}  ({low:.2f} to {high:.2f})  float {floats.get(key, float('nan')):.2f}")
    (RUNS / f"figures-{run}.json").write_text(json.dumps(out, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
