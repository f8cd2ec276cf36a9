"""Chooses how sure the network must be before lips meet: python -m training.tune RUN [SOURCE].

The gates (gain, threshold) of convert.py turn the posteriors of closure and bite into decisions. They are chosen on
one held-out speaker, whose figures therefore flatter a little.
"""

import sys
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from mien.motion.features import FeatureConfig, FeatureStream

from .convert import GATES, load_run
from .corpus import Utterance
from .dataset import features_of
from .evaluate import select
from .measure import figures, see
from .network import Tcn
from .phones import ARTICULATORS
from .rig import shapes

GAINS, THRESHOLDS = (1.0, 1.5, 2.0, 3.0), (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


def logits(net: Tcn, delay: int, utterance: Utterance) -> NDArray[np.float32]:
    """An utterance's articulator logits, one row a frame, the delay taken off."""
    stream = FeatureStream(FeatureConfig())
    padded = np.pad(utterance.pcm, (0, (delay + 4) * stream.config.hop))
    with torch.no_grad():
        found = net(torch.from_numpy(features_of(padded, stream))[None])[0][0].numpy()
    count = -(-len(utterance.pcm) // stream.config.hop)
    return found[delay : delay + count]


def gated(values: NDArray[np.float32], gates: dict[str, tuple[float, float]]) -> NDArray[np.float32]:
    """Logits -> articulators, as the graph of convert.py does it."""
    moved = values.copy()
    for name, (gain, threshold) in gates.items():
        column = ARTICULATORS.index(name)
        moved[:, column] = gain * (moved[:, column] - np.log(threshold / (1 - threshold)))
    return 1 / (1 + np.exp(-moved))


def main(run: str, source: str = "asterisk-ru") -> None:
    """Print the figures of every gate, the best last."""
    net, delay = load_run(run)
    utterances = select(source)
    rows = [logits(net, delay, utterance) for utterance in utterances]
    found = []
    for name, key in (("close", "bilabial_f1"), ("bite", "fv_recall")):
        for gain, threshold in product(GAINS, THRESHOLDS):
            gates = {**GATES, name: (gain, threshold)}
            seen = [
                see(shapes(gated(row, gates)), utterance.phones)
                for row, utterance in zip(rows, utterances, strict=True)
            ]
            values = figures(seen)
            found.append((key, values[key], name, gain, threshold, values))
    for key, _, name, gain, threshold, values in sorted(found, key=lambda entry: entry[:2]):
        print(key, name, gain, threshold, {k: round(v, 3) for k, v in values.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
