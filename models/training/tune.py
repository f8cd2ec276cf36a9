"""Chooses the confidence that the network needs before lips close: python -m training.tune RUN [SOURCE].

The gates (gain, threshold) of convert.py turn the posteriors of closure and bite into decisions. They are chosen on
held-out speakers, a Greek volunteer (stamps-el) and two Finnish voices (festival:finnish), whose figures are therefore
optimistic. asterisk-ru is not used.
"""

import sys
from itertools import product

from .evaluate import select
from .measure import figures, see
from .rig import shapes
from .streams import gated, logits
from .trained import GATES, load_run

GAINS, THRESHOLDS = (1.0, 1.5, 2.0, 3.0), (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


def main(run: str, source: str = "stamps-el") -> None:
    """Print the figures of all gates, the best last."""
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
