"""Blocks of the kiosk's speech through the ear's signal path: the program whose aarch64 instructions are counted.

python -m mien.bench.ear_blocks --blocks N. The sound comes from a seed, so that nothing but mien is needed.
"""

import argparse
import os
from pathlib import Path
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.bench.qemu import DEFAULT_BUILD, DEFAULT_ROOT, CannotCount, count_instructions
from mien.bench.rows import Row
from mien.config import EarConfig
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ, FarEnd
from mien.ear.pipeline import Pipeline
from mien.units import NS_PER_S

COUNTED_BLOCKS: Final = (300, 800)
"""The difference is counted: without imports, and after the room was learnt."""

START_NS: Final = 1_000 * NS_PER_S
BLOCK_NS: Final = EAR_BLOCK_FRAMES * NS_PER_S // EAR_RATE_HZ
AHEAD: Final = 3
ECHO_FRAMES: Final = 300
ECHO_GAIN: Final = 0.15
SYLLABLES_HZ: Final = 4.0


def run(blocks: int) -> Pipeline:
    """The kiosk speaks, in syllables of noise; the microphone hears it 19 ms later, with some noise."""
    random = np.random.default_rng(1)
    frames = (blocks + AHEAD) * EAR_BLOCK_FRAMES
    loud = 0.55 + 0.45 * np.sin(2 * np.pi * SYLLABLES_HZ * np.arange(frames) / EAR_RATE_HZ)
    far = (random.standard_normal(frames) * loud * 3000).astype(np.int16)
    near = (np.roll(far, ECHO_FRAMES) * ECHO_GAIN + random.standard_normal(frames) * 10).astype(np.int16)
    ear = Pipeline(EarConfig())
    for number in range(AHEAD):
        _play(ear, far, number)
    for number in range(blocks):
        _play(ear, far, number + AHEAD)
        at = number * EAR_BLOCK_FRAMES
        ear.process(near[at : at + EAR_BLOCK_FRAMES], START_NS + number * BLOCK_NS)
    return ear


def _play(ear: Pipeline, far: Pcm, number: int) -> None:
    at = number * EAR_BLOCK_FRAMES
    message = FarEnd(stream=1, offset=at, frames=EAR_BLOCK_FRAMES, at_ns=START_NS + number * BLOCK_NS)
    ear.far_end(message, far[at : at + EAR_BLOCK_FRAMES])


def instruction_row() -> Row:
    """The aarch64 instructions per 20 ms. When they cannot be counted here, the row's note says what is missing."""
    name = "aarch64 instructions per 20 ms, the kiosk speaks (cortex-a53)"
    build = Path(os.environ.get("MIEN_QEMU", DEFAULT_BUILD))
    root = Path(os.environ.get("MIEN_AARCH64_ROOT", DEFAULT_ROOT))
    try:
        few, many = (
            count_instructions(["-m", "mien.bench.ear_blocks", "--blocks", str(blocks)], {}, build=build, root=root)
            for blocks in COUNTED_BLOCKS
        )
    except CannotCount as missing:
        return Row(name=name, value=None, unit="million", note=str(missing))
    blocks = COUNTED_BLOCKS[1] - COUNTED_BLOCKS[0]
    return Row(name=name, value=round((many - few) / blocks / 1e6, 3), unit="million", samples=blocks)


def main() -> None:
    """Run the blocks, print nothing."""
    arguments = argparse.ArgumentParser(prog="python -m mien.bench.ear_blocks")
    arguments.add_argument("--blocks", type=int, required=True)
    run(arguments.parse_args().blocks)


if __name__ == "__main__":
    main()
