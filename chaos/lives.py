"""Faults of processes: stopped, killed, restarted, out of memory, started twice."""

import contextlib
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from chaos.plan import Args
from chaos.world import Fault, Notes, World, patience

RESTART_S: Final = 0.5  # as in the units' RestartSec
SOON_S: Final = 10.0


def start_voice(world: World) -> None:
    """Start a voice with its own recording."""
    voice = world.processes["voice"]
    if voice.generation:
        world.processes.recording().unlink(missing_ok=True)
    world.processes.start("voice")
    world.ear.follow(world.processes.recording())


def start_face(world: World) -> None:
    """A face."""
    world.processes.start("face")
    world.face_losses = 0


def end_voice(world: World, number: signal.Signals) -> None:
    """Kill the voice and start another, as systemd would."""
    with world.doing("voice"), world.processes["voice"].lock:
        world.processes.end("voice", number)
        world.ear.ended(whole=number == signal.SIGTERM)
        world.wait(RESTART_S)
        start_voice(world)


def end_face(world: World, number: signal.Signals) -> None:
    """The same for the face."""
    with world.doing("face"), world.processes["face"].lock:
        world.processes.end("face", number)
        world.wait(RESTART_S)
        start_face(world)


def kill_voice(world: World, _: Args) -> Notes:
    """SIGKILL."""
    end_voice(world, signal.SIGKILL)
    return {}


def restart_voice(world: World, _: Args) -> Notes:
    """Stop by SIGTERM, as an update does."""
    end_voice(world, signal.SIGTERM)
    return {}


def kill_face(world: World, _: Args) -> Notes:
    """SIGKILL."""
    end_face(world, signal.SIGKILL)
    return {}


def stop_voice(world: World, args: Args) -> Notes:
    """SIGSTOP the voice, and SIGCONT it later."""
    return stop_for(world, "voice", args["seconds"])


def stop_face(world: World, args: Args) -> Notes:
    """The same for the face."""
    return stop_for(world, "face", args["seconds"])


def stop_for(world: World, name: str, seconds: float) -> Notes:
    """SIGSTOP a service, and SIGCONT it after that time."""
    child = world.processes[name]
    with world.doing(name), child.lock:
        pid = child.pid
        if pid is None or child.process is None:
            return {"skipped": "not running"}
        child.process.send_signal(signal.SIGSTOP)
        world.wait(seconds)
        child.process.send_signal(signal.SIGCONT)
        if pid in world.systemd.fed:
            world.systemd.fed[pid] = time.monotonic()
    if name == "voice":
        world.book.postpone(seconds)
    return {}


def no_memory_voice(world: World, args: Args) -> Notes:
    """Deny the voice further memory for a while. If it dies, another is started."""
    return _no_memory(world, "voice", args, lambda: end_voice(world, signal.SIGKILL))


def no_memory_face(world: World, args: Args) -> Notes:
    """The same for the face."""
    return _no_memory(world, "face", args, lambda: end_face(world, signal.SIGKILL))


def _no_memory(world: World, name: str, args: Args, again: Callable[[], None]) -> Notes:
    child = world.processes[name]
    with world.doing(name), world.doing(f"{name} memory"), child.lock:
        pid = child.pid
        if pid is None:
            return {"skipped": "not running"}
        child.expected = True
        size = int(Path("/proc", str(pid), "statm").read_text().split()[0]) * resource.getpagesize()
        old = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size + args["spare_mb"] * 1_000_000, old[1]))
        world.wait(args["seconds"])
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, old)
        dead = child.pid is None
        again()  # after a MemoryError the process owes nothing any more, alive or dead
    return {"died": dead}


def second_voice(world: World, _: Args) -> Notes:
    """Start a second voice in the same folder: it must exit without affecting the first."""
    with world.processes["voice"].lock:  # or the second might start first
        if not is_ready(world, "voice"):
            return {"skipped": "the first is not ready"}
        process = world.processes.extra("voice")
        try:
            code = process.wait(patience(SOON_S))
        except subprocess.TimeoutExpired:
            world.verdicts.add(
                "second", "voice", f"a second voice in the same folder did not exit within {SOON_S:.0f} s"
            )
            return {}
        finally:
            _put_down(process)
    if code == 0:
        world.verdicts.add("second", "voice", "a second voice in the same folder exited with 0")
    return {"code": code}


def second_face(world: World, args: Args) -> Notes:
    """Start a second face for a while; it may exit or keep running."""
    with world.processes["face"].lock:
        if not is_ready(world, "face"):
            return {"skipped": "the first is not ready"}
        process = world.processes.extra("face")
        world.wait(args["seconds"])
        code = process.poll()
        _put_down(process)
    return {"code": code}


def is_ready(world: World, name: str) -> bool:
    """Whether the running service notifies READY in time."""
    until_s = time.monotonic() + patience(SOON_S)
    while time.monotonic() < until_s and world.wait(0.1):
        if world.processes[name].pid in world.systemd.ready:
            return True
    return False


def deaf_systemd(world: World, args: Args) -> Notes:
    """Stop reading the notify socket, as systemd does while it reloads its units."""
    with world.one_at_a_time["systemd"]:
        world.systemd.deaf.set()
        world.wait(args["seconds"])
        world.systemd.fed.update(dict.fromkeys(list(world.systemd.fed), time.monotonic()))
        world.systemd.deaf.clear()
    return {}


def _put_down(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


LIVES: Final[dict[str, Fault]] = {
    fault.__name__: fault
    for fault in (
        kill_voice,
        restart_voice,
        kill_face,
        stop_voice,
        stop_face,
        no_memory_voice,
        no_memory_face,
        second_voice,
        second_face,
        deaf_systemd,
    )
}
