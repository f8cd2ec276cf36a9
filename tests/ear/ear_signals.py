"""Synthetic signals for the ear: speech-like sound without a synthesiser, and a scene to put it in."""

import numpy as np

from mien.core.ear_bus import EAR_BLOCK_FRAMES, FarEnd
from mien.units import NS_PER_S

RATE_HZ = 16000
MS = 1_000_000
START_NS = 500 * NS_PER_S
BLOCK_NS = 20 * MS
VOWELS = ((700, 1200, 2500), (300, 2200, 2900), (400, 800, 2400), (550, 1750, 2500))


def babble(seconds, pitch_hz=120.0, seed=0):
    """Vowels of a pulse train through three formants, four syllables a second, peak 1; Silero takes it for speech."""
    random = np.random.default_rng(seed)
    frames = round(seconds * RATE_HZ)
    times = np.arange(frames) / RATE_HZ
    phase = np.cumsum(pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * 1.3 * times + seed)) / RATE_HZ)
    pulses = np.diff(np.floor(phase), prepend=0) + 0.02 * random.standard_normal(frames)
    out = np.zeros(frames)
    syllable = RATE_HZ // 4
    for number in range(-(-frames // syllable)):
        span = slice(number * syllable, min(frames, (number + 1) * syllable))
        part = pulses[span]
        spectrum, hertz = np.fft.rfft(part, 2 * syllable), np.fft.rfftfreq(2 * syllable, 1 / RATE_HZ)
        shape = sum(1 / (1 + ((hertz - f) / 90) ** 2) / (1 + f / 800) for f in VOWELS[random.integers(len(VOWELS))])
        voiced = np.fft.irfft(spectrum * shape)[: len(part)]
        out[span] = voiced * np.sin(np.pi * (np.arange(len(part)) + 0.5) / syllable) ** 0.5
    return out / np.abs(out).max()


def room(seed=0, rt60_s=0.2, travel=20, length=2400):
    """An impulse response: direct sound, decaying noise after it; unit energy."""
    random = np.random.default_rng(seed)
    tail = random.standard_normal(length) * 10 ** (-3 * np.arange(length) / (rt60_s * RATE_HZ))
    tail[0] = 8
    response = np.concatenate((np.zeros(travel), tail))
    return response / np.sqrt((response**2).sum())


def through(sound, response):
    size = 1 << (len(sound) + len(response)).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[: len(sound)]


def pcm(sound):
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)


def hiss(seconds, level_db=-66.0, seed=1):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)) * 10 ** (level_db / 20)


class Scene:
    """Feeds a pipeline. plays: whether the voice publishes; ahead: by how many blocks."""

    def __init__(self, ear, ahead=3):
        self.ear = ear
        self.ahead = ahead
        self.number = self.sent = 0
        self.stream = 1
        self.cleaned = []
        self.events = []
        self.states = []
        self.known_s = []

    def send(self, block, stream=None, offset=None, at_ns=None):
        silent = block is None or not block.any()
        self.ear.far_end(
            FarEnd(
                stream=self.stream if stream is None else stream,
                offset=self.sent * EAR_BLOCK_FRAMES if offset is None else offset,
                frames=EAR_BLOCK_FRAMES,
                at_ns=START_NS + self.sent * BLOCK_NS if at_ns is None else at_ns,
                silent=silent,
            ),
            None if silent else block,
        )
        self.sent += 1

    def run(self, near, far=None):
        """near, far: as heard; far None: the voice publishes nothing."""
        blocks = len(near) // EAR_BLOCK_FRAMES
        begins = self.number
        for number in range(blocks):
            if far is not None:
                self.sent = max(self.sent, begins + number)
                while self.sent < begins + min(blocks, number + self.ahead):
                    at = (self.sent - begins) * EAR_BLOCK_FRAMES
                    self.send(pcm(far[at : at + EAR_BLOCK_FRAMES]))
            at = number * EAR_BLOCK_FRAMES
            made = self.ear.process(pcm(near[at : at + EAR_BLOCK_FRAMES]), START_NS + self.number * BLOCK_NS)
            self.number += 1
            self.cleaned.append(made.pcm.copy())
            self.events += made.events
            self.known_s += [self.number * 0.02] * len(made.events)
            self.states.append(made.state)
            self.last = made
        return self

    @property
    def sound(self):
        return np.concatenate(self.cleaned)


def seconds(at_ns):
    return (at_ns - START_NS) / NS_PER_S


def level_db(sound):
    return 10 * np.log10((sound.astype(np.float64) ** 2).mean() + 1e-9)
