"""Faults of mien-ear: killed, restarted, stopped. Voice and face must not notice, and it must come back in time."""

import signal
import time
from typing import Final

from chaos.lives import RESTART_S, stop_for
from chaos.plan import Args
from chaos.world import Fault, Notes, World, patience

BACK_S: Final = 5.0
"""From the start of an ear to its first report, on an idle machine; systemd starts it RESTART_S after its end."""

OTHERS: Final = ("voice", "face", "voice memory", "face memory", "run", "sound", "face files", "systemd")
"""Faults of others that explain a level below full."""


def start_ear(world: World) -> None:
    """An ear without a microphone, which hears silence."""
    world.processes.start("ear")


def kill_ear(world: World, _: Args) -> Notes:
    """SIGKILL."""
    return _end_ear(world, signal.SIGKILL)


def restart_ear(world: World, _: Args) -> Notes:
    """Stop by SIGTERM, as an update does."""
    return _end_ear(world, signal.SIGTERM)


def stop_ear(world: World, args: Args) -> Notes:
    """SIGSTOP the ear, and SIGCONT it later."""
    began_s, level = time.monotonic(), _level(world)
    notes = stop_for(world, "ear", args["seconds"])
    return notes | _check(world, level, began_s)


def _end_ear(world: World, number: signal.Signals) -> Notes:
    began_s, level = time.monotonic(), _level(world)
    with world.doing("ear"), world.processes["ear"].lock:
        world.processes.end("ear", number)
        world.wait(RESTART_S)
        start_ear(world)
    return _check(world, level, began_s)


def _check(world: World, level: str, began_s: float) -> Notes:
    """The oracle: the ear reports again in time, and the level is what it was."""
    from_s = time.monotonic()
    until_s = from_s + patience(BACK_S)
    while not (back := _reports(world, from_s)) and time.monotonic() < until_s:
        if not world.wait(0.05):
            return {}
    if not back and not world.faults.explain("run", "ear memory", since_s=began_s):
        said = world.processes.log("ear").read_text(errors="replace")[-1000:]
        world.verdicts.add("recovery", "ear", f"the ear did not report within {patience(BACK_S):.0f} s", said)
    now = _level(world)
    if level == "full" and now != "full" and not world.faults.explain(*OTHERS, since_s=began_s):
        world.verdicts.add("level", "ear", f"the level fell from full to {now or 'none'} with the loss of the ear")
    return {"back_s": round(time.monotonic() - from_s, 2)} if back else {}


def _level(world: World) -> str:
    return world.bus.level(world.processes["voice"].pid)


def _reports(world: World, since_s: float) -> bool:
    """Whether the running ear has reported since then."""
    told = world.ears.told
    return told is not None and told[0] > since_s and told[1].pid == world.processes["ear"].pid


EAR_LIVES: Final[dict[str, Fault]] = {fault.__name__: fault for fault in (kill_ear, restart_ear, stop_ear)}
