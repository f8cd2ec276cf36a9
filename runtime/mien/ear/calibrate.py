"""Finds how the speaker is heard by the microphone, from chirps: delay, gain, noise, clipping.

Pure analysis: both recordings are blocks of 16 kHz sound with the times of their first frames.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from mien.capture.base import Pcm
from mien.core.ear_bus import EAR_RATE_HZ
from mien.ear.meter import Meter
from mien.units import NS_PER_MS, NS_PER_S, ms_to_frames, ms_to_ns

Samples = NDArray[np.float64]

CHIRPS: Final = 4
CHIRP_MS: Final = 250
PERIOD_MS: Final = 1200
LEAD_IN_MS: Final = 600
"""Speech before it would be cut by a screen that wakes up; it is also the time to hear the room's own noise."""

FROM_HZ, TO_HZ = 300.0, 7000.0
AMPLITUDE: Final = 0.5

SEARCH_MS: Final = 500
"""Delays are looked for this far to both sides, as ear.delay_ms may be."""

DIRECT_MS: Final = 20
DIRECT_SHARE: Final = 0.5
"""The direct sound is the first peak of at least this share of the highest one, and at most DIRECT_MS before it."""

CLEAR_DB: Final = 17.0
"""Of a peak over the correlation around it. The highest of 16,000 of noise lies at 10 to 14."""

AGREE_MS: Final = 2.0
NEEDED: Final = CHIRPS - 1
LOOPBACK: Final = 0.985
"""Likeness to the chirp itself. A dry room with 10 cm from an ideal speaker to an ideal microphone has 0.97."""

CLEAN: Final = 0.8
"""Likeness of a chirp in the far end, which was resampled and may have been scaled."""

TAIL_MS: Final = 200
"""Reflections after a peak, which do not count as noise."""

FULL_SCALE: Final = 32_700
CLIPPED_FRAMES: Final = 8
SOFT_S: Final = 0.02

QUIET_DB: Final = 10.0
"""Of the chirps over the room's noise."""

SILENT: Final = (
    "the microphone delivers digital silence: is it plugged in, switched on, the right one? `mien ear cards` lists the "
    "devices, ear.channel chooses a channel"
)
UNTOLD: Final = (
    "the voice did not tell what it plays: is it of the same release, with its sound card open? `mien doctor` checks it"
)
CLIPS: Final = "the microphone clips: lower its capture volume (alsamixer), or move it away from the speaker"
UNHEARD: Final = (
    "the microphone does not hear the speaker: raise the volume of either (alsamixer), bring them closer, or choose "
    "the right devices (playback.device, ear.device)"
)
UNSTEADY: Final = (
    "the delay changes from chirp to chirp: the machine is busy, or a sound server lies between; measure again, and "
    "use hw: or plughw: for playback.device and ear.device"
)
LOOPED: Final = (
    "the microphone is the speaker's own loopback, in which no customer can be heard: choose another ear.device "
    "(`mien ear cards`)"
)
TOO_NOISY: Final = "the room is nearly as loud as the speaker: measure when it is quiet, or raise the speaker's volume"


class Part(NamedTuple):
    """Sound with the time of its first frame. pcm: int16 (N,)."""

    pcm: Pcm
    at_ns: int


class Calibration(Struct, frozen=True, kw_only=True):
    """What was found. Levels in dBFS. problems: each with its remedy; with any, the figures are not to be trusted.

    delay_ms: from the speaker's clock to the microphone's, for ear.delay_ms; None if the speaker was not heard.
    spread_ms: between the chirps. gain_db: of the microphone's sound over the speaker's. likeness: 0..1, of the sound
    that came to the one that was played. heard: how many of CHIRPS.
    """

    noise_dbfs: float
    peak_dbfs: float
    heard: int = 0
    delay_ms: float | None = None
    spread_ms: float | None = None
    gain_db: float | None = None
    likeness: float | None = None
    problems: tuple[str, ...] = ()


class _Chirp(NamedTuple):
    """A chirp that was found. power: mean square over its length. likeness: to the one that was made."""

    at_ns: int
    power: float
    likeness: float


def signal() -> Pcm:
    """What to play, int16 at EAR_RATE_HZ."""
    period, lead_in = _frames(PERIOD_MS), _frames(LEAD_IN_MS)
    whole = np.zeros(lead_in + CHIRPS * period)
    for index in range(CHIRPS):
        at = lead_in + index * period
        whole[at : at + len(_chirp())] = _chirp()
    return (whole * AMPLITUDE * 32767).astype(np.int16)


def analyse(far: Sequence[Part], near: Sequence[Part]) -> Calibration:
    """Compare what was played, as the voice tells it, to what was captured; near begins before far's first chirp."""
    played, heard = _Recording(far), _Recording(near)
    left = _all_chirps(played)
    every = [(chirp, found) for chirp in left if (found := _look_for(heard, chirp.at_ns)) is not None]
    pairs = _agreeing(every)
    noise = heard.until(left[0].at_ns - ms_to_ns(CHIRP_MS) if left else None)
    measured = Calibration(
        noise_dbfs=round(_meter(noise).rms_dbfs, 1),
        peak_dbfs=round(_meter(heard.sound).peak_dbfs, 1),
        heard=len(pairs),
    )
    problems = _problems(heard, left, every, pairs)
    if len(pairs) < NEEDED:
        return _with(measured, problems=problems)
    delays_ms = [(found.at_ns - chirp.at_ns) / NS_PER_MS for chirp, found in pairs]
    noise_power = float(np.mean(noise**2)) if len(noise) else 0.0
    gains = [max(1e-9, found.power - noise_power) / chirp.power for chirp, found in pairs]
    if 10 * np.log10(max(1e-9, pairs[0][1].power - noise_power) / max(noise_power, 1e-3)) < QUIET_DB:
        problems = (*problems, TOO_NOISY)
    return _with(
        measured,
        delay_ms=round(float(np.median(delays_ms)), 2),
        spread_ms=round(max(delays_ms) - min(delays_ms), 2),
        gain_db=round(float(10 * np.log10(np.median(gains))), 1),
        likeness=round(float(np.median([found.likeness for _, found in pairs])), 3),
        problems=problems,
    )


class _Recording:
    """Parts as one sound, with the time of each frame."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.sound: Samples = np.concatenate([part.pcm for part in parts]).astype(np.float64) if parts else np.zeros(0)
        self._times_ns = [part.at_ns for part in parts]
        self._starts = [0, *accumulate(len(part.pcm) for part in parts)][:-1]

    def time_of_ns(self, frame: float) -> int:
        """When a frame was heard, to a fraction of one."""
        part = max(0, bisect_right(self._starts, frame) - 1)
        return self._times_ns[part] + round((frame - self._starts[part]) * NS_PER_S / EAR_RATE_HZ)

    def frame_at(self, at_ns: int) -> int:
        """The frame that was heard then; beyond either end of the sound, its end."""
        if not self._times_ns:
            return 0
        part = max(0, bisect_right(self._times_ns, at_ns) - 1)
        frame = self._starts[part] + (at_ns - self._times_ns[part]) * EAR_RATE_HZ // NS_PER_S
        return min(max(0, frame), len(self.sound))

    def until(self, at_ns: int | None) -> Samples:
        """The sound before a time; all of it for None."""
        return self.sound if at_ns is None else self.sound[: self.frame_at(at_ns)]


def _all_chirps(played: _Recording) -> list[_Chirp]:
    """The chirps in the far end, which has neither noise nor room."""
    found: list[_Chirp] = []
    envelope = _correlation(played.sound)
    for _ in range(CHIRPS):
        if not len(envelope) or envelope.max() <= 0:
            break
        at = int(np.argmax(envelope))
        chirp = _measure(played, envelope, at)
        if chirp.likeness < CLEAN:
            break
        found.append(chirp)
        envelope[max(0, at - _frames(PERIOD_MS) // 2) : at + _frames(PERIOD_MS) // 2] = 0
    return sorted(found)


def _look_for(heard: _Recording, left_ns: int) -> _Chirp | None:
    """The chirp that left the speaker then, where the microphone heard it."""
    first = heard.frame_at(left_ns - ms_to_ns(SEARCH_MS))
    last = heard.frame_at(left_ns + ms_to_ns(SEARCH_MS + CHIRP_MS))
    envelope = _correlation(heard.sound[first:last])
    if not len(envelope) or envelope.max() <= 0:
        return None
    highest = int(np.argmax(envelope))
    around = np.ones(len(envelope), np.bool_)
    around[max(0, highest - _frames(TAIL_MS) // 2) : highest + _frames(TAIL_MS)] = False
    if not around.any() or 20 * np.log10(envelope[highest] / max(1e-9, _rms(envelope[around]))) < CLEAR_DB:
        return None
    whole = np.zeros(first + len(envelope))
    whole[first:] = envelope
    return _measure(heard, whole, first + _direct(envelope, highest))


def _direct(envelope: Samples, highest: int) -> int:
    """The first peak that is nearly as high as the highest one: reflections may be louder than the direct sound."""
    first = max(1, highest - _frames(DIRECT_MS))
    for at in range(first, highest):
        if envelope[at] >= DIRECT_SHARE * envelope[highest] and envelope[at - 1] < envelope[at] >= envelope[at + 1]:
            return at
    return highest


def _measure(recording: _Recording, envelope: Samples, at: int) -> _Chirp:
    sound = recording.sound[at : at + len(_chirp())]
    energy = float(sound @ sound)
    likeness = float(envelope[at]) / max(1e-9, np.sqrt(energy * float(_chirp() @ _chirp())))
    return _Chirp(
        recording.time_of_ns(at + _peak_offset(envelope, at)), energy / max(1, len(sound)), min(1.0, likeness)
    )


def _peak_offset(envelope: Samples, at: int) -> float:
    """Where between the frames the peak lies: the top of the parabola through three of them."""
    if not 0 < at < len(envelope) - 1:
        return 0.0
    before, peak, after = envelope[at - 1 : at + 2].tolist()
    bend = before - 2 * peak + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


def _agreeing(pairs: list[tuple[_Chirp, _Chirp]]) -> list[tuple[_Chirp, _Chirp]]:
    """Those whose delay is that of most: a slammed door is no chirp."""

    def near(pair: tuple[_Chirp, _Chirp]) -> list[tuple[_Chirp, _Chirp]]:
        delay_ns = pair[1].at_ns - pair[0].at_ns
        return [other for other in pairs if abs(other[1].at_ns - other[0].at_ns - delay_ns) <= ms_to_ns(AGREE_MS)]

    return max(map(near, pairs), key=len, default=[])


def _problems(
    heard: _Recording, left: list[_Chirp], every: list[tuple[_Chirp, _Chirp]], pairs: list[tuple[_Chirp, _Chirp]]
) -> tuple[str, ...]:
    """What stands against the measurement, the cause before its consequences. every: also those that disagree."""
    if not heard.sound.any():
        return (SILENT,)
    if len(left) < NEEDED:
        return (UNTOLD,)
    found = [CLIPS] if int(np.count_nonzero(np.abs(heard.sound) >= FULL_SCALE)) >= CLIPPED_FRAMES else []
    if len(pairs) < NEEDED:
        found.append(UNHEARD if len(every) < NEEDED else UNSTEADY)
    elif np.median([chirp.likeness for _, chirp in pairs]) > LOOPBACK:
        found.append(LOOPED)
    return tuple(found)


def _correlation(sound: Samples) -> Samples:
    """The envelope of the correlation with the chirp, for each frame at which a whole chirp may begin."""
    chirp = _chirp()
    count = len(sound) - len(chirp) + 1
    if count <= 0:
        return np.zeros(0)
    size = 1 << (len(sound) - 1).bit_length()
    spectrum = np.fft.fft(sound, size) * np.conj(np.fft.fft(chirp, size))
    spectrum[size // 2 :] = 0  # without its negative frequencies, its magnitude is the envelope
    return np.asarray(np.abs(np.fft.ifft(spectrum))[:count] * 2, np.float64)


@cache
def _chirp() -> Samples:
    """A sweep of -1..1 with soft ends."""
    times_s = np.arange(_frames(CHIRP_MS)) / EAR_RATE_HZ
    length_s = CHIRP_MS / 1000
    sweep = np.sin(2 * np.pi * (FROM_HZ * times_s + (TO_HZ - FROM_HZ) * times_s**2 / (2 * length_s)))
    ends = np.minimum(1, np.minimum(times_s, length_s - times_s) / SOFT_S)
    return np.asarray(sweep * np.sin(ends * np.pi / 2) ** 2, np.float64)


def _with(found: Calibration, **changes: object) -> Calibration:
    return msgspec.structs.replace(found, **changes)


def _meter(sound: Samples) -> Meter:
    meter = Meter()
    meter.add(sound.astype(np.int16))
    return meter


def _rms(values: Samples) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _frames(duration_ms: float) -> int:
    return ms_to_frames(duration_ms, EAR_RATE_HZ)
