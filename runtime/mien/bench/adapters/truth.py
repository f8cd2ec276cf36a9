"""What was really heard of each segment, decoded from the recording of the WAV sink."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mien.audio.wav import opened_path
from mien.bench.coded import PRIME, Pcm, find_runs
from mien.units import NS_PER_S

BLOCK: Final = 1 << 18  # frames decoded at a time
OVERLAP: Final = 64  # frames decoded again with the next block, so that no run is lost at the joint
HEADER_BYTES: Final = 44


@dataclass(slots=True)
class HeardSegment:
    """How much of a coded turn the recording holds. first_ns, last_ns: when its first and last sample were heard,
    CLOCK_MONOTONIC. repeated: frames that were heard twice. lost: frames that are missing before later ones."""

    frames: int
    first_ns: int
    last_ns: int
    repeated: int = 0
    lost: int = 0


def read_truth(wav: Path, rate_hz: int) -> dict[int, HeardSegment]:
    """What was heard of each coded turn, by its number. wav: as mien.audio.wav wrote it. Raises OSError, ValueError."""
    opened_ns = int(opened_path(wav).read_text(encoding="ascii"))
    recording = np.frombuffer(wav.read_bytes()[HEADER_BYTES:], dtype="<i2")
    return decode(recording, opened_ns, rate_hz)


def decode(recording: Pcm, opened_ns: int, rate_hz: int) -> dict[int, HeardSegment]:
    """The same from samples: int16 (frames,), whose first was heard at opened_ns."""
    heard: dict[int, HeardSegment] = {}
    done = 0
    for base in range(0, len(recording), BLOCK):
        begin = max(0, base - OVERLAP)
        for run in find_runs(recording[begin : base + BLOCK]):
            start, stop = begin + run.start, begin + run.start + run.length
            skipped = max(0, done - start)
            if skipped < run.length:
                position = (run.position + skipped) % PRIME
                _add(heard, run.turn, position, start + skipped, stop, opened_ns, rate_hz)
                done = stop
    return heard


def _add(
    heard: dict[int, HeardSegment], turn: int, position: int, start: int, stop: int, opened_ns: int, rate_hz: int
) -> None:
    first_ns = opened_ns + start * NS_PER_S // rate_hz
    last_ns = opened_ns + (stop - 1) * NS_PER_S // rate_hz
    known = heard.setdefault(turn, HeardSegment(0, first_ns, last_ns))
    gap = (position - known.frames) % PRIME
    if gap > PRIME // 2:
        known.repeated += PRIME - gap
        known.frames = max(known.frames, known.frames - (PRIME - gap) + stop - start)
    else:
        known.lost += gap
        known.frames += gap + stop - start
    known.last_ns = last_ns
