"""Faults of files: full or read-only disks, deleted sockets, damaged avatars or models."""

import contextlib
import random
import resource
import signal
import time
from typing import Final

from chaos.lives import is_ready, start_face
from chaos.plan import Args
from chaos.world import Fault, Notes, World

SHOWS_S: Final = 40.0
SOCKETS: Final = {"voice": "voice.sock", "bus": "bus.sock", "report": "report.sock"}
FACE_FILES: Final = {"avatar": "default.mien-avatar", "model": "mien-standard.tflite"}


def disk_full(world: World, args: Args) -> Notes:
    """Fill the disk that the recording or the session log is written to."""
    place = args["place"]
    if "mount" not in world.places.able:
        return files_too_large(world, args)
    with world.one_at_a_time[place], world.doing(place):
        world.places.fill(place)
        world.wait(args["seconds"])
        world.places.empty(place)
    return {}


def disk_readonly(world: World, args: Args) -> Notes:
    """Hide a folder's contents and make it read-only; open files stay open."""
    with world.one_at_a_time[args["place"]], world.doing(args["place"]):
        world.places.cover(args["place"])
        world.wait(args["seconds"])
        world.places.uncover(args["place"])
    return {}


def files_too_large(world: World, args: Args) -> Notes:
    """Make every file write of the voice beyond the first byte fail (RLIMIT_FSIZE)."""
    with world.doing("sound"), world.processes["voice"].lock:
        pid = world.processes["voice"].pid
        if pid is None:
            return {"skipped": "not running"}
        old = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, old[1]))
        world.wait(args["seconds"])
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, old)
    return {}


def sockets_deleted(world: World, args: Args) -> Notes:
    """Delete sockets in the run directory."""
    with world.doing("run"):
        for name in args["names"]:
            (world.places["run"] / SOCKETS[name]).unlink(missing_ok=True)
    return {}


def damaged_at_restart(world: World, args: Args) -> Notes:
    """Damage the avatar or the model and restart the face: it must degrade, and recover with the file."""
    one_at_a_time = world.one_at_a_time  # without its run directory no face starts, whatever its files are
    with one_at_a_time["run"], one_at_a_time["face files"], world.doing("face"), world.processes["face"].lock:
        world.processes.end("face", signal.SIGKILL)
        _damage(world, args)
        start_face(world)
        seen = _wait_for_face(world)
        process = world.processes["face"].process
        died = process.poll() if process is not None else None
        if died is not None or not seen:
            world.verdicts.add(
                "damaged",
                args["what"],
                f"with a damaged {args['what']} ({args['how']}) the face did not "
                f"show itself within {SHOWS_S:.0f} s (exit code {died})",
            )
        world.processes.end("face", signal.SIGKILL)
        world.places.refill_face()
        start_face(world)
    return {"seen": seen}


def damaged_in_use(world: World, args: Args) -> Notes:
    """Damage the avatar or the model while the face uses it, then restore it."""
    with world.one_at_a_time["face files"], world.doing("face"), world.processes["face"].lock:
        if not is_ready(world, "face"):  # a face that starts now would load the damaged file and keep it
            return {"skipped": "the face is not ready"}
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
    """Whether the running face reports in time."""
    until_s = time.monotonic() + SHOWS_S
    while time.monotonic() < until_s and world.wait(0.2):
        newest = world.bus.face
        if newest is not None and newest[1].pid == world.processes["face"].pid:
            return True
        if world.processes["face"].pid is None:
            return False
    return False


FILES: Final[dict[str, Fault]] = {
    fault.__name__: fault
    for fault in (
        disk_full,
        disk_readonly,
        files_too_large,
        sockets_deleted,
        damaged_at_restart,
        damaged_in_use,
    )
}
