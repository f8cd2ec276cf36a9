"""The root side of a board's remote control: one request a connection, from a fixed list.

mien-link has a network and no rights; this program has rights and no network. systemd starts it for each
connection to a socket that only the group mien-control may open (mien-board-control.socket), with the connection as
standard input and output. It reads one line of JSON and writes lines of JSON:

    {"verb": "restart", "service": "voice"}          {"ok": true}
    {"verb": "reboot"}
    {"verb": "log", "service": "voice", "lines": 100} {"ok": true, "text": "..."}
    {"verb": "doctor"}                                {"ok": true, "text": "[...]"}
    {"verb": "install", "bundle": "NAME"}             {"progress": "..."} ..., {"ok": true}

A refusal is {"ok": false, "why": "..."}. Nothing of a request reaches a shell, and no text of it a command line, but a
number and names of this list. It imports nothing of mien: what is root stays small.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

UNITS: Final = {
    "voice": ("mien-voice",),
    "face": ("mien-face",),
    "ear": ("mien-ear",),
    "converse": ("mien-converse",),
    "link": ("mien-link",),
    "all": ("mien-voice", "mien-face", "mien-ear", "mien-converse"),
}
MOST_REQUEST_BYTES: Final = 1024
MOST_LINES: Final = 20_000
MOST_TEXT_BYTES: Final = 4_000_000
QUICK_S: Final = 20.0
DOCTOR_S: Final = 90.0
INSTALL_S: Final = 3600.0
BUNDLES: Final = Path("/var/lib/mien-link/updates")
_BUNDLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TEXT: Final = "utf-8"


class RefusedError(Exception):
    """A request that is not on the list, or failed. The text goes to who asked."""


def answer(request: bytes) -> Iterator[dict[str, Any]]:
    """Carry out one request. The last answer has the key "ok"."""
    try:
        verb, arguments = _read(request)
        yield from _VERBS[verb](arguments)
    except (RefusedError, subprocess.SubprocessError, OSError) as error:
        yield {"ok": False, "why": str(error)[:500] or type(error).__name__}


def _read(request: bytes) -> tuple[str, dict[str, Any]]:
    if len(request) > MOST_REQUEST_BYTES:
        raise RefusedError("the request is too long")
    try:
        found = json.loads(request)
    except (ValueError, RecursionError):
        raise RefusedError("the request is no JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("verb"), str) or found["verb"] not in _VERBS:
        raise RefusedError(f"the request needs a verb: {', '.join(_VERBS)}")
    return found.pop("verb"), found


def _restart(arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """try-restart: what is not enabled on this board is not started."""
    units = _units(arguments)
    if units == UNITS["link"]:
        raise RefusedError("mien-link does not restart itself")
    _run("systemctl", "try-restart", "--no-block", *units)
    yield {"ok": True}


def _reboot(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
    _run("systemctl", "start", "--no-block", "--job-mode=replace-irreversibly", "reboot.target")
    yield {"ok": True}


def _log(arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    lines = arguments.get("lines", 100)
    if type(lines) is not int or not 0 <= lines <= MOST_LINES:
        raise RefusedError(f"lines: a number from 0 to {MOST_LINES}")
    units = [f"--unit={unit}" for unit in _units(arguments)]
    yield {"ok": True, "text": _run("journalctl", "--no-pager", "--output=short-iso", f"--lines={lines}", *units)}


def _doctor(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Exit status 1 means that something was found, which is what one asks for."""
    yield {
        "ok": True,
        "text": _run(str(Path(sys.argv[0]).parent / "mien"), "doctor", "--json", within_s=DOCTOR_S, good=(0, 1)),
    }


def _install(arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Hand RAUC a bundle that mien-link has downloaded. RAUC checks its signature."""
    name = arguments.get("bundle")
    if not isinstance(name, str) or not _BUNDLE.fullmatch(name):
        raise RefusedError(f"bundle: the name of a file in {BUNDLES}")
    path = BUNDLES / name
    if path.is_symlink() or not path.is_file():
        raise RefusedError(f"bundle: there is no file {name} in {BUNDLES}")
    with subprocess.Popen(
        ("rauc", "install", str(path)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        last = ""
        assert process.stdout is not None
        for raw in process.stdout:
            last = raw.decode(_TEXT, "replace").strip()[:300] or last
            yield {"progress": last}
        if process.wait(INSTALL_S) != 0:
            raise RefusedError(last or "rauc failed")
    yield {"ok": True}


def _units(arguments: dict[str, Any]) -> tuple[str, ...]:
    service = arguments.get("service")
    if not isinstance(service, str) or service not in UNITS:
        raise RefusedError(f"service: one of {', '.join(UNITS)}")
    return UNITS[service]


def _run(*command: str, within_s: float = QUICK_S, good: tuple[int, ...] = (0,)) -> str:
    """Its output, the end of it if it is long."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=within_s, check=False)
    if done.returncode not in good:
        what = done.stderr.decode(_TEXT, "replace").strip()[-300:]
        raise RefusedError(f"{command[0]} {command[1]}: {what or f'exit status {done.returncode}'}")
    return done.stdout[-MOST_TEXT_BYTES:].decode(_TEXT, "replace")


_VERBS: Final = {"restart": _restart, "reboot": _reboot, "log": _log, "doctor": _doctor, "install": _install}


def serve(request: BinaryIO, reply: BinaryIO) -> None:
    """One connection."""
    for each in answer(request.readline(MOST_REQUEST_BYTES + 1)):
        reply.write(json.dumps(each).encode() + b"\n")
        reply.flush()


def main() -> None:
    """The command mien-board-control, which systemd starts."""
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
