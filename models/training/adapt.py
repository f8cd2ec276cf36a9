"""The runtime's mean normalisation (BandMean) for batches in PyTorch, as a layer without weights."""

import torch
from torch import Tensor, nn

from mien.motion.features import HOPS_PER_STEP, BandMeanConfig

_BLOCK = 400  # steps per matrix product


class BandMeanLayer(nn.Module):
    """Features (batch, steps, 80) -> the same shape, minus the running mean of each sequence."""

    reference: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("reference", torch.zeros(bands))
        self._constants = BandMeanConfig(reference=[])
        ages = torch.arange(_BLOCK)[:, None] - torch.arange(_BLOCK)[None]
        self._kernel = torch.where(ages >= 0, self._constants.decay ** ages.clamp(0), torch.zeros(()))
        self._fade = self._constants.decay ** (torch.arange(_BLOCK) + 1.0)[:, None]

    @property
    def config(self) -> BandMeanConfig:
        """The parameters of the equivalent runtime layer."""
        return BandMeanConfig(reference=[round(float(value), 5) for value in self.reference])

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        batch, steps, width = x.shape
        hops = x.reshape(batch, steps, HOPS_PER_STEP, width // HOPS_PER_STEP)
        now = hops.mean(dim=2)
        c = self._constants
        weight = torch.sigmoid(c.sharpness * (now.mean(dim=2, keepdim=True) - c.loud))
        # Subtracting the reference first leaves the shift that the runtime computes.
        heard = self._carried(torch.cat([weight * (now - self.reference), weight], dim=2))
        shift = heard[..., :-1] / (heard[..., -1:] + c.prior_steps)
        return (hops - shift[:, :, None]).reshape(x.shape)

    def _carried(self, values: Tensor) -> Tensor:
        """Decaying sums over the steps of (batch, steps, n)."""
        before, parts = torch.zeros_like(values[:, :1]), []
        for block in values.split(_BLOCK, dim=1):
            size = block.shape[1]
            part = self._kernel[:size, :size] @ block + self._fade[:size] * before
            before = part[:, -1:]
            parts.append(part)
        return torch.cat(parts, dim=1)
