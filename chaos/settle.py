"""Settling between rounds: with no faults and no conversation, everything must recover within a stated time."""

import time
from typing import Final

from chaos.actors import Actor
from chaos.cast import Speaker
from chaos.probe import Probe
from chaos.processes import NAMES
from chaos.resources import ResourceOracle, read_usage
from chaos.speech import Speech
from chaos.stacks import where
from chaos.world import World, patience
from mien.client import Client
from mien.errors import ClientError

RECOVERY_S: Final = 30.0
REST_S: Final = 90.0  # for the actors to finish what they do
SLOW_S: Final = 20.0
PROBE_S: Final = 1.0
SPOKEN_S: Final = 15.0  # for speech that disconnected clients have left
LINES: Final = 14
FIRST_HOLD_S, MOST_HOLD_S = 2.0, 60.0  # mien.core.backoff: how long a face that is lost repeatedly is ignored
FRESH_S: Final = 3.0
WAYS: Final = ("ipc", "tcp", "curve")


def recovery_s(world: World) -> float:
    """Time within which the level must return to full."""
    losses = world.face_losses
    held_s = 0.0 if losses < 2 else min(MOST_HOLD_S, FIRST_HOLD_S * 2.0 ** (losses - 2))
    return patience(RECOVERY_S) + held_s


def settle(world: World, actors: list[Actor], oracles: dict[str, ResourceOracle]) -> list[str]:
    """Wait until everything has recovered; report what has not. Returns actors that were slow to stop, with stacks."""
    world.quiet.set()
    try:
        slow = _rest(world, actors)
        until_s = time.monotonic() + recovery_s(world)
        missing = _missing(world, oracles)
        while missing and time.monotonic() < until_s and world.wait(0.3):
            missing = _missing(world, oracles)
        if missing and not world.stopping.is_set():
            what = f"{recovery_s(world):.0f} s after the last act, while idle: {'; '.join(missing)}"
            world.verdicts.add("recovery", missing[0].partition(":")[0], what, _logs(world))
        else:
            _say(world)
            _set_rest(world, oracles)
        return slow
    finally:
        world.quiet.clear()


def _rest(world: World, actors: list[Actor]) -> list[str]:
    slow = []
    began_s = time.monotonic()
    for actor in actors:
        told = False
        while not actor.resting.is_set() and time.monotonic() - began_s < REST_S and world.wait(0.1):
            if not told and time.monotonic() - began_s > SLOW_S:
                slow.append(f"{actor.name}: {where(actor)}")
                told = True
        if not actor.resting.is_set() and not world.stopping.is_set():
            turns = world.book.open_of(actor.name)
            what = f"{actor.name} did not stop within {REST_S:.0f} s; it has {turns} open turns"
            world.verdicts.add("client", "stuck", what, where(actor, 30))
    return slow


def _missing(world: World, oracles: dict[str, ResourceOracle]) -> list[str]:
    """What has not recovered, most significant first; each begins with a key and a colon."""
    for name, child in world.processes.children.items():
        if child.pid is None:
            return [f"{name}: not running"]
    level = world.bus.level(world.processes["voice"].pid)
    if level != "full":
        return [f"level: {level or 'not reported on the bus'}"]
    face = world.bus.face
    if face is None or face[1].pid != world.processes["face"].pid or time.monotonic() - face[0] > FRESH_S:
        return ["face: no reports on the bus"]
    ear = world.ears.told
    if ear is None or ear[1].pid != world.processes["ear"].pid or time.monotonic() - ear[0] > FRESH_S:
        return ["ear: no reports to meters"]
    for way in WAYS:
        with Probe(world, way) as probe:
            if not probe.welcomed:
                return [f"{way}: a client is refused ({probe.refusal})"]
            if not probe.answers():
                return [f"{way}: a ping is not answered"]
    return _left_over(world, oracles)


def _left_over(world: World, oracles: dict[str, ResourceOracle]) -> list[str]:
    found = []
    for name, oracle in oracles.items():
        pid = world.processes[name].pid
        usage = read_usage(pid) if pid is not None else None
        said = oracle.left_over(usage) if usage is not None else ""
        if said:
            found.append(f"{name} leaked: {said}")
    return found


def _set_rest(world: World, oracles: dict[str, ResourceOracle]) -> None:
    for name, oracle in oracles.items():
        pid = world.processes[name].pid
        usage = read_usage(pid) if pid is not None else None
        if usage is not None:
            oracle.set_rest(usage)


def _logs(world: World) -> str:
    ends = (world.processes.log(name).read_text(errors="replace").splitlines()[-LINES:] for name in NAMES)
    return "\n".join(f"{name}: {line}" for name, lines in zip(NAMES, ends, strict=True) for line in lines)


def _say(world: World) -> None:
    """A one-second turn must be heard whole, once the speech left by others has been played."""
    prober = Speaker(world, "prober")
    until_s = time.monotonic() + patience(SPOKEN_S)
    fate = "refused"
    try:
        prober.enter("ipc")
        while fate == "refused" and time.monotonic() < until_s and prober.client is not None and world.wait(0.2):
            fate = _spoken(prober, prober.client)
    except ClientError as error:
        fate = str(error)
    finally:
        prober.leave()
    if fate != "played" and not world.stopping.is_set():
        world.verdicts.add("recovery", "speech", f"while idle, a one-second turn was not played: {fate}", _logs(world))


def _spoken(prober: Speaker, client: Client) -> str:
    """Play a one-second turn; returns how it ended. Raises ClientError."""
    speech = Speech(prober, client)
    try:
        speech.write(PROBE_S)
    except ClientError as error:
        speech.failed(error)
    finished = speech.wait()
    return finished.reason if finished else "refused"
