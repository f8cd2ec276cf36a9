"""Trained networks, and the gates that turn what they believe into what a mouth does. Free of TensorFlow."""

import torch

from .network import Tcn
from .paths import RUNS

# Articulators whose posterior is turned into a decision: (gain, threshold). Folded into the last layer.
GATES = {"jaw": (1.6, 0.5), "close": (2.5, 0.6), "bite": (1.5, 0.15), "press": (1.5, 0.5)}


def load_run(run: str) -> tuple[Tcn, int]:
    """A trained network in evaluation mode, and its delay in frames."""
    stored = torch.load(RUNS / f"{run}.pt", weights_only=False)
    net = Tcn(stored["shape"])
    net.load_state_dict(stored["weights"])
    return net.eval(), stored["delay"]
