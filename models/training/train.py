"""Trains a network: python -m training.train RUN SOURCE... [--epochs N] [--delay FRAMES] [--start RUN]."""

import argparse
import os
import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mien.motion.features import BandMeanConfig, FeatureConfig

from .dataset import load, unpacked
from .network import Shape, Tcn
from .paths import RUNS
from .phones import ARTICULATORS, INDEX
from .warp import vary

BATCH = 16
RATE = 3e-3  # the peak learning rate
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
# Loss weights: highest for the jaw, closures and bites.
_WEIGHTS = {"jaw": 2.0, "close": 3.0, "bite": 2.5, "pucker": 1.5, "funnel": 1.0, "spread": 0.7, "upper": 0.4,
            "lower": 0.4, "tongue": 0.7, "press": 1.0}  # fmt: skip
# Weights of the sources: roughly their number of speakers; less for formant synthesis, whose closures are unnatural;
# more for the source with many of Russian's hard, velarised n, which other languages lack and which resemble m.
SPEAKERS = {"festival": 5.0, "flite": 2.5, "espeak": 1.0, "noises": 1.8, "kokoro": 1.0, "kokoro-voices": 7.0,
            "asterisk-fr": 1.5, "asterisk-it": 1.5, "festvox-ru": 3.0, "joe": 1.5, "fillets-cs": 5.0, "fillets-nl": 2.5,
            "words-all": 4.0}  # fmt: skip
RECORDED_SPEAKER = 1.3
EPOCH_SEQUENCES = 2400
_MEAN_OF = 40  # one of so many sequences suffices for a mean
# Classes in which the lips matter most, including n, which is mistaken for m in unknown voices.
_TELLING = [INDEX[name] for name in ("p b", "m", "f v", "n")]


def balance(source: NDArray[np.uint8], weights: Sequence[float]) -> NDArray[np.float64]:
    """The sampling probability of each sequence: a source is drawn by its weight, whatever its length."""
    count = np.bincount(source, minlength=len(weights)).astype(np.float64)
    each = np.asarray(weights) / np.maximum(count, 1)
    chances = each[source]
    return np.asarray(chances / chances.sum())


def mean_bands(x: NDArray[np.uint8], config: FeatureConfig) -> NDArray[np.float32]:
    """The mean band levels of speech-level steps, (bands,): the reference for the mean normalisation."""
    hops = unpacked(x[::_MEAN_OF], config).reshape(-1, config.bands)
    return np.asarray(hops[hops.mean(axis=1) > BandMeanConfig(reference=[]).loud].mean(axis=0))


def losses(articulators: Tensor, phones: Tensor, curves: Tensor, track: Tensor, delay: int) -> tuple[Tensor, Tensor]:
    """Delayed cross entropies, of the articulators (weighted) and of the phone classes."""
    weights = torch.tensor([_WEIGHTS[name] for name in ARTICULATORS])
    truth, labels = curves[:, : curves.shape[1] - delay], track[:, : track.shape[1] - delay]
    telling = torch.isin(labels, torch.tensor(_TELLING)).float()[..., None]
    each = functional.binary_cross_entropy_with_logits(articulators[:, delay:], truth, reduction="none")
    # The entropy of a soft target is not an error; subtracting it lets the loss go to zero.
    floor = functional.binary_cross_entropy(truth, truth, reduction="none")
    shapes = ((each - floor) * weights * (1 + telling)).mean()
    classes = functional.cross_entropy(
        phones[:, delay:].reshape(-1, phones.shape[-1]), labels.reshape(-1), label_smoothing=0.05
    )
    return shapes, classes


def fit(
    sources: list[str], run: str, *, epochs: int, delay: int, shape: Shape, rate: float = RATE, start: str = ""
) -> Tcn:
    """Train and write build/runs/RUN.pt."""
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    data = load(sources)
    x, track, curves = data["x"], data["track"], data["curves"]
    chances = balance(data["source"], [SPEAKERS.get(source, RECORDED_SPEAKER) for source in sources])
    net, config = Tcn(shape), FeatureConfig()
    if start:
        net.load_state_dict(torch.load(RUNS / f"{start}.pt", weights_only=False)["weights"])
    else:
        net.adapt.reference[:] = torch.from_numpy(mean_bands(x, config))
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    batches = EPOCH_SEQUENCES // BATCH
    steps = epochs * batches
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 1, pct_start=0.1)
    print(f"{run}: {len(x)} sequences, {net.parameter_count()} parameters, {steps} steps", flush=True)
    draw, noise, began = np.random.default_rng(0), torch.Generator().manual_seed(0), time.monotonic()
    for epoch in range(1, epochs + 1):
        net.train()
        sums = np.zeros(2)
        for _ in range(batches):
            pick = np.sort(draw.choice(len(x), BATCH, replace=False, p=chances))
            labels = torch.from_numpy(track[pick]).long()
            batch = vary(torch.from_numpy(unpacked(x[pick], config)), labels, config, noise)
            articulators, phones = net(batch)
            truth = torch.from_numpy(curves[pick]).float() / 255
            shape_loss, class_loss = losses(articulators, phones, truth, labels, delay)
            optimiser.zero_grad()
            (shape_loss + 0.3 * class_loss).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            sums += [float(shape_loss.detach()), float(class_loss.detach())]
        print(
            f"{run}: epoch {epoch}/{epochs} shapes {sums[0] / batches:.4f} phones {sums[1] / batches:.3f} "
            f"{time.monotonic() - began:.0f} s", flush=True,
        )  # fmt: skip
        torch.save({"weights": net.state_dict(), "shape": shape, "delay": delay}, RUNS / f"{run}.pt")
    return net


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--delay", type=int, default=6)
    parser.add_argument("--start", default="")
    parser.add_argument("--rate", type=float, default=RATE)
    options = parser.parse_args()
    fit(options.sources, options.run, epochs=options.epochs, delay=options.delay, shape=Shape(), start=options.start,
        rate=options.rate)  # fmt: skip


if __name__ == "__main__":
    main()
