"""Cheap augmentation of features during training: vocal tracts, articulation, microphones, levels, missing bands.

Speakers differ phone by phone, most of all in nasals: nasal timbre varies by speaker, and a network that has memorised
it mistakes an unknown speaker's n for m. Therefore each phone class is shifted by a random smooth curve per sequence:
the inverse of adaptation by regression classes (Leggetter and Woodland, "Maximum likelihood linear regression",
Computer Speech and Language 9, 1995). The nasals share one curve, so that only transitions distinguish them.
"""

import torch
from torch import Tensor
from torch.nn import functional

from mien.motion.features import HOPS_PER_STEP, FeatureConfig

from .phones import INDEX, PHONES

_TRACT = 0.16  # relative variation of vocal tract lengths: Lee and Rose, "Frequency warping approach", ICASSP 1996
_TILT, _LEVEL = 0.35, 0.3  # in feature units: one is `spread` nats, 13 dB
_MASKED_BANDS, _MASKED_SHARE = 6, 0.4
_HABIT, _NOSE = 0.12, 0.35  # standard deviations of the curves of phones and of nasals
_KNOTS = 10  # per curve, over all bands
_NASALS = [INDEX["m"], INDEX["n"]]


def vary(x: Tensor, track: Tensor, config: FeatureConfig, noise: torch.Generator) -> Tensor:
    """(batch, steps, 80) -> the same shape, with another speaker and channel for each sequence.

    track: the phone class of each hop, (batch, 2 steps).
    """
    batch, steps, _ = x.shape
    hops = x.reshape(batch, steps * HOPS_PER_STEP, config.bands)
    hops = hops + _habits(track, config, noise)
    hops = _warped(hops, noise)
    ramp = torch.linspace(-1, 1, config.bands)
    tilt = (torch.rand(batch, 1, 1, generator=noise) * 2 - 1) * _TILT * ramp
    bend = (torch.rand(batch, 1, 1, generator=noise) * 2 - 1) * _TILT * (2 * ramp**2 - 1)
    level = (torch.rand(batch, 1, 1, generator=noise) * 2 - 1) * _LEVEL
    hops = (hops + tilt + bend + level).clamp(config.clip_low, config.clip_high)
    return _masked(hops, config, noise).reshape(x.shape)


def _habits(track: Tensor, config: FeatureConfig, noise: torch.Generator) -> Tensor:
    batch = len(track)
    knots = torch.randn(batch, len(PHONES), _KNOTS, generator=noise) * _HABIT
    knots[:, _NASALS] += torch.randn(batch, 1, _KNOTS, generator=noise) * _NOSE
    curves = functional.interpolate(knots, config.bands, mode="linear", align_corners=True)
    found = curves.gather(1, track[..., None].expand(-1, -1, config.bands))
    # Smoothed over three hops, because a window at a boundary contains two phones.
    return functional.avg_pool1d(found.transpose(1, 2), 3, 1, 1).transpose(1, 2)


def _warped(hops: Tensor, noise: torch.Generator) -> Tensor:
    batch, _, bands = hops.shape
    factor = 1 + (torch.rand(batch, 1, generator=noise) * 2 - 1) * _TRACT
    # A frequency factor is nearly a shift on the mel scale above 1 kHz, and a factor below.
    places = torch.arange(bands)[None] * factor
    places = torch.where(places < bands / 3, places, torch.arange(bands)[None] + (factor - 1) * bands / 3)
    places = places.clamp(0, bands - 1)
    low = places.floor().long().clamp(max=bands - 2)
    share = (places - low)[:, None]
    index = low[:, None].expand(-1, hops.shape[1], -1)
    return hops.gather(2, index) * (1 - share) + hops.gather(2, index + 1) * share


def _masked(hops: Tensor, config: FeatureConfig, noise: torch.Generator) -> Tensor:
    batch = hops.shape[0]
    first = torch.randint(0, config.bands - _MASKED_BANDS, (batch, 1), generator=noise)
    masked = (torch.arange(config.bands)[None] >= first) & (torch.arange(config.bands)[None] < first + _MASKED_BANDS)
    masked &= torch.rand(batch, 1, generator=noise) < _MASKED_SHARE
    return torch.where(masked[:, None], hops.mean(dim=2, keepdim=True), hops)
