"""The float network on whole utterances, equivalent to the streaming graph of convert.py."""

import numpy as np
import torch
from numpy.typing import NDArray

from mien.motion.features import FeatureConfig, FeatureStream

from .corpus import Utterance
from .dataset import features_of
from .network import Tcn
from .phones import ARTICULATORS


def logits(net: Tcn, delay: int, utterance: Utterance) -> NDArray[np.float32]:
    """The articulator logits of an utterance, one row per frame, without the delay."""
    stream = FeatureStream(FeatureConfig())
    padded = np.pad(utterance.pcm, (0, (delay + 4) * stream.config.hop))
    with torch.no_grad():
        found = net(torch.from_numpy(features_of(padded, stream))[None])[0][0].numpy()
    count = -(-len(utterance.pcm) // stream.config.hop)
    result: NDArray[np.float32] = found[delay : delay + count]
    return result


def gated(values: NDArray[np.float32], gates: dict[str, tuple[float, float]]) -> NDArray[np.float32]:
    """Logits -> articulators, as in the graph of convert.py."""
    moved = values.copy()
    for name, (gain, threshold) in gates.items():
        column = ARTICULATORS.index(name)
        moved[:, column] = gain * (moved[:, column] - np.log(threshold / (1 - threshold)))
    return np.asarray(1 / (1 + np.exp(-moved)), dtype=np.float32)
