"""Facts about the board, read from /sys, /proc, /run.

Every function takes the root to read from, normally "/". Missing files mean an empty result: a desktop has no
throttling register, a container no thermal zone.
"""

import os
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")

THROTTLED: Final = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of the Pi firmware's get_throttled for now. Sixteen bits higher: at some time since boot."""
SINCE_BOOT: Final = 16


@dataclass(frozen=True, slots=True)
class Screen:
    """A connector of a graphics card. mode: the preferred mode, such as "1920x1080"; "" if disconnected."""

    name: str
    connected: bool
    mode: str


@dataclass(frozen=True, slots=True)
class Power:
    """Problems with supply or temperature; empty without any. source: where the information comes from."""

    now: tuple[str, ...]
    since_boot: tuple[str, ...]
    source: str


def board_model(root: Path = ROOT) -> str:
    """The board's name in the device tree, such as "Raspberry Pi 4 Model B Rev 1.4"; "" without one."""
    return _read(root / "proc/device-tree/model").rstrip("\0")


def screens(root: Path = ROOT) -> list[Screen]:
    """Every connector of every graphics card, by name."""
    found = []
    for path in sorted((root / "sys/class/drm").glob("card*-*")):
        status = _read(path / "status")
        modes = _read(path / "modes").split()
        found.append(Screen(path.name.partition("-")[2], status == "connected", modes[0] if modes else ""))
    return found


def graphics_cards(root: Path = ROOT) -> list[Path]:
    """The device files of the graphics cards."""
    return sorted((root / "dev/dri").glob("card*"))


def sound_cards(root: Path = ROOT) -> list[str]:
    """The ALSA cards, such as "0 vc4hdmi: vc4-hdmi-0"."""
    rows = re.findall(r"^ *(\d+) \[(\S+) *\]: .*? - (.*)$", _read(root / "proc/asound/cards"), re.MULTILINE)
    return [f"{number} {name}: {what}" for number, name, what in rows]


def sound_devices(root: Path = ROOT) -> list[Path]:
    """The device files of playback devices."""
    return sorted((root / "dev/snd").glob("pcm*p"))


def power(root: Path = ROOT, *, vcgencmd: bool = True) -> Power | None:
    """From the vendor kernel's register, vcgencmd, or the mainline kernel's alarm; None without any of them.

    vcgencmd: whether that program may be started.
    """
    for path in sorted((root / "sys/devices/platform/soc").glob("soc:firmware/get_throttled")):
        return _from_register(int(_read(path) or "0", 16), "get_throttled")
    register = _vcgencmd(root) if vcgencmd else None
    if register is not None:
        return _from_register(register, "vcgencmd")
    for path in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if _read(path / "name") == "rpi_volt":
            alarm = _read(path / "in0_lcrit_alarm") == "1"
            return Power((), ("under-voltage",) if alarm else (), "rpi_volt")
    return None


def hottest_c(root: Path = ROOT) -> float | None:
    """The temperature of the hottest thermal zone in degrees Celsius; None without zones."""
    zones = [_read(path / "temp") for path in (root / "sys/class/thermal").glob("thermal_zone*")]
    values = [int(text) / 1000 for text in zones if re.fullmatch(r"-?\d+", text)]
    return max(values, default=None)


def clock_was_set(root: Path = ROOT) -> bool | None:
    """Whether systemd-timesyncd has set the clock since boot; None if it does not run."""
    folder = root / "run/systemd/timesync"
    return (folder / "synchronized").exists() if folder.is_dir() else None


def may_use(user: str, path: Path, root: Path = ROOT) -> bool:
    """Whether the account may read and write the file, by owner, group and mode; access lists are ignored."""
    status = path.stat()
    uid, gids = _account(user, root)
    if uid == 0:
        return True
    if status.st_uid == uid:
        wanted = stat.S_IRUSR | stat.S_IWUSR
    elif status.st_gid in gids:
        wanted = stat.S_IRGRP | stat.S_IWGRP
    else:
        wanted = stat.S_IROTH | stat.S_IWOTH
    return status.st_mode & wanted == wanted


def has_account(user: str, root: Path = ROOT) -> bool:
    """Whether the system knows the account."""
    return any(row[0] == user for row in _rows(root / "etc/passwd"))


def _account(user: str, root: Path) -> tuple[int, set[int]]:
    for name, _, uid, gid, *_ in _rows(root / "etc/passwd"):
        if name == user:
            joined = {int(row[2]) for row in _rows(root / "etc/group") if user in row[3].split(",")}
            return int(uid), {int(gid), *joined}
    return -1, set()


def _rows(path: Path) -> list[list[str]]:
    return [line.split(":") for line in _read(path).splitlines() if line.count(":") >= 3]


def _from_register(bits: int, source: str) -> Power:
    now = tuple(what for bit, what in THROTTLED.items() if bits >> bit & 1)
    since = tuple(what for bit, what in THROTTLED.items() if bits >> bit + SINCE_BOOT & 1)
    return Power(now, since, source)


def _vcgencmd(root: Path) -> int | None:
    command = root / "usr/bin/vcgencmd"
    if not os.access(command, os.X_OK):
        return None
    said = subprocess.run([command, "get_throttled"], capture_output=True, text=True, timeout=5, check=False).stdout
    found = re.match(r"throttled=0x([0-9a-f]+)", said)
    return int(found.group(1), 16) if found else None


def _read(path: Path) -> str:
    """The stripped content of a small file; "" if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
