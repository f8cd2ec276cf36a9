"""Cheap changes to features while training: other vocal tracts and habits, other microphones and levels, lost bands.

A talker differs from another phone by phone, most of all in nasals: their murmur is as the nose that it comes from,
and a network that has learned noses takes a stranger's n for m. What a talker's phone sounds like is therefore moved,
class by class, by a random smooth curve that holds for a sequence: what adaptation by regression classes takes off
(Leggetter and Woodland, "Maximum likelihood linear regression", Computer Speech and Language 9, 1995), laid on. The
nasals share one curve, so that only how their neighbours lead into them tells one from another.
"""

import torch
from torch import Tensor
from torch.nn import functional

from mien.motion.features import HOPS_PER_STEP, FeatureConfig

from .phones import INDEX, PHONES

_TRACT = 0.16  # vocal tracts differ by about this share: Lee and Rose, "Frequency warping approach", ICASSP 1996
_TILT, _LEVEL = 0.35, 0.3  # in feature units: one is `spread` nats, 13 dB
_MASKED_BANDS, _MASKED_SHARE = 6, 0.4
_HABIT, _NOSE = 0.12, 0.35  # standard deviations of a phone's and of a nose's curve
_KNOTS = 10  # of a curve, over all bands
_NASALS = [INDEX["m"], INDEX["n"]]


def vary(x: Tensor, track: Tensor, config: FeatureConfig, noise: torch.Generator) -> Tensor:
    """(batch, steps, 80) -> the same shape: each sequence as another speaker, through another channel.

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
    # Over three hops, as a window hears two phones at their boundary.
    return functional.avg_pool1d(found.transpose(1, 2), 3, 1, 1).transpose(1, 2)


def _warped(hops: Tensor, noise: torch.Generator) -> Tensor:
    batch, _, bands = hops.shape
    factor = 1 + (torch.rand(batch, 1, generator=noise) * 2 - 1) * _TRACT
    # A factor on frequency is nearly a shift on the mel scale above 1 kHz and a factor below it.
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
