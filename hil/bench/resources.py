"""Looks for the devices of a bench: what labgrid's resources name, and what the screen, ears and net are made of."""

import re
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hil.resources import Resource, unchanged

ANSWERS_S: Final = 3.0
SOUND_CARDS: Final = Path("/proc/asound/cards")
REMEDIES: Final = {
    "NetworkPowerPort": "the power switch's address, such as http://192.168.1.20, and labgrid's name for its model",
    "USBSerialPort": "the serial number of the USB serial adapter: udevadm info /dev/ttyUSB0",
    "USBSDMuxDevice": "the serial number of the USB-SD mux: udevadm info /dev/sg0",
    "USBSDWireDevice": "the serial number of the SDWire: sd-mux-ctrl --list",
    "USBPowerPort": "the hub with switched ports and the number of the port: uhubctl lists both",
}
OTHER: Final = "what the device is called: udevadm info DEVICE"
USB: Final = Path("/sys/bus/usb/devices")


def of_labgrid(key: str, kind: str, arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """One of labgrid's resources, by what its arguments name: a USB device, a host, a port."""
    remedy = REMEDIES.get(kind, OTHER)
    if match := arguments.get("match"):
        yield _usb(key, kind, arguments, dict(match), remedy)
    elif host := arguments.get("host"):
        yield _host(f"{key}.host", str(host), remedy)
    elif port := arguments.get("port"):
        yield _file(f"{key}.port", str(port), remedy, Path("/dev/serial/by-id"))
    else:
        yield Resource(key, str(dict(arguments)), None, "labgrid looks for it when it is used")


def of_bench(key: str, arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """The capture devices, the board's interface and address, the card, the SSH key."""
    video = str(arguments.get("video", "/dev/video0"))
    yield _file(f"{key}.video", video, "the HDMI capture stick: ls /dev/v4l/by-id", Path("/dev/v4l/by-id"))
    yield _sound(f"{key}.audio", str(arguments.get("audio", "plughw:CARD=Device")))
    yield _card(f"{key}.card", str(arguments.get("card", "/dev/disk/by-id/usb-LinuxAut_sdmux")))
    yield _interface(f"{key}.nic", str(arguments.get("nic", "eth1")))
    yield _address(f"{key}.host", str(arguments.get("host", "rig")))
    secret = str(arguments.get("key", "~/.ssh/id_ed25519"))
    yield _file(f"{key}.key", secret, "the SSH key that may log in on the board: ssh-keygen -t ed25519", None)


def _usb(key: str, kind: str, arguments: Mapping[str, Any], match: dict[str, str], remedy: str) -> Resource:
    place = ", ".join(f"{key}.match.{name}" for name in match)
    wanted = ", ".join(match.values())
    here = "" if kind == "USBPowerPort" else _usb_here()
    if found := unchanged(place, wanted, remedy + here):
        return found
    from labgrid import Target
    from labgrid.factory import target_factory

    resource = target_factory.make_resource(Target("doctor"), kind, None, {**arguments, "match": match})
    resource.poll()
    if not resource.avail:
        return Resource(place, wanted, False, f"not plugged in: {remedy}{here}")
    device = getattr(resource, "device", None)
    return Resource(place, wanted, True, str(getattr(device, "device_node", None) or getattr(device, "sys_name", "")))


def _usb_here() -> str:
    """The USB devices that could be meant, by serial number and name. Those without a serial number are left out."""
    return _here([f"{path.read_text().strip()} {_name_of(path.parent)}" for path in USB.glob("*/serial")])


def _name_of(device: Path) -> str:
    name = device / "product"
    return name.read_text().strip() if name.exists() else "without a name"


def _here(names: list[str]) -> str:
    return f" (here: {', '.join(sorted(names))})" if names else " (nothing of the kind is here)"


def _file(key: str, wanted: str, remedy: str, folder: Path | None) -> Resource:
    here = "" if folder is None else _here([str(path) for path in folder.glob("*")])
    if found := unchanged(key, wanted, remedy + here):
        return found
    path = Path(wanted).expanduser()
    if not path.exists():
        return Resource(key, wanted, False, f"does not exist: {remedy}{here}")
    return Resource(key, wanted, True, str(path.resolve()))


def _sound(key: str, wanted: str) -> Resource:
    cards = re.findall(r"\[(\S+) *\]", SOUND_CARDS.read_text()) if SOUND_CARDS.exists() else []
    remedy = f"the USB sound card that hears the board, as plughw:CARD=NAME: arecord -l{_here(cards)}"
    if found := unchanged(key, wanted, remedy):
        return found
    name = re.search(r"(?:CARD=|:)([^,]+)", wanted)
    if name and name[1] not in cards and not (name[1].isdigit() and int(name[1]) < len(cards)):
        return Resource(key, wanted, False, f"no such sound card: {remedy}")
    return Resource(key, wanted, True, f"card {name[1]}" if name else "as ALSA's configuration says")


def _card(key: str, wanted: str) -> Resource:
    remedy = "the card's block device while the mux is switched to this machine: ls /dev/disk/by-id"
    if found := unchanged(key, wanted, remedy):
        return found
    path = Path(wanted)
    if not path.exists():
        return Resource(key, wanted, None, f"not here now; if it stays away once the mux is switched here: {remedy}")
    if not stat.S_ISBLK(path.stat().st_mode):
        return Resource(key, wanted, False, f"is no block device: {remedy}")
    return Resource(key, wanted, True, str(path.resolve()))


def _interface(key: str, wanted: str) -> Resource:
    names = [path.name for path in Path("/sys/class/net").glob("*") if path.name != "lo"]
    remedy = f"this machine's interface to the board: ip -br link{_here(names)}"
    if found := unchanged(key, wanted, remedy):
        return found
    if wanted not in names:
        return Resource(key, wanted, False, f"no such interface: {remedy}")
    return Resource(key, wanted, True, (Path("/sys/class/net") / wanted / "address").read_text().strip())


def _address(key: str, wanted: str) -> Resource:
    remedy = "the board's name or address: the hostname of board.toml, with .local"
    if found := unchanged(key, wanted, remedy):
        return found
    try:
        return Resource(key, wanted, True, str(socket.getaddrinfo(wanted, 22)[0][4][0]))
    except OSError:
        return Resource(key, wanted, None, f"no answer to that name; once the board is on: {remedy}")


def _host(key: str, wanted: str, remedy: str) -> Resource:
    if found := unchanged(key, wanted, remedy):
        return found
    parts = urlsplit(wanted if "//" in wanted else f"//{wanted}")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), timeout=ANSWERS_S):
            return Resource(key, wanted, True, f"{parts.hostname} answers at port {port}")
    except (OSError, ValueError) as error:
        return Resource(key, wanted, False, f"no answer ({error}): {remedy}")
