"""Count the aarch64 instructions of a 20 ms step of motion: python models/count_instructions.py

\b
The same program runs N and M steps under qemu-user with its instruction-counting plugin; the difference, divided by
M - N, is the cost of a step. The figure compares versions of the code; it does not predict a board's latency.
`make counter` builds QEMU and an arm64 root; `make image` leaves a root with the image's own packages. `mien bench
budget` counts every stage of a conversation.
"""

import sys
from pathlib import Path

import click

from mien.bench.qemu import DEFAULT_BUILD, DEFAULT_ROOT, count_instructions
from mien.errors import MienError

MODELS = Path(__file__).resolve().parent
FEW, MANY = 50, 250
BAR = 2_500_000

# Runs in the emulator: `count` steps of `part` on synthetic voiced sound.
WORKLOAD = """
import sys
import numpy as np
from pathlib import Path
from mien.motion.load import load_engine
from mien.motion.prosody import ProsodyStream
part, count, model = sys.argv[1], int(sys.argv[2]), sys.argv[3]
engine = load_engine(Path(model))
prosody = ProsodyStream(engine.info.lookahead_ms)
at = np.arange((count + 10) * 320) / 16000
buzz = sum(np.sin(2 * np.pi * 120 * k * at) / k for k in range(1, 20)) * (1 + np.sin(2 * np.pi * 4 * at))
pcm = (buzz * 3000 + np.random.default_rng(1).standard_normal(len(at)) * 300).astype(np.int16).reshape(-1, 320)
step = {"engine": engine.push, "prosody": prosody.push, "features": engine._features.step,
        "nothing": lambda chunk: None}[part]
for chunk in pcm:
    step(chunk)
"""


@click.command(help=__doc__)
@click.option("--qemu-build", default=DEFAULT_BUILD, type=click.Path(path_type=Path), help="QEMU's build folder.")
@click.option("--root", default=DEFAULT_ROOT, type=click.Path(path_type=Path), help="The arm64 root.")
@click.option("--model", default=MODELS / "motion/mien-standard.json", type=click.Path(path_type=Path))
@click.option("--cpu", default="cortex-a53", show_default=True, help="TFLite selects its kernels by it: -a53, -a72.")
def main(qemu_build: Path, root: Path, model: Path, cpu: str) -> None:
    def count(part: str, steps: int) -> int:
        arguments = ["-c", WORKLOAD, part, str(steps), str(model)]
        return count_instructions(arguments, {}, build=qemu_build, root=root, cpu=cpu)

    parts = ("nothing", "features", "engine", "prosody")
    try:
        counts = {part: (count(part, MANY) - count(part, FEW)) / (MANY - FEW) for part in parts}
    except MienError as error:
        sys.exit(f"count_instructions: {error}")
    made = counts.pop("nothing")  # the workload's own sound, which every run synthesises
    for part, instructions in counts.items():
        click.echo(f"{part:10} {(instructions - made) / 1e3:8.0f} k instructions per 20 ms step on {cpu}")
    total = counts["engine"] + counts["prosody"] - 2 * made
    click.echo(f"{'total':10} {total / 1e3:8.0f} k (bar {BAR / 1e3:.0f} k; features are part of engine)")
    sys.exit(total > BAR)


if __name__ == "__main__":
    main()
