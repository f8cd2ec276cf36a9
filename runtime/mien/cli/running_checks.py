"""What `mien doctor` says of a device that a service holds: opening it a second time would tell nothing."""

from pathlib import Path

from mien.cli.checks import Finding
from mien.cli.watch import Watcher
from mien.core.bus import FaceHealth, VoiceHealth
from mien.core.degradation import Level
from mien.errors import MienError

LISTEN_S = 2.5  # each service tells its health once a second
SILENT = Level.SILENT.value


def held_devices(run_dir: Path) -> dict[str, Finding]:
    """Findings by the name of the check that they stand for, "sound" and "display", of the services that run."""
    try:
        with Watcher(run_dir) as watcher:
            watcher.listen(LISTEN_S)
            voice, face = watcher.state.voice, watcher.state.face
    except MienError:
        return {}
    found = {}
    if voice is not None:
        found["sound"] = sound_of(voice)
    if face is not None:
        found["display"] = display_of(face)
    return found


def sound_of(voice: VoiceHealth) -> Finding:
    """The sound card that the voice holds, or waits for."""
    if voice.level == SILENT:
        return Finding(
            name="sound",
            verdict="bad",
            detail=f"mien-voice ({voice.pid}) finds no card that it can use",
            remedy="journalctl -u mien-voice says why; `aplay -L` lists the devices for playback.device",
        )
    return Finding(
        name="sound",
        verdict="good",
        detail=f"mien-voice ({voice.pid}) plays on it: level {voice.level}, "
        f"{voice.counters.get('sink_underruns', 0)} underruns",
    )


def display_of(face: FaceHealth) -> Finding:
    """The screen that the face draws on."""
    if face.screen in ("blank", "off"):
        return Finding(
            name="display",
            verdict="good",
            detail=f"mien-face ({face.pid}) keeps it dark by [screen], "
            f"{'switched off' if face.screen == 'off' else 'black, since it cannot be switched off'}",
        )
    shown = face.fps > 0
    return Finding(
        name="display",
        verdict="good" if shown else "poor",
        detail=f"mien-face ({face.pid}) draws on it: {face.fps:.0f} pictures a second, {face.renderer}",
        remedy="" if shown else "journalctl -u mien-face says what it waits for",
    )
