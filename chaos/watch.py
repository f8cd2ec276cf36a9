"""The thread that runs the oracles a few times a second."""

import threading
import time
from collections.abc import Callable
from typing import Final

from chaos.ear_lives import start_ear
from chaos.lives import RESTART_S, start_face, start_voice
from chaos.logs import LogOracle
from chaos.processes import Child
from chaos.resources import ResourceOracle, read_usage
from chaos.watchers import WATCHDOG_S
from chaos.world import World

EVERY_S: Final = 0.25
HEARD_S: Final = 3.0  # delay from a log line to its being read
BEGINS_S: Final = 10.0  # a service that cannot start in its run directory may exit, and is restarted
_START: Final = {"voice": start_voice, "face": start_face, "ear": start_ear}


class Watch:
    """Checks logs, memory, processes, watchdogs, the recording and open turns."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.resources = {name: ResourceOracle(name, world.verdicts.add) for name in world.processes.children}
        self.logs = {
            name: LogOracle(name, world.processes.log(name), world.verdicts.add, self._excuser(name))
            for name in world.processes.children
        }
        self.latest_s = 0.0  # maximum delay of this thread, as a measure of how busy the machine is

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Check once more, then stop."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            began_s = time.monotonic()
            self.step()
            self.latest_s = max(self.latest_s, time.monotonic() - began_s)

    def step(self) -> None:
        """Check everything once."""
        self._world.ear.step()
        overdue = self._world.book.check(time.monotonic())
        if overdue:
            told = "\n".join(map(str, self._world.told.values()))
            what = f"no `finished` in time: {', '.join(overdue)}"
            self._world.verdicts.add("turns", "not finished", what, f"{told}\n{self.logs['voice'].tail}")
        for name, child in self._world.processes.children.items():
            self.logs[name].step()
            self._world.face_losses += self.logs[name].face_losses
            self.logs[name].face_losses = 0
            if child.lock.acquire(blocking=False):
                try:
                    self._look_at(name, child)
                finally:
                    child.lock.release()

    def _look_at(self, name: str, child: Child) -> None:
        if child.process is None:
            return
        code = child.process.poll()
        if code is not None:
            if not child.expected and not self._world.stopping.is_set():
                self._died(name, child, code)
            return
        usage = read_usage(child.process.pid)
        if usage is not None and not child.expected:
            self.resources[name].take(usage)
        hungry_s = self._world.systemd.hungry_s(child.process.pid)
        if hungry_s > WATCHDOG_S and not self._world.faults.explain(name):
            self._world.verdicts.add(
                "watchdog", name, f"mien-{name} has not notified its watchdog for {hungry_s:.1f} s"
            )

    def _died(self, name: str, child: Child, code: int) -> None:
        self.logs[name].step()
        if not self._world.faults.lasted("run", child.started_s, child.started_s + BEGINS_S):
            self._world.verdicts.add(
                "death", name, f"mien-{name} exited with {code} without having been killed", self.logs[name].tail
            )
        fault = self._world.faults.begin(name)
        if name == "voice":
            self._world.ear.ended(whole=False)
        self._world.wait(RESTART_S)
        _START[name](self._world)
        self._world.faults.end(fault)

    def _excuser(self, name: str) -> Callable[[str], bool]:
        """A process that was denied memory may log anything."""

        def excused(_: str) -> bool:
            now_s = time.monotonic()
            return self._world.faults.lasted(f"{name} memory", now_s - HEARD_S, now_s)

        return excused
