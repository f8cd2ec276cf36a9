"""A talker's mean spectrum, taken off the features: another voice, microphone or room looks more like the known ones.

Mean normalisation, made causal: Atal, "Effectiveness of linear prediction characteristics of the speech wave for
automatic speaker identification and verification", JASA 55 (1974); as a recursive mean that starts from a prior:
Viikki and Laurila, "Cepstral domain segmental feature vector normalization", Speech Communication 25 (1998).
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray


class BandMeanConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the mean is taken over, and what it is moved to. In feature units and steps of 20 ms.

    reference: the mean band levels of the speech that the network learned from, which are also what a turn starts
    with, as if `prior_steps` steps of it had been heard. decay: what is left of a step's weight one step later. A
    step's weight is 1 / (1 + exp(-sharpness (its mean level - loud))), so that silence says nothing of the talker.
    """

    reference: list[float]
    decay: float = 0.995
    prior_steps: float = 15.0
    loud: float = -2.2
    sharpness: float = 4.0


class BandMean:
    """One turn's mean. Nothing is allocated a step but numpy's scalars."""

    def __init__(self, config: BandMeanConfig) -> None:
        self._config = config
        bands = len(config.reference)
        self._twice_reference = 2 * np.array(config.reference, dtype=np.float32)
        self._average = np.full(bands, 0.5 / bands, dtype=np.float32)
        self._sum = np.zeros(bands, dtype=np.float32)
        self._now = np.empty(bands, dtype=np.float32)
        self._out = np.empty((2, bands), dtype=np.float32)
        self._weight = 0.0

    def reset(self) -> None:
        """Forget the talker."""
        self._sum[:] = 0
        self._weight = 0.0

    def step(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (2, bands) -> float32 (2, bands), a buffer that is reused."""
        config, now = self._config, self._now
        np.add(features[0], features[1], out=now)
        weight = 1 / (1 + math.exp(-config.sharpness * (float(now.dot(self._average)) - config.loud)))
        self._weight = config.decay * self._weight + weight
        # The sum is kept of what lies beyond the reference: what starts a turn is then no shift at all.
        np.subtract(now, self._twice_reference, out=now)
        np.multiply(now, 0.5 * weight, out=now)
        np.multiply(self._sum, config.decay, out=self._sum)
        np.add(self._sum, now, out=self._sum)
        np.multiply(self._sum, 1 / (self._weight + config.prior_steps), out=now)
        np.subtract(features, now, out=self._out)
        return self._out
