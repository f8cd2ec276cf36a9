"""Prepares a run: folders, keys, free ports, settings. Starts nothing."""

import resource
import socket
from pathlib import Path
from typing import Final

from chaos.ear import Ear
from chaos.places import Places
from chaos.processes import Processes
from chaos.turns import TurnBook
from chaos.violation import Verdicts
from chaos.watchers import BusWatch, EarWatch, SystemdSocket
from chaos.world import World
from mien.bench.coded import RATE_HZ
from mien.config import Config
from mien.core.wire import Role
from mien.transport.keys import KeyFolder

FADE_MS: Final = 1
TURN_PATIENCE_S: Final = 45.0
DESCRIPTORS: Final = 4096
CURVE_HOST: Final = (
    "127.1"  # 127.0.0.1 in a notation that mien does not recognise as loopback, so that the endpoint requires keys
)
CLIENTS: Final[tuple[tuple[str, Role], ...]] = (
    ("bot", "speaker"),
    ("ada", "agent"),
    ("eve", "observer"),
    ("kim", "speaker"),
)
# Limits that are minutes on a kiosk, shortened where the release has them.
SHORT: Final = {"voice.max_pause_ms": "3000", "voice.floor_idle_timeout_ms": "10000"}


def make_world(seed: int, verdicts: Verdicts) -> World:
    """Raises OSError if this machine cannot host a run."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard) if hard > 0 else DESCRIPTORS, hard))
    places = Places()
    _make_keys(places.root / "keys")
    tcp, curve = _free_ports(2)
    systemd = SystemdSocket(places.root / "systemd.sock")
    processes = Processes(_settings(places, tcp, curve), places["logs"], places["sound"], systemd.environment)
    run_dir = places["run"]
    return World(
        seed=seed,
        places=places,
        processes=processes,
        verdicts=verdicts,
        systemd=systemd,
        bus=BusWatch(run_dir),
        ears=EarWatch(run_dir),
        ear=Ear(FADE_MS * RATE_HZ // 1000, verdicts.add),
        book=TurnBook(TURN_PATIENCE_S, verdicts.add),
        doors={
            "tcp": ["127.0.0.1", tcp],
            "curve": ["127.0.0.1", curve],
            "ipc": str(run_dir / "voice.sock"),
            "bus": str(run_dir / "bus.sock"),
            "report": str(run_dir / "report.sock"),
            "far_end": str(run_dir / "far-end.sock"),
            "ear": str(run_dir / "ear.sock"),
            "keys": str(places["keys"]),
        },
        endpoints={
            "tcp": f"tcp://127.0.0.1:{tcp}",
            "curve": f"tcp://127.0.0.1:{curve}",
            "ipc": f"ipc://{run_dir / 'voice.sock'}",
        },
    )


def _settings(places: Places, tcp: int, curve: int) -> dict[str, str]:
    settings = {
        "run_dir": str(places["run"]),
        "voice.listen": f'["tcp://127.0.0.1:{tcp}", "tcp://{CURVE_HOST}:{curve}"]',
        "access.keys": str(places["keys"]),
        "playback.sink": "wav",
        "playback.rate_hz": str(RATE_HZ),
        "playback.fade_ms": str(FADE_MS),
        "playback.buffer_ms": "100",
        "voice.turn_idle_timeout_ms": "5000",
        "voice.floor_vanish_timeout_ms": "2000",
        "journal.enabled": "true",
        "journal.folder": str(places["journal"] / "log"),
        "journal.max_file_kb": "16",
        "journal.audio": "true",
        "journal.audio_max_mb": "1",
        "ear.source": "null",
        "face.width": "128",
        "face.height": "160",
        "face.fps": "15",
        "captions.enabled": "true",
        "face.avatar": str(places["face"] / "default.mien-avatar"),
        "face.model": str(places["face"] / "mien-standard.json"),
    }
    return settings | {key: value for key, value in SHORT.items() if _exists(key)}


def _exists(key: str) -> bool:
    section, _, name = key.partition(".")
    return hasattr(getattr(Config(), section), name)


def _make_keys(folder: Path) -> None:
    keys = KeyFolder(folder)
    keys.make_voice_pair()
    for name, role in CLIENTS:
        keys.make_client(name, role, folder / "clients")


def _free_ports(count: int) -> list[int]:
    """Currently unused ports."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
