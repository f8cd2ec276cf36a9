"""Assembles the container board."""

import fcntl
import functools
import os
import time
from pathlib import Path
from typing import IO, Final

from hil.container.card import ContainerCard
from hil.container.console import ContainerConsole
from hil.container.ears import WavEars
from hil.container.net import VethNet
from hil.container.power import ContainerPower
from hil.container.screen import XvfbScreen
from hil.errors import RigError
from hil.mouth.process import MouthProcess
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
    work: Path, software: Path, *, display: int = 77, size: tuple[int, int] = (240, 426), memory_mb: int = 1000
) -> Rig:
    """work: a scratch folder. software: a folder for the board's software, kept between runs.

    Raises RigError if this machine cannot run a container board, or runs one already.
    """
    if os.geteuid():
        raise RigError("power", "systemd-nspawn needs root")
    work.mkdir(parents=True, exist_ok=True)
    lock = _lock(work / "lock")
    screens = Path("/tmp/.X11-unix")
    screens.mkdir(mode=0o1777, exist_ok=True)
    microphone = work / "microphone"
    microphone.mkdir(exist_ok=True)
    card = ContainerCard(work, software, display=display, size=size)
    power = ContainerPower(
        card.root, name=NAME, memory_mb=memory_mb, screens=screens, microphone=microphone, log=work / "nspawn.log"
    )
    leader = functools.partial(getattr, power, "leader")
    screen = XvfbScreen(work / "screen", display=display, size=size)

    def on_board(path: str) -> Path:
        return Path(f"/proc/{power.leader}/root/{path}")

    net = VethNet(leader)
    ears = WavEars(lambda: on_board("run/mien/ear.wav"))
    mouth = MouthProcess(work / "mouth", microphone / "ring", lambda: on_board("run/mien/ear.wav"))

    def close() -> None:
        mouth.close()
        ears.close()
        power.cut()
        screen.close()
        card.eject()
        net.close()
        lock.close()

    return Rig(
        name="container",
        emulated=EMULATED,
        patience=1.0,
        clock=time.monotonic_ns,
        screen=screen,
        ears=ears,
        power=power,
        net=net,
        console=ContainerConsole(leader),
        card=card,
        voice=ClientStack(lambda: f"ipc://{on_board('run/mien/voice.sock')}"),
        plug_screen=screen.plug,
        unplug_screen=screen.unplug,
        mouth=mouth,
        last_words=power.said,
        close=close,
    )


def _lock(path: Path) -> IO[str]:
    """Held until it is closed: name, display and address of the board exist once a machine."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise RigError("power", f"another run of the container board holds {path}; wait for its end") from None
    return file
