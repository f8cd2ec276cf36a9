"""The container board's card: an overlay with mien over the host's root, which is read-only."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Final

from hil.captured import NS_PER_MS
from hil.container.software import BoardSoftware
from hil.mouth.plugin import NAME as PLUGIN
from hil.mouth.plugin import alsa_configuration, microphone_plugin
from hil.mouth.ring import LATENCY_NS
from hil.process import run

PART: Final = "card"
MOST_MIB: Final = 96  # as small as a card's data partition, so that filling it is quick
LAUNCHER: Final = """#!/opt/mien/bin/python3
import sys

from mien.{module} import main

sys.exit(main())
"""
PROGRAMS: Final = {
    "mien": "cli",
    "mien-voice": "voice.__main__",
    "mien-face": "face.__main__",
    "mien-ear": "ear.__main__",
    "mien-link": "link.__main__",
    "mien-board-control": "host.board_control",
}
MICROPHONE: Final = "/run/microphone"  # where the board finds the memory of its virtual microphone
PLUGINS: Final = "usr/lib/mien-rig"
# SDL's X11 window instead of KMSDRM. On X11, unlike KMSDRM, eglGetDisplay() calls mincore().
FACE_DROP_IN: Final = """[Service]
Environment=SDL_VIDEODRIVER=x11 DISPLAY=:{display}
BindPaths=/run/screen:/tmp/.X11-unix
SystemCallFilter=mincore
"""
SETTINGS: Final = """[playback]
sink = "wav"
wav_path = "/run/mien/ear.wav"
buffer_ms = 60
[face]
width = {width}
height = {height}
[ear]
device = "microphone"
delay_ms = {delay_ms:.1f}
[barge_in]
mode = "interrupt"
"""
# The board is no copy of this machine: it starts and mounts nothing of what somebody enabled here.
HOSTS_FOLDERS: Final = ("etc/systemd/system", "etc/systemd/network", "etc/cron.d", "var/log/journal")
HOSTS_FILES: Final = ("etc/fstab", "etc/crypttab", "etc/rc.local")
RUN_LEVELS: Final = "etc/rc?.d"
MACHINE: Final = "6d69656e6d69656e6d69656e6d69656e"


class ContainerCard:
    """work: an empty folder for the overlay. software: where the board's software is kept between runs."""

    def __init__(self, work: Path, software: Path, *, display: int, size: tuple[int, int]) -> None:
        self.root = work / "root"
        self._work = work
        self._software = BoardSoftware(software)
        self._display = display
        self._size = size
        self._sha256 = ""

    def flash(self, image: Path) -> None:
        """Start from an empty layer over the wheel `image`, installed. The board must be off."""
        self.eject()
        self._software.install(image)
        for folder in ("below", "layer", "root"):
            (self._work / folder).mkdir(parents=True, exist_ok=True)
        run(PART, "mount", "--bind", "-o", "ro", "/", str(self._work / "below"))
        run(PART, "mount", "-t", "tmpfs", "-o", f"size={MOST_MIB}m,mode=755", "mien-card", str(self._work / "layer"))
        for folder in ("upper", "work"):
            (self._work / "layer" / folder).mkdir(mode=0o755)
        layers = f"lowerdir={self._work}/below,upperdir={self._work}/layer/upper,workdir={self._work}/layer/work"
        run(PART, "mount", "-t", "overlay", "mien-board", "-o", layers, str(self.root))
        self._sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
        self._forget_the_host()
        # No layer of the overlay: overlayfs refuses one that lies within another, as the checkout lies within /.
        place = self.root / "opt/mien"
        place.mkdir(parents=True, exist_ok=True)
        run(PART, "mount", "--bind", "-o", "ro", str(self._software.folder), str(place))
        self._install(image)

    def sha256(self) -> str:
        """SHA-256 of the wheel flashed last; "" before the first."""
        return self._sha256

    def eject(self) -> None:
        """Unmount and discard the layer; may be called twice."""
        for folder in ("root/opt/mien", "root", "layer", "below"):
            while subprocess.run(["mountpoint", "-q", str(self._work / folder)], check=False).returncode == 0:
                run(PART, "umount", str(self._work / folder))

    def _forget_the_host(self) -> None:
        for folder in (*(self.root / name for name in HOSTS_FOLDERS), *self.root.glob(RUN_LEVELS)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for name in HOSTS_FILES:
            (self.root / name).unlink(missing_ok=True)
        self._put("etc/cloud/cloud-init.disabled", "")
        self._put("etc/machine-id", f"{MACHINE}\n")

    def _install(self, wheel: Path) -> None:
        run(PART, "sh", str(self._software.data / "install.sh"), str(self.root))
        # The board would make the users itself only if it found /usr newer than /etc.
        run(PART, "systemd-sysusers", f"--root={self.root}", "mien.conf")
        for name, module in PROGRAMS.items():
            self._put(f"usr/bin/{name}", LAUNCHER.format(module=module)).chmod(0o755)
        self._put("etc/systemd/system/mien-face.service.d/rig.conf", FACE_DROP_IN.format(display=self._display))
        width, height = self._size
        self._put("etc/mien/mien.toml", SETTINGS.format(width=width, height=height, delay_ms=LATENCY_NS / NS_PER_MS))
        self._fit_microphone()
        self._put("etc/mien-release", f"NAME=mien\nVERSION_ID={wheel.name.split('-')[1]}\n")
        units = self.root / "etc/systemd/system"
        (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
        (units / "multi-user.target.wants").mkdir()
        (units / "multi-user.target.wants/mien.target").symlink_to("/usr/lib/systemd/system/mien.target")

    def _fit_microphone(self) -> None:
        library = self.root / PLUGINS / PLUGIN
        library.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(microphone_plugin(self._software.folder.with_name("plugin")), library)
        self._put("etc/asound.conf", alsa_configuration(f"/{PLUGINS}/{PLUGIN}", f"{MICROPHONE}/ring"))

    def _put(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # never through a link
        target.write_text(text)
        target.chmod(0o644)
        return target
