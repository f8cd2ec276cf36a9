"""The command `mien demo`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.table import Table

from mien.audio.wav import opened_path
from mien.bench.offsets import FrameTrace, first_motion_ns, offsets_ms
from mien.bench.session import Session, running_session
from mien.cli.terminal import data_console, teller
from mien.cli.video import VideoWriter, contact_sheet, draw_all
from mien.errors import MienError
from mien.host.exits import exit_codes
from mien.host.memory import pss_mb
from mien.host.stack import has_display
from mien.units import NS_PER_MS, NS_PER_S

Progress = Callable[[str], None]
FPS = 25
SIZE = (540, 960)  # of the window
LIVE_SIZE = (200, 356)  # offscreen, where the CPU renders in addition to all its other work
FILM_SIZE = (400, 712)  # redrawn afterwards from the poses that were shown
SHEET = (6, 2)  # columns, rows


@dataclass(slots=True)
class Performance:
    """The measurements of one demo: the voice stack's turns, and the memory of both services in MB PSS."""

    turns: list[dict[str, float]]
    memory: dict[str, float]


@click.command()
@click.option("--window/--no-window", default=None, help="Show a window [where there is a display].")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Directory for demo.mp4.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def demo(window: bool | None, out: Path, as_json: bool) -> None:
    """Run both services and a voice stack as three processes: a spoken conversation, then its measurements.

    Without a display the face is drawn offscreen, and demo.mp4 and demo.png are written.

    Example: mien demo --no-window --out build
    """
    console = data_console(stderr=True)
    window = has_display() if window is None else window
    with exit_codes("mien demo", OSError), tempfile.TemporaryDirectory(prefix="mien-demo-") as folder:
        sound = Path(folder, "demo.wav")
        with console.status("starting mien-voice and mien-face") as status:
            session, performance = _perform(window, sound, teller(status))
        figures = measure(session, performance)
        if not window:
            assert session.trace is not None
            out.mkdir(parents=True, exist_ok=True)
            with console.status("drawing demo.mp4") as status:
                film(session.trace, sound, out, teller(status))
            console.print(f"wrote {out / 'demo.mp4'} and {out / 'demo.png'}")
    click.echo(json.dumps(figures, indent=2)) if as_json else _print(figures)


def _perform(window: bool, sound: Path, progress: Progress) -> tuple[Session, Performance]:
    width, height = SIZE if window else LIVE_SIZE
    settings = {"face.width": str(width), "face.height": str(height), "face.fps": str(FPS), "voice.listen": "[]"}
    audible = window and _has_sound_card()
    settings |= {"playback.sink": "alsa"} if audible else {"playback.sink": "wav", "playback.wav_path": str(sound)}
    if not window:
        os.environ["SDL_VIDEODRIVER"] = "offscreen"
    with running_session(settings) as session:
        progress("the voice stack is speaking")
        turns = _run_voice_stack(str(session.client.endpoint), progress)
        processes = {"mien-voice": session.stack.voice, "mien-face": session.stack.face}
        memory = {name: pss_mb(process.pid) for name, process in processes.items() if process is not None}
        time.sleep(1.0)
    return session, Performance(turns, memory)


def _run_voice_stack(endpoint: str, progress: Progress) -> list[dict[str, float]]:
    command = [sys.executable, "-m", "mien.cli.voice_stack", endpoint]
    turns = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stack:
        assert stack.stdout is not None
        for line in stack.stdout:
            turns.append(json.loads(line))
            progress(f"heard: {turns[-1]['text']}")
    if stack.returncode or not turns:
        raise MienError(f"the voice stack exited with {stack.returncode}")
    return turns


def _has_sound_card() -> bool:
    return shutil.which("aplay") is not None or Path("/proc/asound/card0").exists()


def measure(session: Session, performance: Performance) -> dict[str, float | int | None]:
    """The demo's measurements. Latencies in ms from the first chunk sent, offsets in ms."""
    pictures = session.trace
    assert pictures is not None
    _, offsets = offsets_ms(pictures, session.probe.anchors)
    sounds = [turn["latency_ms"] for turn in performance.turns if turn["latency_ms"] is not None]
    seen = [
        (first_motion_ns(pictures, int(turn["sent_ns"]), int(turn["finished_ns"])), turn["sent_ns"])
        for turn in performance.turns
    ]
    motions = [(when - sent) / NS_PER_MS for when, sent in seen if when is not None]
    face = session.probe.faces[-1]
    return {
        "turns": len(performance.turns),
        "first_sound_ms": _median(sounds),
        "first_motion_ms": _median(motions),
        "av_offset_median_ms": _median(list(offsets)),
        "av_offset_p95_ms": round(float(np.percentile(np.abs(offsets), 95)), 2) if len(offsets) else None,
        "frames_shown": face.shown,
        "frames_missed": face.missed,
        **{f"{name.replace('-', '_')}_pss_mb": round(value, 1) for name, value in performance.memory.items()},
    }


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def film(pictures: FrameTrace, sound: Path, out: Path, progress: Progress, *, name: str = "demo") -> int:
    """Write NAME.mp4 and NAME.png from what the face showed: each pose at the time it was visible.

    Returns when the film begins, in ns.
    """
    from mien.avatar.load import load_avatar
    from mien.render.gles import GlesRenderer

    opened_ns = int(opened_path(sound).read_text(encoding="ascii"))
    first = int(np.argmax(pictures.visible_ns >= opened_ns))
    start_ns, end_ns = int(pictures.visible_ns[first]), int(pictures.visible_ns[-1])
    at_ns = np.arange(start_ns, end_ns, NS_PER_S // FPS)
    rows = np.maximum(np.searchsorted(pictures.visible_ns, at_ns + NS_PER_MS) - 1, 0)
    renderer = GlesRenderer(load_avatar(None), width=FILM_SIZE[0], height=FILM_SIZE[1], title="mien demo")
    writer = VideoWriter(
        out / f"{name}.mp4",
        width=FILM_SIZE[0],
        height=FILM_SIZE[1],
        fps=FPS,
        sound=sound,
        sound_skip_s=(start_ns - opened_ns) / NS_PER_S,
    )
    speaking = rows[pictures.media_ns[rows] > 0]
    shown = set(speaking[np.linspace(0, len(speaking) - 1, SHEET[0] * SHEET[1]).astype(int)].tolist())
    kept = []
    for number, row in enumerate(rows.tolist()):
        drawn = draw_all(renderer, [pictures.poses[row]], writer, 1)
        if row in shown:
            shown.discard(row)
            kept += drawn
        progress(f"drawing {name}.mp4, {100 * number // len(rows)} %")
    writer.close()
    renderer.close()
    contact_sheet(kept, SHEET[0], out / f"{name}.png")
    return start_ns


def _print(figures: dict[str, float | int | None]) -> None:
    table = Table("measured", "")
    for name, value in figures.items():
        table.add_row(
            name.replace("_ms", ", ms").replace("_mb", ", MB").replace("_", " "),
            "none" if value is None else str(value),
        )
    data_console().print(table)
