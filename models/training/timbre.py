"""Voice variation: shifted formants at the same pitch, breathiness.

The envelope of each short spectrum is taken from its first cepstra (Oppenheim and Schafer, "Homomorphic analysis of
speech", 1968), stretched along frequency, and applied to the same harmonics. Breath is noise under that envelope,
stronger towards high frequencies, as with an incompletely closed glottis (Klatt and Klatt, JASA 87, 1990). Frames keep
their positions, so that labels stay valid.
"""

import numpy as np
from numpy.typing import NDArray

from .paths import RATE_HZ

_SIZE, _HOP = 512, 128
_CEPSTRA = 24  # 1.5 ms: below the period of a pitch of 600 Hz
_BREATHY_HZ = 2000  # frequency at which breath is half as strong as at the top

Sound = NDArray[np.float64]


def changed(sound: Sound, stretch: float, breath: float, draw: np.random.Generator) -> Sound:
    """stretch: the factor on all formants. breath: noise relative to voice at high frequencies, 0 to about 0.5."""
    window = np.sqrt(np.hanning(_SIZE + 1)[:-1])
    padded = np.pad(sound, (_SIZE, _SIZE + -len(sound) % _HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP] * window
    spectra = np.fft.rfft(frames, axis=1)
    envelope = _envelope(np.abs(spectra))
    bins = np.arange(spectra.shape[1])
    at = np.clip(bins / stretch, 0, bins[-1])
    low = np.minimum(at.astype(int), bins[-1] - 1)
    moved = envelope[:, low] + (at - low) * (envelope[:, low + 1] - envelope[:, low])
    spectra *= np.exp(moved - envelope)
    if breath > 0:
        hz = bins * RATE_HZ / _SIZE
        noise = np.fft.rfft(draw.standard_normal(frames.shape) * window / np.sqrt(_SIZE / 2), axis=1)
        spectra += breath * noise * np.exp(moved) * (hz / (hz + _BREATHY_HZ))
    out = np.zeros(len(padded))
    each = np.fft.irfft(spectra, _SIZE, axis=1) * window
    for part in range(_SIZE // _HOP):
        some = each[part :: _SIZE // _HOP]
        out[part * _HOP :][: some.size] += some.ravel()
    return out[_SIZE:][: len(sound)] * (2 * _HOP / _SIZE)


def _envelope(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log envelopes, (frames, bins)."""
    cepstra = np.fft.irfft(np.log(magnitude + 1e-6), axis=1)
    cepstra[:, _CEPSTRA : -_CEPSTRA + 1] = 0
    return np.asarray(np.fft.rfft(cepstra, axis=1).real)
