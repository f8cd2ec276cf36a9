"""A scene for the ear: what is played, what the microphone hears, blockwise through the pipeline."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.bench.ear_voices import RATE_HZ, Signal
from mien.config import EarConfig
from mien.core.ear_bus import EAR_BLOCK_FRAMES, FarEnd, UserStarted, UserStopped
from mien.ear.pipeline import Pipeline
from mien.units import NS_PER_S

START_NS: Final = 1_000 * NS_PER_S
AHEAD_BLOCKS: Final = 3
"""How far ahead of its sound the voice writes to the device."""


@dataclass(slots=True)
class Heard:
    """clean, raw: in step, int16. decided: each event with the time, in s of the scene, at which it was known."""

    clean: Pcm
    raw: Pcm
    decided: list[tuple[float, UserStarted | UserStopped]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    figures: list[tuple[float | None, float | None]] = field(default_factory=list)

    @property
    def starts(self) -> list[tuple[float, float]]:
        """Of each user_started: when it was known and when, by itself, the sound began, in s of the scene."""
        return [(at, seconds(event.at_ns)) for at, event in self.decided if isinstance(event, UserStarted)]


def seconds(at_ns: int) -> float:
    """Since the scene began."""
    return (at_ns - START_NS) / NS_PER_S


def as_pcm(sound: Signal) -> Pcm:
    """Int16; louder sounds clip as in a converter."""
    pcm: Pcm = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)
    return pcm


def hear(
    near: Signal,
    far: Signal,
    *,
    config: EarConfig | None = None,
    far_ppm: float = 0.0,
    pipeline: Pipeline | None = None,
) -> Heard:
    """Run the whole scene. far: as the voice writes it; far_ppm: how fast the speaker's card plays it."""
    ear = pipeline or Pipeline(config or EarConfig())
    near_pcm, far_pcm = as_pcm(near), as_pcm(far)
    count = len(near_pcm) // EAR_BLOCK_FRAMES
    heard = Heard(np.empty(count * EAR_BLOCK_FRAMES, np.int16), near_pcm[: count * EAR_BLOCK_FRAMES])
    sent = 0
    for number in range(count):
        while sent < (number + AHEAD_BLOCKS) and len(far_pcm):
            _send(ear, far_pcm, sent, far_ppm)
            sent += 1
        at = number * EAR_BLOCK_FRAMES
        at_ns = START_NS + at * NS_PER_S // RATE_HZ
        cleaned = ear.process(near_pcm[at : at + EAR_BLOCK_FRAMES], at_ns)
        heard.clean[at : at + EAR_BLOCK_FRAMES] = cleaned.pcm
        known = (at + EAR_BLOCK_FRAMES) / RATE_HZ
        heard.decided += [(known, event) for event in cleaned.events]
        heard.states.append(cleaned.state)
    late = round((START_NS + (count - 1) * EAR_BLOCK_FRAMES * NS_PER_S // RATE_HZ - cleaned.at_ns) * RATE_HZ / NS_PER_S)
    heard.clean = np.concatenate((heard.clean[late:], np.zeros(late, np.int16)))
    return heard


def _send(ear: Pipeline, far: Pcm, number: int, ppm: float) -> None:
    offset = number * EAR_BLOCK_FRAMES
    block = far[offset : offset + EAR_BLOCK_FRAMES]
    at_ns = START_NS + round(offset * NS_PER_S / (RATE_HZ * (1 + ppm * 1e-6)))
    silent = not block.any()
    frames = EAR_BLOCK_FRAMES
    if len(block) < frames:
        block = np.concatenate((block, np.zeros(frames - len(block), np.int16)))
    ear.far_end(FarEnd(stream=1, offset=offset, frames=frames, at_ns=at_ns, silent=silent), None if silent else block)
