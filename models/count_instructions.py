"""aarch64 instructions a 20 ms step of motion takes: python models/count_instructions.py --qemu-build DIR [--root DIR]

\b
The same Python runs N and M steps under qemu-user with its instruction-counting plugin; the difference divided is one
step. The figure compares versions of the code, it is no latency of a board. Needed, and said when missing:

\b
- qemu-user with plugins, which Debian's package leaves out. From Debian's source, in about fifteen minutes on two
  cores, with meson, ninja-build, flex, bison and libglib2.0-dev installed; --qemu-build is the build folder:

\b
    apt-get source qemu; mkdir build; cd build
    ../configure --target-list=aarch64-linux-user --enable-plugins --disable-system --disable-tools --disable-docs \\
        --meson=/usr/bin/meson
    ninja qemu-aarch64 tests/plugin/libinsn.so

\b
  configure stops at each firmware file of pc-bios/ that Debian's tarball leaves out: an empty file of that name does.
- an arm64 root with python3.11, numpy and tflite-runtime: `make image` leaves one in build/image/root.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from mien.bench.face_aarch64 import counting_plugin, total_instructions
from mien.errors import MienError

HERE = Path(__file__).resolve().parents[1]
FEW, MANY = 50, 250
BAR = 2_500_000
LIBRARIES = "usr/lib/aarch64-linux-gnu"

# Runs inside: `part` on speech-like noise, `count` steps after a start that every count shares.
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


class Missing(Exception):
    """Something that the measurement needs is not there."""


def need(path: Path, what: str) -> Path:
    """`path`, or Missing with what it is and where to read how to get it."""
    if not path.exists():
        raise Missing(f"{what} is missing: {path} (how to get it: {Path(__file__).name} --help)")
    return path


def find_blas(root: Path) -> Path:
    """The folder of the root's BLAS: OpenBLAS where it is installed, else the reference one."""
    folder = root / LIBRARIES
    found = sorted(folder.glob("openblas*/libblas.so.3")) or sorted(folder.glob("blas/libblas.so.3"))
    if not found:
        raise Missing(f"the root has no BLAS: {folder}/openblas*/libblas.so.3")
    return found[0].parent


def instructions(qemu: Path, root: Path, cpu: str, part: str, steps: int, model: Path) -> int:
    """What one run of the workload takes, start of Python included."""
    emulator = need(qemu / "qemu-aarch64", "qemu-user with plugins")
    plugin = counting_plugin(qemu) or need(qemu / "tests/plugin/libinsn.so", "qemu's instruction-counting plugin")
    python = need(root / "usr/bin/python3.11", "the arm64 root's Python")
    paths = [HERE / "runtime", root / "usr/lib/python3/dist-packages", root / "usr/local/lib/python3.11/dist-packages"]
    inside = {"PYTHONPATH": ":".join(map(str, paths)), "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
              "PYTHONDONTWRITEBYTECODE": "1",
              "LD_LIBRARY_PATH": f"{find_blas(root)}:{root / LIBRARIES}"}  # fmt: skip
    with tempfile.NamedTemporaryFile("r", suffix=".log") as log:
        command = [str(emulator), "-cpu", cpu, "-L", str(root), "-plugin", str(plugin), "-d", "plugin", "-D", log.name]
        for name, value in inside.items():
            command += ["-E", f"{name}={value}"]
        done = subprocess.run([*command, str(python), "-c", WORKLOAD, part, str(steps), str(model)],
                              capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            raise Missing(f"the workload failed under qemu:\n{done.stderr[-2000:]}")
        try:
            return total_instructions(Path(log.name).read_text())
        except MienError as error:
            raise Missing(str(error)) from None


@click.command(help=__doc__)
@click.option("--qemu-build", required=True, type=click.Path(path_type=Path), help="Where qemu was built.")
@click.option("--root", default=HERE / "build/image/root", type=click.Path(path_type=Path), help="The arm64 root.")
@click.option("--model", default=HERE / "models/motion/mien-standard.json", type=click.Path(path_type=Path))
@click.option("--cpu", default="cortex-a53", show_default=True, help="TFLite picks its kernels by it: -a53, -a72.")
def main(qemu_build: Path, root: Path, model: Path, cpu: str) -> None:
    try:
        counts = {
            part: (
                instructions(qemu_build, root, cpu, part, MANY, model)
                - instructions(qemu_build, root, cpu, part, FEW, model)
            ) / (MANY - FEW)
            for part in ("nothing", "features", "engine", "prosody")
        }  # fmt: skip
    except Missing as missing:
        sys.exit(f"count_instructions: {missing}")
    made = counts.pop("nothing")  # the workload's own sound, made in bulk
    for part, count in counts.items():
        click.echo(f"{part:10} {(count - made) / 1e3:8.0f} k instructions a 20 ms step on {cpu}")
    total = counts["engine"] + counts["prosody"] - 2 * made
    click.echo(f"{'in all':10} {total / 1e3:8.0f} k (bar {BAR / 1e3:.0f} k; features are part of engine)")
    sys.exit(total > BAR)


if __name__ == "__main__":
    main()
