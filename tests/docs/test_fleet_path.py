"""docs/operate.md, from ten cards to ten boards on a broker: every command of the page, with a real mosquitto.

The page's commands run as they stand there, in a shell; only `mien fleet new` gets the test's ports and folder, and
`mien watch` shows the fleet once. What is not here is stood in for: `sudo` and `apt-get` do nothing of their own,
`systemctl` starts and reloads the mosquitto of the test, `ssh` and `scp` reach the card of one board. Boards are
simulated: their cards are taken by the image's own provisioning.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet_sim.mosquitto import Broker, free_ports, wait_until
from fleet_sim.plain import PlainBoard
from rigs.card import Card

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operate.md").read_text()
SECTION = PAGE.partition("## From ten cards to ten boards on a broker\n")[2].partition("\n## ")[0]
TEN = [f"kiosk-{number}" for number in range(1, 11)]


def commands() -> list[str]:
    """The commands of the section, in order; the lines of the CSV file are none."""
    lines = re.findall(r"^ {4}(\S.*)$", SECTION, re.MULTILINE)
    return [line for line in lines if not re.match(r"name,|kiosk-\d,", line)]


class Desk:
    """A workstation and a broker's machine, in one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = free_ports(2)
        self.here = folder / "work"
        self.etc = folder / "etc/mosquitto"
        self.card = folder / "media/card"
        for path in (self.here, self.etc / "conf.d", self.card, folder / "bin"):
            path.mkdir(parents=True)
        self.broker = Broker(folder, self.etc / "conf.d", self.ports)
        self._shims()

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of the page."""
        if line.startswith("cd "):
            self.here = self.here / line.removeprefix("cd ")
            return subprocess.CompletedProcess(line, 0, "", "")
        for there, here in (("/etc/mosquitto", self.etc), ("/media/card", self.card), ("broker.example", "localhost")):
            line = line.replace(there, str(here))
        env = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": f"{ROOT / 'runtime'}"}
        ran = subprocess.run(["bash", "-c", line], cwd=self.here, env=env, capture_output=True, text=True,
                             check=False, timeout=60, stdin=subprocess.DEVNULL)  # fmt: skip
        self._obey()
        return ran

    def _obey(self) -> None:
        """Do what `systemctl` was asked for."""
        asked = self.folder / "asked"
        if not asked.exists():
            return
        verb = asked.read_text().strip()
        asked.unlink()
        if verb == "restart mosquitto":
            self.broker.stop()
            self.broker.start()
        elif verb == "reload mosquitto":
            self.broker.reload()
        else:
            assert verb == "start mien-provision", verb

    def _shims(self) -> None:
        asked = f'echo "$@" > {self.folder}/asked'
        new = f'set -- "$@" --etc {self.etc}/mien --board-port {self.ports[0]} --people-port {self.ports[1]}'
        self._shim("mien", f'case "$*" in "fleet new berlin"*) {new};; "watch --fleet"*) set -- "$@" --once;; esac\n'
                           f'exec {sys.executable} -m mien "$@"')  # fmt: skip
        self._shim("sudo", '[ "$1" = install ] && set -- $(echo "$@" | sed "s/-o mosquitto//")\nexec "$@"')
        self._shim("systemctl", asked)
        self._shim("apt-get", "exit 0")
        self._shim("ssh", 'shift\ncase "$1" in systemctl) exec "$@";; mount) exit 0;; *) exit 1;; esac')
        self._shim("scp", f'exec cp -r "$2" {self.card}/')

    def _shim(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


class Boards:
    """Ten boards that take what is on their cards, and connect."""

    def __init__(self, folder: Path) -> None:
        self._cards = {name: Card(folder / name) for name in TEN}
        self._loop = asyncio.new_event_loop()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._boards: dict[str, PlainBoard] = {}
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def start(self, name: str, files: Path) -> None:
        """Put a folder mien onto a board's card, and start the board anew."""
        card = self._cards[name]
        for path in (files / "link").iterdir():
            card.put(f"link/{path.name}", path.read_bytes())
        card.free_bytes = [5]
        report = card.provision()
        assert report.mistakes == {}
        asyncio.run_coroutine_threadsafe(self._start(name, card.etc / "mien/link"), self._loop).result(10)

    def connections(self, name: str) -> int:
        """How often a board has signed in since it was started."""
        return len(self._boards[name].connections)

    def stop(self) -> None:
        """End all."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self, name: str, folder: Path) -> None:
        if name in self._running:
            self._running[name].cancel()
            await asyncio.gather(self._running[name], return_exceptions=True)
        self._boards[name] = PlainBoard(folder, TEN.index(name))
        self._running[name] = asyncio.create_task(self._boards[name].run())

    async def _stop(self) -> None:
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)


@contextmanager
def scene(folder: Path) -> Iterator[tuple[Desk, Boards]]:
    """Desk and boards."""
    desk, boards = Desk(folder), Boards(folder / "boards")
    try:
        yield desk, boards
    finally:
        boards.stop()
        desk.broker.stop()


def states(desk: Desk) -> dict[str, str]:
    """What each board needs, as `mien fleet status` tells it."""
    ran = desk.run("mien fleet status --json --config users/anna/fleet.toml")
    assert ran.returncode in (0, 1), ran.stderr
    return {row["board"].removeprefix("berlin/"): row["need"] for row in json.loads(ran.stdout)["boards"]}


@pytest.mark.timeout(280)
def test_every_command_of_the_path_and_of_the_ways_back(tmp_path: Path) -> None:
    left = commands()
    assert len(left) > 25

    def do(beginning: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        line = left.pop(0)
        assert line.startswith(beginning), f"the page says {line!r} where this test expects {beginning!r}"
        ran = desk.run(line)
        assert ran.returncode == code, f"{line}\n{ran.stdout}{ran.stderr}"
        return ran

    def bring(*names: str) -> None:
        for name in names:
            boards.start(name, desk.here / "boards/berlin" / name / "mien")

    def back(*names: str) -> Callable[[], bool]:
        return lambda: all(boards.connections(name) > 0 for name in names)

    with scene(tmp_path) as (desk, boards):
        do("mien fleet new berlin")
        do("cd berlin")
        assert "password of anna" in do("mien fleet user anna").stdout
        do("mien fleet user ben")
        csv = re.search(r"^ {4}name,.*\n(?: {4}kiosk.*\n)+", SECTION, re.MULTILINE)
        assert csv is not None
        head = csv[0].split("\n")[0].strip()
        (desk.here / "boards.csv").write_text("\n".join([head, *(f"{name},no,yes,no" for name in TEN)]) + "\n")
        assert len(do("mien fleet board --csv").stdout.split()) == 10

        do("sudo apt-get")
        for _ in range(3):
            do("sudo install")
        do("sudo systemctl restart")
        do("cp -r")
        assert (desk.card / "mien/link/link.key").exists()
        boards.start("kiosk-1", desk.card / "mien")
        bring(*TEN[1:])
        wait_until(back(*TEN))
        wait_until(lambda: states(desk) == dict.fromkeys(TEN, "none"), 30)
        assert "10 boards" in do("mien fleet status").stdout
        assert "kiosk-10" in do("mien watch").stdout
        do("mien fleet check")

        do("mien fleet rotate --list")
        do("mien fleet rotate kiosk-1")
        do("ssh root@ADDRESS mount")
        do("scp -r")
        do("ssh root@ADDRESS systemctl")
        boards.start("kiosk-1", desk.card / "mien")
        wait_until(back("kiosk-1"))
        do("mien fleet revoke kiosk-1 --old")
        do("sudo install")
        do("sudo systemctl reload")
        assert states(desk) == dict.fromkeys(TEN, "none")

        before = boards.connections("kiosk-2")
        do("mien fleet revoke kiosk-2")
        do("mien fleet user ben --remove")
        do("sudo install")
        do("sudo systemctl reload")
        do("mien fleet disconnect")
        wait_until(lambda: "certificate verify failed" in desk.broker.log)
        assert set(states(desk)) == set(TEN) - {"kiosk-2"}
        assert boards.connections("kiosk-2") == before, "a revoked board came back"

        do("mien fleet new --renew-ca")
        do("sudo install")
        do("sudo systemctl restart")
        do("mien fleet rotate --all")
        others = [name for name in TEN if name != "kiosk-2"]
        wait_until(lambda: set(states(desk).values()) == {"none"}, 30)
        bring(*others)
        wait_until(back(*others))
        wait_until(lambda: states(desk) == dict.fromkeys(others, "none"), 30)
        do("mien fleet new --drop-old-ca")
        do("sudo install")
        do("sudo systemctl restart")
        (desk.here / "users/anna/ca.crt").write_bytes((desk.here / "broker/ca.crt").read_bytes())
        wait_until(lambda: states(desk) == dict.fromkeys(others, "none"), 30)
        assert left == []
        assert desk.run("mien fleet check").returncode == 0
