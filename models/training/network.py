"""The network in PyTorch: a causal TCN over 20 ms steps, in which each layer stores only its past inputs.

Its first layers work on hops of 10 ms, because a burst or a formant transition, which distinguish p from t and m from
n, lasts no longer than a step. Their outputs are combined into steps for the other layers, which hold most weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.motion.features import HOPS_PER_STEP as HOPS

from .adapt import BandMeanLayer
from .phones import ARTICULATORS, PHONES


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """width: channels per layer. dilations: of blocks, in hops or steps. taps: inputs per block, with the present."""

    bands: int = 40
    hop_width: int = 72
    hop_dilations: tuple[int, ...] = (1, 2)
    width: int = 112
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1)
    head: int = 96
    taps: int = 3


class Block(nn.Module):
    """relu(x + norm(layer(past and present x))), causal. Before the turn x is zero, like the runtime's initial states.

    A dilated convolution as one matrix product, which trains a third faster on a CPU.
    """

    def __init__(self, width: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.taps, self.dilation = taps, dilation
        self.layer = nn.Linear(taps * width, width, bias=False)
        self.norm = Norm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, hops or steps, width) -> the same shape."""
        steps = x.shape[1]
        past = functional.pad(x, (0, 0, (self.taps - 1) * self.dilation, 0))
        taps = [past[:, tap * self.dilation : tap * self.dilation + steps] for tap in range(self.taps)]
        return functional.relu(x + self.norm(self.layer(torch.cat(taps, dim=-1))))


class Norm(nn.BatchNorm1d):
    """Batch normalisation of the last axis."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, steps, width) -> the same shape."""
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class Tcn(nn.Module):
    """Features (batch, steps, 80) -> logits of articulators and of phone classes, (batch, 2 * steps, ...)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.adapt = BandMeanLayer(shape.bands)
        self.enter = nn.Linear(shape.bands, shape.hop_width, bias=False)
        self.enter_norm = Norm(shape.hop_width)
        self.hop_blocks = _blocks(shape.hop_width, shape.taps, shape.hop_dilations)
        self.join = nn.Linear(HOPS * shape.hop_width, shape.width, bias=False)
        self.join_norm = Norm(shape.width)
        self.blocks = _blocks(shape.width, shape.taps, shape.dilations)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(shape.width, shape.head)
        self.articulators = nn.Linear(shape.head, HOPS * len(ARTICULATORS))
        self.phones = nn.Linear(shape.head, HOPS * len(PHONES))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        batch, steps, _ = x.shape
        hops = self.adapt(x).reshape(batch, steps * HOPS, self.shape.bands)
        hidden = functional.relu(self.enter_norm(self.enter(hops)))
        joined = self.hop_blocks(hidden).reshape(batch, steps, -1)
        hidden = self.blocks(functional.relu(self.join_norm(self.join(joined))))
        hidden = functional.relu(self.head(self.drop(hidden)))
        return _by_frame(self.articulators(hidden)), _by_frame(self.phones(hidden))

    def parameter_count(self) -> int:
        """The number of shipped parameters. The phone classifier is used in training only."""
        return sum(p.numel() for name, p in self.named_parameters() if not name.startswith("phones"))


def _blocks(width: int, taps: int, dilations: tuple[int, ...]) -> nn.Sequential:
    return nn.Sequential(*(Block(width, taps, dilation) for dilation in dilations))


def _by_frame(values: Tensor) -> Tensor:
    batch, steps, channels = values.shape
    return values.reshape(batch, steps * HOPS, channels // HOPS)
