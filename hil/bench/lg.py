"""A bench controlled through labgrid: its drivers for power, mux, storage and serial; our own for screen and ears."""

import time
from pathlib import Path
from typing import Any, ClassVar

import attr
from labgrid import target_factory
from labgrid.driver import Driver
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from pexpect import TIMEOUT

from hil.bench.card import MuxCard
from hil.bench.ears import PipeEars, arecord_command
from hil.bench.net import NicNet
from hil.bench.screen import PipeScreen, v4l2_command
from hil.images import newest
from hil.lg import REPOSITORY, RigHolder
from hil.qemu.console import SerialConsole
from hil.qemu.tunnel import SshTunnel
from hil.rig import Rig
from hil.voice import ClientStack


class LabgridPower:
    """labgrid's PowerProtocol as the rig's power."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._is_on = False

    def on(self) -> None:
        """Switch power on."""
        self._driver.on()
        self._is_on = True

    def cut(self) -> None:
        """Cut the power."""
        self._driver.off()
        self._is_on = False

    @property
    def is_on(self) -> bool:
        """The state requested last."""
        return self._is_on


class LabgridLine:
    """labgrid's ConsoleProtocol as a serial line."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._driver.write(data)

    def receive(self) -> bytes:
        """What arrives within 0.2 s."""
        try:
            return bytes(self._driver.read(timeout=0.2))
        except TIMEOUT:
            return b""

    def close(self) -> None:
        """Does nothing: labgrid closes the line with its target."""


@target_factory.reg_driver
@attr.s(eq=False)
class BenchRigDriver(Driver, RigHolder):
    """video, audio: capture devices of this machine. card: the mux's block device here. host: the board's address.
    nic: this machine's interface to the board. *_latency_ms: of the capture devices; hil/README.md calibrates them.
    """

    bindings: ClassVar[dict[str, object]] = {
        "power": PowerProtocol,
        "serial": ConsoleProtocol,
        "mux": {"USBSDMuxDriver", "USBSDWireDriver"},
    }
    video = attr.ib(default="/dev/video0", validator=attr.validators.instance_of(str))
    audio = attr.ib(default="plughw:CARD=Device", validator=attr.validators.instance_of(str))
    card = attr.ib(default="/dev/disk/by-id/usb-LinuxAut_sdmux", validator=attr.validators.instance_of(str))
    host = attr.ib(default="rig", validator=attr.validators.instance_of(str))
    nic = attr.ib(default="eth1", validator=attr.validators.instance_of(str))
    width = attr.ib(default=640, converter=int)
    height = attr.ib(default=360, converter=int)
    fps = attr.ib(default=60, converter=int)
    video_latency_ms = attr.ib(default=0.0, converter=float)
    audio_latency_ms = attr.ib(default=0.0, converter=float)
    key = attr.ib(default="~/.ssh/id_ed25519", validator=attr.validators.instance_of(str))

    def on_activate(self) -> None:
        """Called by labgrid when the target is acquired."""
        self.image = newest(self.target.env.config.get_image_path("card"))
        work = REPOSITORY / "build/hil/bench"
        work.mkdir(parents=True, exist_ok=True)
        size = (self.width, self.height)
        screen = PipeScreen(v4l2_command(self.video, size, self.fps), size, latency_ms=self.video_latency_ms)
        ears = PipeEars(arecord_command(self.audio), latency_ms=self.audio_latency_ms)
        tunnel = SshTunnel(work, host=self.host, port=22, key=Path(self.key).expanduser(), timeout_s=30)
        console = SerialConsole(lambda: LabgridLine(self.serial))
        card = MuxCard(Path(self.card), lambda: self.mux.set_mode("host"), lambda: self.mux.set_mode("dut"))

        def close() -> None:
            for part in (screen, ears, console, tunnel):
                part.close()

        self.rig: Rig = Rig(
            name=self.target.name,
            emulated="",
            patience=2.0,
            clock=time.monotonic_ns,
            screen=screen,
            ears=ears,
            power=LabgridPower(self.power),
            net=NicNet(self.nic),
            console=console,
            card=card,
            voice=ClientStack(tunnel.endpoint),
            close=close,
        )

    def on_deactivate(self) -> None:
        """Called by labgrid when the target is released."""
        self.rig.close()
