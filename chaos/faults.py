"""What is done to the processes, their files, sockets and keys, from beside the protocol. Each puts right what it broke."""

import contextlib
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from chaos.plan import Args
from chaos.processes import Child
from chaos.world import World

Notes = dict[str, Any]
RESTART_S: Final = 0.5  # as the units' RestartSec
SOON_S: Final = 10.0
FACE_GONE_S: Final = 2.4  # after which the voice takes a silent face for lost
SOCKETS: Final = {"voice": "voice.sock", "bus": "bus.sock", "report": "report.sock"}
FACE_FILES: Final = {"avatar": "default.mien-avatar", "model": "mien-standard.tflite"}


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
    world.face_failures = 0


def end_voice(world: World, number: signal.Signals) -> None:
    """End it and start another, as systemd would."""
    with _doing(world, "voice"), world.processes["voice"].lock:
        world.processes.end("voice", number)
        world.ear.ended(whole=number == signal.SIGTERM)
        world.wait(RESTART_S)
        start_voice(world)


def end_face(world: World, number: signal.Signals) -> None:
    """The same for the face."""
    with _doing(world, "face"), world.processes["face"].lock:
        world.processes.end("face", number)
        world.wait(RESTART_S)
        start_face(world)


def kill_voice(world: World, args: Args) -> Notes:
    """SIGKILL."""
    end_voice(world, signal.SIGKILL)
    return {}


def restart_voice(world: World, args: Args) -> Notes:
    """SIGTERM, as an update does."""
    end_voice(world, signal.SIGTERM)
    return {}


def kill_face(world: World, args: Args) -> Notes:
    """SIGKILL."""
    end_face(world, signal.SIGKILL)
    return {}


def stop_voice(world: World, args: Args) -> Notes:
    """SIGSTOP, and SIGCONT a while later."""
    return _stop(world, "voice", args["seconds"])


def stop_face(world: World, args: Args) -> Notes:
    """The same for the face."""
    if args["seconds"] > FACE_GONE_S:
        world.face_failures += 1
    return _stop(world, "face", args["seconds"])


def _stop(world: World, name: str, seconds: float) -> Notes:
    child = world.processes[name]
    with _doing(world, name), child.lock:
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
    with _doing(world, name), child.lock:
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


def disk_full(world: World, args: Args) -> Notes:
    """No room where the sound or the journal is written."""
    place = args["place"]
    if "mount" not in world.places.able:
        return files_too_large(world, args)
    with _doing(world, place):
        world.places.fill(place)
        world.wait(args["seconds"])
        world.places.empty(place)
    return {}


def disk_readonly(world: World, args: Args) -> Notes:
    """Nothing new can be made in a folder, and nothing in it is found; what is open stays open."""
    with _doing(world, args["place"]):
        world.places.cover(args["place"])
        world.wait(args["seconds"])
        world.places.uncover(args["place"])
    return {}


def files_too_large(world: World, args: Args) -> Notes:
    """Every write of the voice to a file beyond its first byte fails (RLIMIT_FSIZE)."""
    with _doing(world, "sound"), world.processes["voice"].lock:
        pid = world.processes["voice"].pid
        if pid is None:
            return {"skipped": "it does not run"}
        old = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, old[1]))
        world.wait(args["seconds"])
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, old)
    return {}


def sockets_deleted(world: World, args: Args) -> Notes:
    """Somebody cleans up in the run directory."""
    with _doing(world, "run"):
        for name in args["names"]:
            (world.places["run"] / SOCKETS[name]).unlink(missing_ok=True)
    return {}


def second_voice(world: World, args: Args) -> Notes:
    """A second voice in the same folder: it must give up and leave the first as it is."""
    process = world.processes.extra("voice")
    try:
        code = process.wait(SOON_S)
        if code == 0:
            world.verdicts.add("second", "voice", "a second voice in the same folder ended with 0")
        return {"code": code}
    except subprocess.TimeoutExpired:
        world.verdicts.add("second", "voice", f"a second voice in the same folder still runs after {SOON_S:.0f} s")
        return {}
    finally:
        _put_down(process)


def second_face(world: World, args: Args) -> Notes:
    """A second face beside the first for a while; it may give up, or be there."""
    process = world.processes.extra("face")
    world.wait(args["seconds"])
    code = process.poll()
    _put_down(process)
    return {"code": code}


def damaged_at_restart(world: World, args: Args) -> Notes:
    """The avatar or the model is damaged, and the face starts anew: it makes do, and is whole once the file is."""
    with _doing(world, "face"), world.processes["face"].lock:
        world.processes.end("face", signal.SIGKILL)
        _damage(world, args)
        start_face(world)
        seen = _wait_for_face(world)
        died = world.processes["face"].process.poll()  # type: ignore[union-attr]
        if died is not None or not seen:
            world.verdicts.add("damaged", args["what"], f"with a damaged {args['what']} ({args['how']}) the face did not "
                               f"show itself within {4 * SOON_S:.0f} s (exit code {died})")
        world.processes.end("face", signal.SIGKILL)
        world.places.refill_face()
        start_face(world)
    return {"seen": seen}


def damaged_in_use(world: World, args: Args) -> Notes:
    """The avatar or the model is damaged while the face uses it, and put right."""
    with _doing(world, "face"):
        _damage(world, args)
        world.wait(3.0)
        world.places.refill_face()
    return {}


def _damage(world: World, args: Args) -> None:
    chance, path = random.Random(args["seed"]), world.places["face"] / FACE_FILES[args["what"]]
    size = path.stat().st_size
    match args["how"]:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut":
            with path.open("r+b") as file:
                file.truncate(chance.randrange(1, size))
        case _:
            with path.open("r+b") as file:
                for _ in range(50):
                    file.seek(chance.randrange(size))
                    file.write(chance.randbytes(4))


def _wait_for_face(world: World) -> bool:
    """Whether the face that runs reported within a while."""
    until_s = time.monotonic() + 4 * SOON_S
    while time.monotonic() < until_s and world.wait(0.2):
        newest = world.bus.face
        if newest is not None and newest[1].pid == world.processes["face"].pid:
            return True
        if world.processes["face"].pid is None:
            return False
    return False


def bad_key(world: World, args: Args) -> Notes:
    """A file on the list that is no key: the others come and go as before, and strangers do not."""
    path = world.places["keys"] / "allowed/speaker/zed.key"
    good = b'    metadata\n    curve\n        public-key = "%s"\n'
    body = {"short": good % (b"x" * 35), "garbage": b"{no key at all", "binary": bytes(range(256)) * 4,
            "huge": b"#" * 2_000_000, "folder": b""}[args["how"]]
    if args["how"] == "folder":
        path.mkdir(parents=True)
    else:
        path.write_bytes(body)
    try:
        world.wait(1.5)
        _hostile_too(world, "stranger")
        _expect_entry(world, "kim")
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return {}


def removed_key(world: World, args: Args) -> Notes:
    """A key is taken off the list while its client is connected: within seconds it is nobody."""
    from chaos.probe import Probe

    listed = world.places["keys"] / "allowed/speaker/kim.key"
    kept = listed.read_bytes()
    with Probe(world, "curve", "kim") as probe:
        if not probe.welcomed:
            return {"skipped": "kim was not welcome"}
        listed.unlink()
        try:
            world.wait(6.0)
            if probe.answers():
                world.verdicts.add("access", "removed key", "a client whose key was removed 6 s ago still gets answers")
        finally:
            listed.write_bytes(kept)
    return {}


def _expect_entry(world: World, name: str) -> None:
    from chaos.probe import Probe

    until_s = time.monotonic() + SOON_S
    while time.monotonic() < until_s:
        with Probe(world, "curve", name) as probe:
            if probe.welcomed:
                return
        world.wait(0.3)
    if not world.faults.explain("voice", "run"):
        world.verdicts.add("access", "kept out", f"{name}, whose key is good, was not let in for {SOON_S:.0f} s while another "
                           "key file was bad")


def _hostile_too(world: World, kind: str) -> None:
    from chaos.acts import send_hostile

    send_hostile(world, kind, {})


@contextlib.contextmanager
def _doing(world: World, on: str) -> Iterator[None]:
    fault = world.faults.begin(on)
    try:
        yield
    finally:
        world.faults.end(fault)


def _put_down(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


FAULTS: Final[dict[str, Callable[[World, Args], Notes]]] = {fault.__name__: fault for fault in (
    kill_voice, restart_voice, kill_face, stop_voice, stop_face, no_memory_voice, no_memory_face, disk_full, disk_readonly,
    files_too_large, sockets_deleted, second_voice, second_face, damaged_at_restart, damaged_in_use, bad_key, removed_key)}

__all__ = ["FAULTS", "Child", "end_face", "end_voice", "start_face", "start_voice"]
