"""Trained networks with the gates for their posteriors. Independent of TensorFlow."""

import torch

from .network import Tcn
from .paths import RUNS

# (gain, threshold) for articulators whose posterior becomes a decision. Folded into the last layer.
GATES = {"jaw": (1.6, 0.5), "close": (2.5, 0.6), "bite": (1.5, 0.15), "press": (1.5, 0.5)}


def load_run(run: str) -> tuple[Tcn, int]:
    """A trained network in evaluation mode, and its delay in frames."""
    stored = torch.load(RUNS / f"{run}.pt", weights_only=False)
    net = Tcn(stored["shape"])
    net.load_state_dict(stored["weights"])
    return net.eval(), stored["delay"]
