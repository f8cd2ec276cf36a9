"""Assembles the container board."""

import functools
import os
import subprocess
import time
from pathlib import Path
from typing import Final

from hil.container.card import ContainerCard
from hil.container.console import ContainerConsole
from hil.container.ears import WavEars
from hil.container.net import VethNet
from hil.container.power import ContainerPower
from hil.container.screen import XvfbScreen
from hil.errors import RigError
from hil.rig import Rig
from hil.voice import ClientStack

NAME: Final = "mienboard"
EMULATED: Final = (
    "A container on the machine that ran the tests (systemd-nspawn): real systemd, the real units and sandboxes, real "
    "time, this machine's processor and kernel. The screen is an X server's frame buffer, drawn by llvmpipe; the sound "
    "card is mien's own WAV sink; the card keeps what a real power cut would lose from the page cache; a unit's own "
    "memory limit is not enforced, the board's whole memory is. Not a Raspberry Pi."
)


def container_rig(
    work: Path, repository: Path, *, display: int = 77, size: tuple[int, int] = (240, 426), memory_mb: int = 1000
) -> Rig:
    """work: a scratch folder. Raises RigError if this machine cannot run a container board."""
    if os.geteuid():
        raise RigError("power", "systemd-nspawn needs root")
    work.mkdir(parents=True, exist_ok=True)
    screens = Path("/tmp/.X11-unix")
    screens.mkdir(mode=0o1777, exist_ok=True)
    card = ContainerCard(work, repository, display=display, size=size)
    power = ContainerPower(card.root, name=NAME, memory_mb=memory_mb, screens=screens, log=work / "nspawn.log")
    leader = functools.partial(getattr, power, "leader")
    screen = XvfbScreen(work / "screen", display=display, size=size)

    def on_board(path: str) -> Path:
        return Path(f"/proc/{power.leader}/root/{path}")

    ears = WavEars(lambda: on_board("run/mien/ear.wav"))

    def close() -> None:
        ears.close()
        power.cut()
        screen.close()
        card.eject()
        subprocess.run(["ip", "link", "del", f"ve-{NAME}"], check=False, capture_output=True)

    return Rig(
        name="container",
        emulated=EMULATED,
        patience=1.0,
        clock=time.monotonic_ns,
        screen=screen,
        ears=ears,
        power=power,
        net=VethNet(NAME, leader),
        console=ContainerConsole(leader),
        card=card,
        voice=ClientStack(lambda: f"ipc://{on_board('run/mien/voice.sock')}"),
        plug_screen=screen.plug,
        unplug_screen=screen.unplug,
        close=close,
    )
