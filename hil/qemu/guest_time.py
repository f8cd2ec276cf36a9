"""Measurements in guest time: latency, offset, barge-in, cost of a frame, to about one per cent.

    python -m hil.qemu.guest_time IMAGE [--runs 2]

The image is copied and a unit that takes the measurements is added. Nothing reaches the board from outside while it
runs (no network, no entropy, no keyboard), so with QEMU's -icount runs agree to about 1 %; the rest is due to the disk,
which answers in host time. The face uses the headless renderer: everything but rasterisation, which a board's GPU does.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from hil.analysis.onsets import first_sound_ns, stopped_ns
from hil.captured import Sound
from hil.errors import RigError
from hil.images import fingerprint
from hil.process import run
from hil.qemu.emulator import emulator
from hil.qemu.kept_runs import KeptRuns
from hil.qemu.power import favour
from hil.report.findings import Findings

HERE: Final = Path(__file__).resolve().parent
OUT: Final = HERE.parents[1] / "build/hil"
ROOT_AT: Final = 132 * 2**20  # firmware_scripts/settings.sh: root A
MOST_S: Final = 2400.0
RATE_HZ: Final = 48_000
EMULATED: Final = (
    "QEMU's virt machine in guest time (-icount shift=0): one core, one instruction a nanosecond, no caches, no GPU. "
    "The SD-card image with a measuring unit added and without U-Boot; no rasterisation (headless renderer); sound "
    "card: an emulated Intel HDA. Offsets are those of the face's schedule: no display is involved. "
    "Figures are for comparing versions. Not a Raspberry Pi's."
)
# The disk answers in host time, and idle guest time until then is skipped.
INFLATED: Final = "uptime when voice and face were ready (inflated, do not compare) [s]"
KERNEL_FILES: Final = ("vmlinuz", "initrd.img")
# firmware_scripts/boot/boot.cmd's
BOOT_ARGUMENTS: Final = (
    "root=PARTUUID=6d69656e-02 ro rootwait rauc.slot=A console=tty0 console=ttyAMA0 net.ifnames=0 quiet loglevel=3 "
    "vt.global_cursor_default=0 consoleblank=0 systemd.getty_auto=0 panic=10"
)
FILES: Final = {
    "/usr/lib/mien/rig-measure.py": "rig-measure.py",
    "/usr/lib/systemd/system/rig-measure.service": "rig-measure.service",
    "/usr/lib/systemd/system/mien-face.service.d/zz-rig.conf": "face.conf",
    "/usr/lib/systemd/system/mien-voice.service.d/zz-rig.conf": "voice.conf",
}


def prepare(image: Path, card: Path, files: Mapping[str, str] = FILES, unit: str = "rig-measure.service") -> None:
    """A copy of the image with a measuring unit in root A. files: path -> name in guest/. Raises RigError."""
    run("card", "cp", "--sparse=always", str(image), str(card), timeout_s=600)
    run("card", "truncate", "-s", "4G", str(card))
    folders = [
        "/usr/lib/systemd/system/mien-face.service.d",
        "/usr/lib/systemd/system/mien-voice.service.d",
        "/usr/lib/systemd/system/multi-user.target.wants",
    ]
    lines = [f"mkdir {folder}" for folder in folders]
    lines += [f"write {HERE / 'guest' / name} {path}" for path, name in files.items()]
    lines.append(f"symlink /usr/lib/systemd/system/multi-user.target.wants/{unit} ../{unit}")
    done = subprocess.run(
        ["debugfs", "-w", f"{card}?offset={ROOT_AT}"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    _dump_kernel(card)
    if done.returncode or unit not in run(
        "card", "debugfs", "-R", "ls /usr/lib/systemd/system", f"{card}?offset={ROOT_AT}"
    ):
        raise RigError("card", f"debugfs: {done.stderr.strip()[-300:]}")


def _dump_kernel(card: Path) -> None:
    """Extract root A's kernel and initrd, to boot without U-Boot: its countdown alone takes 2e9 instructions."""
    root = f"{card}?offset={ROOT_AT}"
    for name in KERNEL_FILES:
        held = run("card", "debugfs", "-R", "ls -p /boot", root)
        found = [line.split("/")[5] for line in held.splitlines() if f"/{name}-" in line]
        if found:
            run("card", "debugfs", "-R", f"dump /boot/{found[0]} {card.with_name(name)}", root)


def command(work: Path) -> list[str]:
    """QEMU's command line, without any source of variation between runs."""
    return [
        "setpriv", "--pdeathsig", "KILL",
        *emulator(), "-M", "virt,dtb-randomness=off", "-cpu", "cortex-a72", "-m", "1G", "-smp", "1",
        "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-display", "none", "-nic", "none",
        "-kernel", str(work / KERNEL_FILES[0]), "-initrd", str(work / KERNEL_FILES[1]), "-append", BOOT_ARGUMENTS,
        "-drive", f"if=none,id=card,file={work / 'card.raw'},format=raw,snapshot=on",
        "-device", "virtio-blk-pci,drive=card",
        "-audiodev", f"wav,id=sound,path={work / 'out.wav'},out.frequency={RATE_HZ}",
        "-device", "intel-hda", "-device", "hda-output,audiodev=sound",
        "-serial", f"file:{work / 'serial.log'}", "-monitor", "none", "-no-reboot",
    ]  # fmt: skip


def run_board(work: Path, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Run QEMU until the board switches itself off. Returns its records; raises RigError if the last is not "end"."""
    board = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, start_new_session=True)
    favour(board.pid)
    try:
        board.wait(MOST_S)
    except subprocess.TimeoutExpired as error:
        board.kill()
        raise RigError("power", f"{error}; the serial line last said {_serial(work)[-300:]!r}") from None
    told = told_lines(work)
    if not told or told[-1]["kind"] != "end":
        raise RigError("board", f"the measurement did not end: {told[-1:] or _serial(work)[-300:]}")
    return told


def measure(work: Path) -> dict[str, Any]:
    """Run once. Returns figures by name. Raises RigError with the last output of the serial line."""
    began = time.monotonic()
    told = run_board(work, command(work))
    return {**figures(told, heard(work / "out.wav", told)), "host seconds": round(time.monotonic() - began, 1)}


def heard(path: Path, told: list[dict[str, Any]]) -> Sound:
    """QEMU's recording on the guest's clock: the kernel's stream position says which sample was played when."""
    data = path.read_bytes()[44:]
    pcm = np.frombuffer(data[: len(data) // 4 * 4], dtype="<i2")[::2]
    at = next(line for line in told if line["kind"] == "pointer" and line["state"] == "RUNNING")
    return Sound(round(at["at_s"] * 1e9) - round(at["hw_frames"] * 1e9 / RATE_HZ), RATE_HZ, pcm)


def figures(told: list[dict[str, Any]], sound: Sound) -> dict[str, Any]:
    """Figures from the board's records and the recording."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for line in told:
        by_kind.setdefault(line["kind"], []).append(line)
    firsts, stops = [], []
    for turn in by_kind["turn"]:
        sent_ns = round(turn["sent_s"] * 1e9)
        onset = first_sound_ns(sound.between(sent_ns, sent_ns + 1_000_000_000))
        firsts.append((onset - sent_ns) / 1e6 if onset else float("nan"))
    for cut in by_kind["cut"]:
        sent_ns = round(cut["sent_s"] * 1e9)
        stop = stopped_ns(sound, sent_ns, quiet_ms=150)
        stops.append((stop - sent_ns) / 1e6 if stop else float("nan"))
    cost = by_kind["cost"][0]
    found: dict[str, Any] = {
        INFLATED: by_kind["up"][0]["uptime_s"],
        "first audio to first sound at the card, median [ms]": float(np.median(firsts)),
        "first audio to first sound, as reported by the voice, median [ms]": float(
            np.median([t["latency_ms"] for t in by_kind["turn"]])
        ),
        "barge-in to silence at the card, median [ms]": float(np.median(stops)),
        "barge-in to silence at the card, maximum [ms]": float(np.max(stops)),
        "barge-in to the client being told, median [ms]": float(
            np.median([1000 * (c["told_s"] - c["sent_s"]) for c in by_kind["cut"]])
        ),
        "voice: CPU time per second of conversation [ms]": cost["cpu_ms"]["mien-voice"] / cost["seconds"],
        "face without rasterisation: CPU time per frame [ms]": cost["cpu_ms"]["mien-face"] / max(1, cost["frames"]),
        "face: frames per second": cost["frames"] / cost["seconds"],
        "sink underruns": by_kind["voice"][0]["counters"].get("sink_underruns", 0),
    }
    if "frames" in by_kind:
        frames = by_kind["frames"][0]
        found["first audio to first visible motion, median [ms]"] = float(np.median(frames["motion_ms"]))
        found["A/V offset by the face's trace, median [ms]"] = frames["offset_ms"]
        found["A/V offset by the face's trace, 95th percentile [ms]"] = frames["offset_p95_ms"]
        found["frames in that"] = frames["count"]
    if "face" in by_kind and by_kind["face"][0]["offsets_ms"]:
        face = by_kind["face"][0]
        found["A/V offset, as reported by the face, median [ms]"] = float(np.median(face["offsets_ms"]))
        found["A/V offset, 95th percentile of the worst second [ms]"] = float(np.max(face["p95_ms"]))
    return found


def _serial(work: Path) -> str:
    path = work / "serial.log"
    return path.read_text(errors="replace") if path.exists() else ""


def told_lines(work: Path) -> list[dict[str, Any]]:
    """The records on the serial line."""
    return [json.loads(line.split("@@rig ", 1)[1]) for line in _serial(work).splitlines() if "@@rig {" in line]


def compared(values: list[Any]) -> str:
    """How well the runs agree, for the report."""
    if len(values) < 2:
        return "one run"
    if len(set(values)) == 1:
        return f"the same at {len(values)} runs"
    return f"runs: {', '.join(f'{value:.6g}' for value in values)}"


def main() -> int:
    """Measure, and compare with earlier runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--runs", type=int, default=2, help="counting stored ones; at least one is made")
    given = parser.parse_args()
    work = OUT / "guest-time"
    work.mkdir(parents=True, exist_ok=True)
    found = Findings(rig="qemu-icount", emulated=EMULATED)
    found.identity["image"] = given.image.name
    found.identity["image SHA-256"] = fingerprint(given.image)
    kept = KeptRuns(work / "runs.json", given.image, (HERE / "guest").iterdir(), command(work))
    began, outcome, why = time.monotonic(), "passed", ""
    try:
        prepare(given.image, work / "card.raw")
        for _ in range(max(1, given.runs - len(kept.runs()))):
            kept.add(measure(work))
        found.waveform("What the emulated sound card played", heard(work / "out.wav", told_lines(work)))
    except RigError as error:
        outcome, why = "failed", str(error)
    runs = kept.runs()
    for name in runs[-1] if runs else ():
        found.figure(name, runs[-1][name], note=compared([run[name] for run in runs]))
    found.results.append({"name": "guest time", "outcome": outcome, "seconds": time.monotonic() - began, "why": why})
    found.save(OUT / "qemu-icount.findings.json")
    print(json.dumps({"runs": runs, "why": why}, indent=1))
    return 0 if outcome == "passed" else 1


if __name__ == "__main__":
    sys.exit(main())
