"""What is done to the processes: stopped, killed, restarted, left without memory, doubled."""

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

RESTART_S: Final = 0.5  # as the units' RestartSec
SOON_S: Final = 10.0


def start_voice(world: World) -> None:
    """A voice, with a recording of its own."""
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
    """End it and start another, as systemd would."""
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
    """SIGTERM, as an update does."""
    end_voice(world, signal.SIGTERM)
    return {}


def kill_face(world: World, _: Args) -> Notes:
    """SIGKILL."""
    end_face(world, signal.SIGKILL)
    return {}


def stop_voice(world: World, args: Args) -> Notes:
    """SIGSTOP, and SIGCONT a while later."""
    return _stop(world, "voice", args["seconds"])


def stop_face(world: World, args: Args) -> Notes:
    """The same for the face."""
    return _stop(world, "face", args["seconds"])


def _stop(world: World, name: str, seconds: float) -> Notes:
    child = world.processes[name]
    with world.doing(name), child.lock:
        pid = child.pid
        if pid is None:
            return {"skipped": "it does not run"}
        child.process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]
        world.wait(seconds)
        child.process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]
        if pid in world.systemd.fed:
            world.systemd.fed[pid] = time.monotonic()
    if name == "voice":
        world.book.postpone(seconds)
    return {}


def no_memory_voice(world: World, args: Args) -> Notes:
    """The voice gets no more memory for a while. It may die of that, and then another is started."""
    return _no_memory(world, "voice", args, lambda: end_voice(world, signal.SIGKILL))


def no_memory_face(world: World, args: Args) -> Notes:
    """The same for the face."""
    return _no_memory(world, "face", args, lambda: end_face(world, signal.SIGKILL))


def _no_memory(world: World, name: str, args: Args, again: Callable[[], None]) -> Notes:
    child = world.processes[name]
    with world.doing(name), world.doing(f"{name} memory"), child.lock:
        pid = child.pid
        if pid is None:
            return {"skipped": "it does not run"}
        child.expected = True
        size = int(Path("/proc", str(pid), "statm").read_text().split()[0]) * resource.getpagesize()
        old = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size + args["spare_mb"] * 1_000_000, old[1]))
        world.wait(args["seconds"])
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, old)
        dead = child.pid is None
        again()  # whoever met a MemoryError owes nothing any more, alive or dead
    return {"died": dead}


def second_voice(world: World, _: Args) -> Notes:
    """A second voice in the same folder: it must give up and leave the first as it is."""
    with world.processes["voice"].lock:  # or it might come first
        if not is_ready(world, "voice"):
            return {"skipped": "the first is not ready"}
        process = world.processes.extra("voice")
        try:
            code = process.wait(patience(SOON_S))
        except subprocess.TimeoutExpired:
            world.verdicts.add("second", "voice", f"a second voice in the same folder runs for {SOON_S:.0f} s and more")
            return {}
        finally:
            _put_down(process)
    if code == 0:
        world.verdicts.add("second", "voice", "a second voice in the same folder ended with 0")
    return {"code": code}


def second_face(world: World, args: Args) -> Notes:
    """A second face beside the first for a while; it may give up, or be there."""
    with world.processes["face"].lock:
        if not is_ready(world, "face"):
            return {"skipped": "the first is not ready"}
        process = world.processes.extra("face")
        world.wait(args["seconds"])
        code = process.poll()
        _put_down(process)
    return {"code": code}


def is_ready(world: World, name: str) -> bool:
    """Whether the service that runs has told systemd that it is ready, soon."""
    until_s = time.monotonic() + patience(SOON_S)
    while time.monotonic() < until_s and world.wait(0.1):
        if world.processes[name].pid in world.systemd.ready:
            return True
    return False


def deaf_systemd(world: World, args: Args) -> Notes:
    """systemd does not read what the services tell it, as while it reloads its units."""
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
