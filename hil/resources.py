"""Looks for what an environment file asks of this machine, before anything is switched on."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hil.images import newest

UNCHANGED: Final = "CHANGE-ME"
PROGRAMS: Final = {
    "systemd-nspawn": "systemd-container",
    "Xvfb": "xvfb",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "git": "git",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "mcopy": "mtools",
    "ssh-keygen": "openssh-client",
    "ssh": "openssh-client",
    "ffmpeg": "ffmpeg",
    "arecord": "alsa-utils",
    "uhubctl": "uhubctl",
}
NEEDED: Final = {
    "ContainerRigDriver": ("systemd-nspawn", "Xvfb", "nsenter", "ip", "git"),
    "QemuRigDriver": ("qemu-system-aarch64", "qemu-img", "mcopy", "ssh-keygen"),
    "BenchRigDriver": ("ffmpeg", "arecord", "ssh", "ip"),
    "USBPowerDriver": ("uhubctl",),
    "USBSDMuxDriver": ("usbsdmux",),
}


@dataclass(frozen=True, slots=True)
class Resource:
    """key: its place in the YAML. wanted: the value there. found: None if only a running board could tell.

    said: what was found, or what to do.
    """

    key: str
    wanted: str
    found: bool | None
    said: str


def resources(data: Mapping[str, Any], folder: Path) -> Iterator[Resource]:
    """data: an environment file. folder: of that file, to which its image paths are relative."""
    from hil.bench.resources import of_bench, of_labgrid

    for target, parts in data.get("targets", {}).items():
        for name, arguments in parts.get("resources", {}).items():
            yield from of_labgrid(f"targets.{target}.resources.{name}", name, arguments or {})
        for name, arguments in parts.get("drivers", {}).items():
            key = f"targets.{target}.drivers.{name}"
            if name == "ContainerRigDriver":
                yield _root(key)
            if name == "BenchRigDriver":
                yield from of_bench(key, arguments or {})
            yield from (_program(key, program) for program in NEEDED.get(name, ()))
    for name, pattern in data.get("images", {}).items():
        yield _image(f"images.{name}", pattern, folder)


def unchanged(key: str, wanted: str, remedy: str) -> Resource | None:
    """The finding for a value that nobody has put in yet; None for any other value."""
    return Resource(key, wanted, False, f"still to be changed: {remedy}") if UNCHANGED in wanted else None


def _root(key: str) -> Resource:
    if os.geteuid():
        return Resource(key, "root", False, "systemd-nspawn needs root: run it with sudo")
    return Resource(key, "root", True, "this is root")


def _program(key: str, program: str) -> Resource:
    if found := shutil.which(program):
        return Resource(key, program, True, found)
    package = PROGRAMS.get(program)
    remedy = f"apt-get install {package}" if package else f".venv-hil/bin/pip install {program}"
    return Resource(key, program, False, f"not installed: {remedy}")


def _image(key: str, pattern: str, folder: Path) -> Resource:
    path = Path(os.path.normpath(folder / pattern))
    if not list(path.parent.glob(path.name)):
        return Resource(key, pattern, False, "no such image: sudo make image, or name another one here")
    return Resource(key, pattern, True, newest(str(path)).name)
