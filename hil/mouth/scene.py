"""A room around a board, with a customer in it: what reaches the microphone, block by block as time passes."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr

from hil.captured import NS_PER_S
from hil.mouth.acoustics import BLOCK_FRAMES, Convolver, Crystal, Loudspeaker, Signal, as_pcm
from hil.mouth.played import Played
from hil.mouth.ring import RATE_HZ, Pcm, Ring
from mien.bench.ear_rooms import Room, noise
from mien.bench.ear_voices import RATE_HZ as NOISE_HZ

BLOCK_NS: Final = BLOCK_FRAMES * NS_PER_S // RATE_HZ
SETTLES_NS: Final = 3_000_000
"""How long after its sound a block is read: a voice that removes what was not heard yet has then done so."""

ECHO_GAIN_DB: Final = -16.0
"""From the speaker to the microphone."""

PLAYED_DB: Final = -20.0
"""How loud the kiosk's speech is meant to be as it is played, RMS."""

ECHO_DB: Final = PLAYED_DB + ECHO_GAIN_DB
"""How loud it then is at the microphone: a customer who is 15 dB louder does not clip."""

NOISE_S: Final = 10
LATEST_NS: Final = NS_PER_S
"""A mouth that was stopped for longer gives up what it missed: the card has delivered silence for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """room: a name of mien.bench.ear_rooms. ppm: how much faster the microphone's crystal is than the speaker's.

    distortion: of the speaker, 0..1. snr_db: of the echo to the noise.
    """

    room: str = "office"
    ppm: float = 0.0
    distortion: float = 0.5
    snr_db: float = 20.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Made:
    """What was computed in a step, int16 at RATE_HZ. near: the customer's part, by the clock. heard: all of it, by the
    microphone's crystal."""

    near: Pcm
    heard: Pcm


class RoomSound:
    """Call begin(), then step it with the time."""

    def __init__(self, scene: Scene, room: Room, played: Played) -> None:
        """room: at RATE_HZ."""
        self._room = room
        self._played = played
        self._ring: Ring | None = None
        self._start_ns = 0
        self._blocks = 0
        self._speaker = Loudspeaker(scene.distortion)
        self._walls = Convolver(room.echo * 10 ** (ECHO_GAIN_DB / 20))
        self._crystal = Crystal(scene.ppm)
        random = np.random.default_rng(scene.seed)
        self._noise = _noise(random) * 10 ** ((ECHO_DB - scene.snr_db) / 20)
        self._said: deque[Signal] = deque()
        self._near = np.zeros(0)
        self.missed_blocks = 0

    def say(self, pcm: Pcm, over_echo_db: float) -> None:
        """The customer says this, int16 at RATE_HZ, from the next block on; after what is being said."""
        dry = pcm / 32768
        tail = np.zeros(len(self._room.mouth))
        wet = _through(np.concatenate((dry, tail)), self._room.mouth)
        self._said.append(wet * (10 ** ((ECHO_DB + over_echo_db) / 20) / level(wet)))

    def begin(self, ring: Ring) -> None:
        """The microphone is plugged in: its first frame is that of the first block."""
        self._ring, self._start_ns = ring, ring.opened_ns

    def step(self, now_ns: int) -> Made:
        """Compute every block that is over. Call it after begin()."""
        assert self._ring is not None
        near, heard = [np.zeros(0)], [np.zeros(0, np.int16)]
        while (begin_ns := self._start_ns + self._blocks * BLOCK_NS) + BLOCK_NS + SETTLES_NS <= now_ns:
            self._blocks += 1
            customer = self._customer()
            near.append(customer)
            if now_ns - begin_ns > LATEST_NS:
                self.missed_blocks += 1
                echo = np.zeros(BLOCK_FRAMES)
            else:
                echo = self._walls.process(self._speaker.process(self._played.heard(begin_ns, BLOCK_FRAMES, now_ns)))
            heard.append(as_pcm(self._crystal.process(echo + customer + self._background())))
            self._ring.write(heard[-1], now_ns)
        return Made(as_pcm(np.concatenate(near)), np.concatenate(heard))

    def next_ns(self) -> int:
        """When to step() next."""
        return self._start_ns + (self._blocks + 1) * BLOCK_NS + SETTLES_NS

    def _customer(self) -> Signal:
        if not len(self._near) and self._said:
            self._near = self._said.popleft()
        block = np.zeros(BLOCK_FRAMES)
        part, self._near = self._near[:BLOCK_FRAMES], self._near[BLOCK_FRAMES:]
        block[: len(part)] = part
        return block

    def _background(self) -> Signal:
        at = (self._blocks * BLOCK_FRAMES) % (len(self._noise) - BLOCK_FRAMES)
        return self._noise[at : at + BLOCK_FRAMES]


def level(sound: Signal) -> float:
    """RMS over the parts that are not silent."""
    hop = RATE_HZ // 50
    power = (sound[: len(sound) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)
    return float(np.sqrt(power[power > 0.01 * power.max()].mean()))


def _through(sound: Signal, response: Signal) -> Signal:
    size = 1 << (len(sound) + len(response)).bit_length()
    product = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: len(sound)], np.float64)


def _noise(random: np.random.Generator) -> Signal:
    """A public room's, unit RMS: what lies above 8 kHz is left out, as the ear leaves it out."""
    return np.asarray(soxr.resample(noise(NOISE_S * NOISE_HZ, random), NOISE_HZ, RATE_HZ), np.float64)
