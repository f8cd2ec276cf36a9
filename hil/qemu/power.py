"""The emulated board's power: QEMU, started and killed."""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hil.errors import RigError
from hil.qemu.devices import USB_SOUND
from hil.qemu.emulator import emulator
from hil.qemu.qmp import Qmp

PART: Final = "power"
BIOS: Final = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
SSH_PORT: Final = 2226
# What the guest flushes goes to this machine's page cache, not to its disk. Killing QEMU loses nothing from there, so a
# cut is equivalent to "writeback", without waiting for this machine's disk.
CACHE: Final = "unsafe"


# A card of its own: the wav backend of the speaker's captures nothing. QEMU opens the PCM when the guest does.
MICROPHONE: Final = (
    "-audiodev",
    "alsa,id=microphone,in.dev=microphone,in.frequency=48000,in.channels=1,in.format=s16,in.buffer-length=100000,"
    "in.period-length=10000,in.try-poll=off,out.dev=null,out.try-poll=off",
    "-device",
    "intel-hda,id=hda-microphone",
    "-device",
    "hda-micro,bus=hda-microphone.0,audiodev=microphone",
)


class QemuPower:
    """work: a scratch folder. card: the disk. icount: one core; guest time counts instructions, one per ns.

    alsa: this machine's ALSA configuration with a PCM `microphone`, which becomes the guest's second sound card.
    """

    def __init__(
        self,
        work: Path,
        card: Path,
        *,
        icount: bool,
        size: tuple[int, int] = (320, 240),
        alsa: Path | None = None,
        extra: tuple[str, ...] = (),
    ) -> None:
        self.sound = work / "out.wav"
        self.usb_sound = work / "usb.wav"
        self.serial = work / "serial.sock"
        self.viewer = work / "vnc.sock"
        self._work = work
        self._card = card
        self._icount = icount
        self._size = size
        self._alsa = alsa
        self._extra = extra
        self.resume_from = ""  # name of a state saved by save(): power on resumes it
        self.started: Callable[[], None] = lambda: None  # called after power on
        self._process: subprocess.Popen[bytes] | None = None
        self._qmp: Qmp | None = None

    @property
    def is_on(self) -> bool:
        """Whether QEMU runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def qmp(self) -> Qmp:
        """QEMU's machine protocol. Raises RigError if the board is off."""
        if self._qmp is None or not self.is_on:
            raise RigError(PART, "the board is off")
        return self._qmp

    def on(self) -> None:
        """Start QEMU; no effect if it runs."""
        if self.is_on:
            return
        if not self._card.exists():
            raise RigError(PART, "the board has no card: flash it first")
        for old in (self.sound, self.usb_sound, self.serial, self.viewer, self._work / "qmp.sock"):
            old.unlink(missing_ok=True)
        with (self._work / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | ({} if self._alsa is None else {"ALSA_CONFIG_PATH": str(self._alsa)}),
            )
        favour(self._process.pid)
        self._qmp = Qmp(self._work / "qmp.sock")
        self.started()

    def cut(self) -> None:
        """Kill QEMU: what the guest has not yet written to its disk is lost; there are no torn sectors."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._qmp is not None:
            self._qmp.close()
            self._qmp = None

    def save(self, name: str) -> None:
        """Save the running board's state, memory included, in the card file. Raises RigError."""
        said = self.qmp.monitor(f"savevm {name}").strip()
        if said:
            raise RigError(PART, f"savevm: {said}")

    def command(self) -> list[str]:
        """QEMU's command line."""
        width, height = self._size
        time_flows = (
            ["-smp", "1", "-icount", "shift=0,sleep=off", "-rtc", "clock=vm"] if self._icount else ["-smp", "2"]
        )
        return [
            "setpriv", "--pdeathsig", "KILL",  # QEMU ends with the test process
            *emulator(), "-M", "virt", "-cpu", "cortex-a72", "-m", "1G", *time_flows,
            "-display", "none", *(() if self._icount else ("-vnc", f"unix:{self.viewer}")), "-bios", BIOS,
            "-drive", f"if=none,id=card,file={self._card},format=qcow2,cache={CACHE}",
            "-device", "virtio-blk-pci,drive=card",
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{SSH_PORT}-:22",
            "-device", "virtio-net-pci,netdev=net,id=nic,romfile=",
            "-device", "virtio-rng-pci", "-device", f"virtio-gpu-pci,id=gpu,xres={width},yres={height}",
            "-audiodev", f"wav,id=sound,path={self.sound},out.frequency=48000",
            "-device", "intel-hda", "-device", "hda-duplex,audiodev=sound",
            *(() if self._alsa is None else MICROPHONE),
            "-device", "qemu-xhci", "-audiodev", f"wav,id={USB_SOUND},path={self.usb_sound},out.frequency=48000",
            "-device", "i6300esb", "-watchdog-action", "reset",
            "-chardev", f"socket,id=serial,path={self.serial},server=on,wait=off,logfile={self._work / 'serial.log'}",
            "-serial", "chardev:serial", "-monitor", "none",
            "-qmp", f"unix:{self._work / 'qmp.sock'},server=on,wait=off",
            *(("-loadvm", self.resume_from) if self.resume_from else ()), *self._extra,
        ]  # fmt: skip


def favour(pid: int) -> None:
    """Set QEMU's share of a busy machine (sched(7), autogroups) from MIEN_HIL_AUTOGROUP, -20..19, if permitted."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(os.environ.get("MIEN_HIL_AUTOGROUP", "-5"))
