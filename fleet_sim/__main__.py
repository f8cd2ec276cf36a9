"""`make fleet`: hundreds of simulated boards on a real mosquitto, with figures and bars.

Phases: all boards sign in; a busy hour at five times its speed, in which an operator asks boards and watches one; an
agent takes one over while the others talk; the broker is down for ten seconds; all come back. Exits with 1 where a bar
fails.
"""

import argparse
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fleet_sim import takeover
from fleet_sim.probe import Probe
from fleet_sim.site import Site
from fleet_sim.table import Figure, quantile, text
from mien.fleet.topics import Board

SPEED: Final = 5.0
DOWN_S: Final = 10.0
ALL_BACK_S: Final = 60.0
LATE_MS: Final = 250.0
HEARD_MS: Final = 300.0
BROKER_SHARE: Final = 0.5
STAMPEDE: Final = 0.5
"""Share of the boards that may sign in within one second."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Boards:
    """The process of the boards."""

    def __init__(self, folder: Path, seed: int, options: Sequence[str]) -> None:
        command = [sys.executable, "-m", "fleet_sim.boards", str(folder), "--seed", str(seed), "--speed", str(SPEED)]
        command += options
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.connections: list[float] = []
        self.sent = 0
        self.heard: list[float] = []

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def update(self) -> None:
        """Take what the process has told. Raises RuntimeError when it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError("the boards' process has ended")
        while not self._lines.empty():
            told = self._lines.get()
            self.connections += told["connected"]
            self.sent = told["sent"]
            self.heard += told["heard"]

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))


def measure(folder: Path, count: int, minutes: float, seed: int, options: Sequence[str] = ()) -> list[Figure]:
    """Run everything. options: of the boards' process. Raises RuntimeError, TimeoutError when it cannot run at all."""
    site = Site(folder)
    site.enrol(*(Board("berlin", f"kiosk-{number:05}") for number in range(count)))
    site.add_user("probe", "operator")
    site.restart()
    people = site.fleet.folder / "users/probe"
    probe = Probe(site.fleet.record.people_port, people / "ca.crt", "probe", site.passwords["probe"])
    probe.start()
    began_s = time.time()
    boards = Boards(site.fleet.folder / "boards", seed, options)
    try:
        first_s = _all_online(probe, boards, count, began_s)
        figures = _busy_hour(site, probe, boards, minutes, seed)
        if "--plain" not in options:
            figures += _takeover(probe, boards, seed)
        figures += _restart(site, probe, boards, count)
        figures += _loss(probe, boards)
    finally:
        boards.stop()
        probe.stop()
        site.broker.stop()
    return [Figure("boards", count, ""), Figure("all online at first, processes started too", first_s, "s"), *figures]


def _busy_hour(site: Site, probe: Probe, boards: Boards, minutes: float, seed: int) -> list[Figure]:
    chance = random.Random(seed)
    watched = next(iter(probe.online))
    probe.late_s.clear()
    before, health, events = time.monotonic(), probe.health_count, probe.sequences.count
    broker_s, boards_s = _processor_s(site.broker.pid), _processor_s(boards.pid)
    watched_s = 0.0
    while (passed_s := time.monotonic() - before) < minutes * 60:
        if passed_s >= watched_s:
            probe.watch(watched)
            watched_s = passed_s + 10
        probe.ping(chance)
        time.sleep(0.25)
        boards.update()
    wall_s = time.monotonic() - before
    return [
        Figure("busy hour, wall time", wall_s, "s"),
        Figure("events a second", (probe.sequences.count - events) / wall_s, "1/s"),
        Figure("health a second", (probe.health_count - health) / wall_s, "1/s"),
        Figure("an event, from the board to an operator: p50", 1000 * quantile(probe.late_s, 0.5), "ms"),
        Figure("an event, from the board to an operator: p99", 1000 * quantile(probe.late_s, 0.99), "ms", LATE_MS),
        Figure("a command's answer: p95", 1000 * quantile(probe.answered_s, 0.95), "ms", LATE_MS),
        Figure("commands refused, or not answered within 10 s", probe.refused + probe.unanswered(10), "", 0),
        Figure("poses of the watched board", probe.pose_bytes / wall_s, "bytes/s", 3000),
        Figure("speech of the watched board", probe.sound_bytes / wall_s, "bytes/s"),
        Figure("mosquitto", (_processor_s(site.broker.pid) - broker_s) / wall_s, "cores", BROKER_SHARE),
        Figure("mosquitto's memory", _memory_mb(site.broker.pid), "MB"),
        Figure("the boards' process", (_processor_s(boards.pid) - boards_s) / wall_s, "cores"),
    ]


def _takeover(probe: Probe, boards: Boards, seed: int) -> list[Figure]:
    chance = random.Random(seed)
    boards.update()
    boards.heard.clear()
    began = takeover.speak(probe, chance.choice(list(probe.online)), chance)
    time.sleep(2)
    boards.update()
    late_ms = [1000 * each for each in takeover.latencies_s(began, boards.heard)]
    return [
        Figure("an agent's first sound at a kiosk, all others talk: p50", quantile(late_ms, 0.5), "ms"),
        Figure("an agent's first sound at a kiosk, all others talk: p95", quantile(late_ms, 0.95), "ms", HEARD_MS),
    ]


def _restart(site: Site, probe: Probe, boards: Boards, count: int) -> list[Figure]:
    site.broker.stop()
    time.sleep(DOWN_S)
    boards.update()
    boards.connections.clear()
    site.broker.start()
    up_s = time.time()
    back_s = _all_online(probe, boards, count, up_s)
    seconds = [int(at - up_s) for at in boards.connections]
    most = max((seconds.count(second) for second in set(seconds)), default=0)
    return [
        Figure(f"all back after {DOWN_S:g} s without a broker", back_s, "s", ALL_BACK_S),
        Figure("most sign-ins within a second", most, "", STAMPEDE * count),
        Figure("mosquitto while they came back", _processor_s(site.broker.pid) / max(back_s, 1), "cores"),
    ]


def _loss(probe: Probe, boards: Boards) -> list[Figure]:
    time.sleep(5)
    boards.update()
    return [
        Figure("events in all", probe.sequences.count, ""),
        Figure("events lost", probe.sequences.missing, "", 0),
        Figure("events delivered twice", probe.sequences.repeated, ""),
    ]


def _all_online(probe: Probe, boards: Boards, count: int, began_s: float) -> float:
    """Seconds from began_s to the last board's sign-in. Raises TimeoutError."""
    until_s = time.monotonic() + 2 * ALL_BACK_S
    while len(boards.connections) < count or probe.online_count < count:
        if time.monotonic() > until_s:
            raise TimeoutError(f"{len(boards.connections)} of {count} signed in, {probe.online_count} are seen online")
        time.sleep(0.1)
        boards.update()
    return max(boards.connections) - began_s


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> int:
    """Parse, run, print. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.epilog = "Further options go to the boards' process: --plain."
    arguments, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="mien-fleet-") as folder:
        figures = measure(Path(folder), arguments.boards, arguments.minutes, arguments.seed, options)
    print(text(figures))
    return 1 if any(each.fails for each in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
