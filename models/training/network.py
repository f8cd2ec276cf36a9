"""The network in PyTorch: a causal TCN over 20 ms steps, whose every layer remembers only its own past inputs."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from .phones import ARTICULATORS, PHONES

HOPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """width: channels of every layer. dilations: of the blocks, in steps. taps: past and present inputs of a block."""

    inputs: int = 80
    width: int = 112
    head: int = 96
    taps: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2)


class Block(nn.Module):
    """relu(x + norm(conv(x))), causal: the past before the turn is zero, as the runtime's states start."""

    def __init__(self, width: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.reach = (taps - 1) * dilation
        self.conv = nn.Conv1d(width, width, taps, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, steps) -> the same shape."""
        return functional.relu(x + self.norm(self.conv(functional.pad(x, (self.reach, 0)))))


class Tcn(nn.Module):
    """Features (batch, steps, 80) -> logits of articulators and of phone classes, (batch, 2 * steps, ...)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.enter = nn.Conv1d(shape.inputs, shape.width, 1, bias=False)
        self.enter_norm = nn.BatchNorm1d(shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.taps, dilation) for dilation in shape.dilations)
        self.drop = nn.Dropout1d(0.1)
        self.head = nn.Conv1d(shape.width, shape.head, 1)
        self.articulators = nn.Conv1d(shape.head, HOPS * len(ARTICULATORS), 1)
        self.phones = nn.Conv1d(shape.head, HOPS * len(PHONES), 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        hidden = functional.relu(self.enter_norm(self.enter(x.transpose(1, 2))))
        for block in self.blocks:
            hidden = block(hidden)
        hidden = functional.relu(self.head(self.drop(hidden)))
        return _by_frame(self.articulators(hidden)), _by_frame(self.phones(hidden))

    def parameter_count(self) -> int:
        """Parameters that ship: the phone classifier is for training alone."""
        return sum(p.numel() for name, p in self.named_parameters() if not name.startswith("phones"))


def _by_frame(values: Tensor) -> Tensor:
    batch, channels, steps = values.shape
    return values.transpose(1, 2).reshape(batch, steps * HOPS, channels // HOPS)
