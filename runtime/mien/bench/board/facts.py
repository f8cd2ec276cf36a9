"""The facts about a board at the head of its report: nothing that identifies the machine or its owner."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from mien import __version__
from mien.bench.board import machine
from mien.bench.board.display import Display
from mien.bench.board.figures import fact, figure, line
from mien.bench.board.report import Fact, Facts
from mien.bench.board.source import commit
from mien.config import Config
from mien.host import board
from mien.motion.interpreter import installed_interpreter

ROOT: Final = Path("/")
SECTIONS: Final = ("playback", "face", "captions")
"""The sections of the configuration that may change a figure."""
NO_TREE: Final = "no device tree"


@dataclass(frozen=True, slots=True)
class Devices:
    """What opened. display: None with the reason in no_display. no_card: why the null sink plays; "" if a card does."""

    display: Display | None
    no_display: str
    no_card: str


def facts_of(devices: Devices, config: Config, root: Path = ROOT) -> Facts:
    """The facts. config: of the services. root: where to read from."""
    display = devices.display
    interpreter = installed_interpreter()
    return Facts(
        model=fact(board.board_model(root), NO_TREE),
        processor=fact(machine.processor(root), "neither the device tree nor /proc/cpuinfo names it"),
        cores=machine.cores(),
        memory_mb=figure(machine.memory_mb(root), "the kernel does not say", 0),
        architecture=platform.machine(),
        kernel=line(platform.release()),
        distribution=fact(machine.distribution(root), "no os-release"),
        python=platform.python_version(),
        interpreter=fact("" if interpreter == "none" else interpreter, "no LiteRT or tflite-runtime is installed"),
        gl_renderer=fact(
            f"{display.device}, {display.version}" if display else "", devices.no_display or "the driver gives no name"
        ),
        screen=_screen(root),
        sound_card=_sound_card(devices.no_card, root),
        sink="null" if devices.no_card else "alsa",
        load_before=round(os.getloadavg()[0], 2),
        mien=__version__,
        commit=commit(),
        settings=settings_of(config),
    )


def settings_of(config: Config) -> tuple[str, ...]:
    """What differs from the defaults, as "face.width = 360". Paths in it are removed with those of every text."""
    usual, own = (msgspec.to_builtins(each) for each in (Config(), config))
    return tuple(
        line(f"{section}.{key} = {value}")
        for section in SECTIONS
        for key, value in own[section].items()
        if value != usual[section][key]
    )


def _screen(root: Path) -> Fact:
    connected = [f"{screen.name} {screen.mode}".strip() for screen in board.screens(root) if screen.connected]
    absent = "no screen is connected" if board.graphics_cards(root) else "no graphics card"
    return fact(", ".join(connected), absent)


def _sound_card(no_card: str, root: Path) -> Fact:
    """The cards. The reason also says why none was used: the null sink played."""
    return fact("" if no_card else "; ".join(board.sound_cards(root)), no_card or "ALSA plays, but names no card")
