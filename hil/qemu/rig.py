"""Assembles the emulated board."""

import hashlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Final

from hil.mouth.plugin import alsa_configuration, microphone_plugin
from hil.mouth.process import MouthProcess
from hil.qemu.card import QemuCard
from hil.qemu.clock import GuestClock
from hil.qemu.console import SerialConsole, SocketLine
from hil.qemu.devices import ScreenCable, UsbSoundCard
from hil.qemu.ears import QemuEars
from hil.qemu.net import QemuNet
from hil.qemu.power import SSH_PORT, QemuPower
from hil.qemu.qmp import Qmp
from hil.qemu.screen import QemuScreen
from hil.qemu.tunnel import SshTunnel
from hil.qemu.viewer import resize
from hil.rig import Rig
from hil.voice import ClientStack

REAL_TIME: Final = (
    "QEMU's virt machine (Cortex-A72, translated) booting the SD-card image through U-Boot. It is 25 to "
    "500 times slower than its host and draws with the CPU: it proves function, not speed. Times "
    "are the host's. Torn writes of a real card are not modelled. Not a Raspberry Pi."
)
GUEST_TIME: Final = (
    "QEMU's virt machine in guest time (-icount shift=0): one core, one instruction a nanosecond, no caches, no GPU: "
    "drawing counts as instructions. Runs agree to about one per cent, for comparing versions. "
    "Not a Raspberry Pi's figures."
)
READY: Final = "ready"
# Portrait, so that the mouth is large. Below 200 lines QEMU's EDID has no sync pulse: Linux then drops that mode, and
# SDL chooses the largest of the others, 5120x2160, which exceeds the face's memory limit.
SIZE: Final = (128, 224)
SETTINGS: Final = """[playback]
device = "plughw:0,0"
buffer_ms = 200
[ear]
device = "plughw:1,0"
[face]
fullscreen = true
width = 0
height = 0
fps = {fps}
"""


def qemu_rig(work: Path, *, icount: bool, patience: float, fps: int = 2, size: tuple[int, int] = SIZE) -> Rig:
    """work: a scratch folder."""
    work.mkdir(parents=True, exist_ok=True)
    card = QemuCard(work, SETTINGS.format(fps=fps))
    ring = work / "microphone" / "ring"
    alsa = None if icount else _alsa(work, ring)
    power = QemuPower(work, card.path, icount=icount, size=size, alsa=alsa)
    mouth = MouthProcess(work / "mouth", ring, lambda: power.sound, player="qemu")

    def qmp() -> Qmp:
        return power.qmp

    guest = GuestClock(lambda line: qmp().monitor(line), lambda: list(qmp().run("query-pci")))
    clock = guest.now_ns if icount else time.monotonic_ns
    console = SerialConsole(lambda: SocketLine(power.serial))
    cable = ScreenCable(partial(resize, power.viewer), console, lambda: power.is_on, size, 20 * patience)
    power.started = cable.started
    screen = QemuScreen(work, qmp, clock, frozen=icount, is_in=lambda: cable.is_in)
    ears, usb_ears = QemuEars(power.sound, clock), QemuEars(power.usb_sound, clock)
    usb_card = UsbSoundCard(qmp, patience)
    tunnel = SshTunnel(work, host="127.0.0.1", port=SSH_PORT, key=card.key, timeout_s=20 * patience)

    # A saved state resumes only with the same command line: derive its name from that.
    ready = f"{READY}-{hashlib.sha256(' '.join(power.command()).encode()).hexdigest()[:8]}"

    kept = work / f"{ready}.json"

    def resume() -> dict[str, float] | None:
        if not card.has_state(ready) or not kept.exists():
            return None
        power.resume_from = ready
        try:
            power.on()
        finally:
            power.resume_from = ""
        times_s: dict[str, float] = json.loads(kept.read_text())
        return times_s

    def save(times_s: dict[str, float]) -> None:
        if not card.has_state(ready):
            power.save(ready)
            kept.write_text(json.dumps(times_s))

    def close() -> None:
        mouth.close()
        ears.close()
        usb_ears.close()
        console.close()
        tunnel.close()
        power.cut()

    return Rig(
        name="qemu-icount" if icount else "qemu-virt",
        emulated=GUEST_TIME if icount else REAL_TIME,
        patience=patience,
        clock=clock,
        screen=screen,
        ears=ears,
        power=power,
        net=QemuNet(qmp, console, patience),
        console=console,
        card=card,
        voice=ClientStack(tunnel.endpoint, timeout_s=10 * patience),
        plug_screen=cable.plug,
        unplug_screen=cable.unplug,
        plug_usb_card=usb_card.plug,
        unplug_usb_card=usb_card.unplug,
        usb_ears=usb_ears,
        mouth=mouth,
        close=close,
        resume=resume,
        save=save,
    )


def _alsa(work: Path, ring: Path) -> Path:
    """ALSA's configuration for QEMU, beside this machine's own."""
    ring.parent.mkdir(parents=True, exist_ok=True)
    library = microphone_plugin(work / "plugin")
    path = work / "asound.conf"
    path.write_text(f"</usr/share/alsa/alsa.conf>\n{alsa_configuration(str(library), str(ring))}")
    return path
