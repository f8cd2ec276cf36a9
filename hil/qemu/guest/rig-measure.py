"""Measurement on the emulated board in guest time, independent of anything outside.

Speaks and interrupts; reports on the serial line when it did what (CLOCK_MONOTONIC) and what the services used.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.bench.offsets import first_motion_ns, offsets_ms, read_trace
from mien.bench.session import BusProbe
from mien.client import connect
from mien.core.bus import Anchor
from mien.host.clock import MonotonicClock
from mien.host.rundir import SYSTEM_RUN_DIR

RATE_HZ = 48_000
TURNS = 6
CUTS = 8
STATUS = Path("/proc/asound/card0/pcm0p/sub0/status")
TRACE = SYSTEM_RUN_DIR / "trace.npz"


def tell(kind: str, **what: object) -> None:
    """Send one record to the rig."""
    print("@@rig " + json.dumps({"kind": kind, **what}), flush=True)


def noise(seconds: float, seed: int) -> NDArray[np.int16]:
    """Syllables of noise, int16."""
    at = np.arange(int(seconds * RATE_HZ))
    level = 6000 * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * at / RATE_HZ))
    pcm: NDArray[np.int16] = (
        (np.random.default_rng(seed).normal(size=len(at)) * level).clip(-32000, 32000).astype(np.int16)
    )
    return pcm


def cpu_ns(unit: str) -> int:
    """CPU time of a service so far."""
    show = ["systemctl", "show", "-p", "MainPID", "--value", unit]
    pid = subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip()
    tasks = Path("/proc", pid, "task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def pointer() -> dict[str, float | str]:
    """The kernel's stream position of the sound card, in frames, and when it was read."""
    before_s = time.monotonic()
    text = STATUS.read_text()
    at_s = (before_s + time.monotonic()) / 2
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    found = {key.strip(): value.strip() for key, value in fields.items()}
    return {"at_s": at_s, "hw_frames": int(found["hw_ptr"]), "state": found["state"]}


def tell_frames(spoken: list[tuple[int, int]], anchors: list[Anchor]) -> None:
    """Report what the face showed when, from the trace it writes on exit. spoken: (start, end) of turns, in ns."""
    subprocess.run(["systemctl", "stop", "mien-face"], check=True)
    frames = read_trace(TRACE)
    seen = [first_motion_ns(frames, begin_ns, end_ns) for begin_ns, end_ns in spoken]
    _, offsets = offsets_ms(frames, anchors)
    tell(
        "frames",
        motion_ms=[(at - begin) / 1e6 for at, (begin, _) in zip(seen, spoken, strict=True) if at is not None],
        offset_ms=float(np.median(offsets)) if len(offsets) else None,
        offset_p95_ms=float(np.percentile(np.abs(offsets), 95)) if len(offsets) else None,
        count=len(offsets),
    )


def main() -> None:
    """The whole measurement."""
    clock = MonotonicClock()
    with BusProbe(SYSTEM_RUN_DIR, clock) as probe:
        there = probe.wait_for_face(300)
        tell("up", face=there, at_s=time.monotonic(), uptime_s=float(Path("/proc/uptime").read_text().split()[0]))
        time.sleep(3.0)
        with connect(rate_hz=RATE_HZ, name="rig", timeout_s=60) as client:
            tell("pointer", **pointer())
            before = {unit: cpu_ns(unit) for unit in ("mien-voice", "mien-face")}
            shown, began = probe.faces[-1].shown if there else 0, time.monotonic()
            spoken = []
            for number in range(TURNS):
                turn = client.turn()
                sent_s = time.monotonic()
                turn.write(noise(1.5, number))
                finished = turn.wait()
                spoken.append((round(sent_s * 1e9), time.monotonic_ns()))
                tell(
                    "turn",
                    sent_s=sent_s,
                    latency_ms=turn.started.latency_ms if turn.started else None,
                    played_ms=finished.played_ms,
                )
                time.sleep(0.7)
            took_s = time.monotonic() - began
            after = {unit: cpu_ns(unit) for unit in before}
            tell(
                "cost",
                seconds=took_s,
                cpu_ms={unit: (after[unit] - before[unit]) / 1e6 for unit in before},
                frames=(probe.faces[-1].shown - shown) if there else 0,
            )
            tell("pointer", **pointer())
            for number in range(CUTS):
                turn = client.turn()
                turn.write(noise(3.0, 100 + number))
                turn.end()
                while turn.played_ms < 200 + 37 * number:
                    time.sleep(0.005)
                sent_s = time.monotonic()
                over = client.interrupt()
                tell("cut", sent_s=sent_s, told_s=time.monotonic(), played_ms=[one.played_ms for one in over])
                time.sleep(0.8)
            tell("pointer", **pointer())
            if there:
                faces = [face for face in probe.faces if face.offset_median_ms is not None]
                tell(
                    "face",
                    offsets_ms=[face.offset_median_ms for face in faces],
                    p95_ms=[face.offset_p95_ms for face in faces],
                    lead_ms=[face.motion_lead_ms for face in faces],
                    fps=[face.fps for face in faces],
                    level=probe.faces[-1].level,
                    missed=probe.faces[-1].missed,
                )
                tell_frames(spoken, probe.anchors)
            tell("voice", counters=probe.voices[-1].counters, level=probe.voices[-1].level)
    tell("end")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        tell("error", what=f"{type(error).__name__}: {error}")
        sys.exit(1)
