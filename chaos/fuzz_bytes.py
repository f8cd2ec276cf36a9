"""Byte-level fuzzer for every socket of a running voice: corrupted protocol streams, by seed.

    python -m chaos.fuzz_bytes --messages 1000000 --seed 1

Invariants: the voice survives, accepts and answers clients, stays within its unit's memory, leaks no descriptor.
"""

import random
import sys
import time

import click
from rich.console import Console

from chaos import fuzz, fuzz_ear
from chaos.catalogue import SOCKETS
from chaos.hostile import Order
from chaos.hostile_bytes import KIND_OF, mutate
from chaos.lives import start_voice
from chaos.probe import Probe
from chaos.report import say
from chaos.resources import ResourceOracle, read_usage
from chaos.setup import make_world
from chaos.violation import Verdicts
from chaos.world import World
from chaos.zmtp import GREETING, Gone, Peer, message, ready

MESSAGES_A_STREAM = 25
LOOK_EVERY = 400  # streams
BEGINS_S, RESTS_S = 20.0, 10.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--messages", type=int, default=100_000, help="How many, valid and corrupted, over all sockets [100000].")
@click.option("--seed", type=int, default=1)
def main(messages: int, seed: int) -> None:
    """Fuzz a voice started for this purpose."""
    console, verdicts = Console(), Verdicts()
    world = make_world(seed, verdicts)
    world.systemd.start()
    began_s = time.monotonic()
    try:
        sent = _Fuzzer(world, seed).run(messages)
    finally:
        world.processes.stop()
        log = world.processes.log("voice").read_text(errors="replace")
        world.systemd.close()
        world.places.close()
    seconds = time.monotonic() - began_s
    say(console, f"seed {seed}: {sent} messages in {seconds:.0f} s, {sent / seconds:.0f} a second")
    for violation in verdicts.found:
        say(console, f"VIOLATION {violation.key}: {violation.what}\n{log[-3000:]}", "red")
    sys.exit(1 if verdicts.found else 0)


class _Fuzzer:
    """Sends streams to all sockets in turn; checks the voice regularly."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._order = Order({}, world.doors)
        self._oracle = ResourceOracle("voice", world.verdicts.add)
        start_voice(world)
        self._answers(BEGINS_S)
        self._rest()

    def run(self, messages: int) -> int:
        """Returns how many messages were sent."""
        streams = -(-messages // MESSAGES_A_STREAM)
        for number in range(streams):
            self._throw(number)
            if number % LOOK_EVERY == LOOK_EVERY - 1 or number == streams - 1:
                self._look(number)
                if self._world.verdicts.found:
                    return (number + 1) * MESSAGES_A_STREAM
        return streams * MESSAGES_A_STREAM

    def _throw(self, number: int) -> None:
        chance = random.Random(f"{self._seed}/{number}")
        where = SOCKETS[number % len(SOCKETS)]
        try:
            with Peer(self._order.address(where)) as peer:
                peer.send(stream(chance, KIND_OF.get(where, b"DEALER"), ear=where == "ear"), 2.0)
        except Gone:
            self._order.count("disconnected")

    def _look(self, number: int) -> None:
        pid = self._world.processes["voice"].pid
        if pid is None:
            self._wrong("death", f"it exited, within {LOOK_EVERY} streams before number {number}")
            return
        usage = read_usage(pid)
        if usage is not None:
            self._oracle.take(usage)
        if not self._answers(RESTS_S):
            self._wrong("silence", f"it accepts no client after stream {number}")
        elif not self._rest():
            left = read_usage(pid)
            self._wrong("left over", self._oracle.left_over(left) if left else "it exited")

    def _answers(self, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            with Probe(self._world, "ipc") as probe:
                if probe.welcomed and probe.answers():
                    return True
            time.sleep(0.1)
        return False

    def _rest(self) -> bool:
        """Whether the number of descriptors returns to its initial value in time."""
        until_s = time.monotonic() + RESTS_S
        while time.monotonic() < until_s:
            pid = self._world.processes["voice"].pid
            usage = read_usage(pid) if pid is not None else None
            if usage is not None and not self._oracle.left_over(usage):
                self._oracle.set_rest(usage)
                return True
            time.sleep(0.1)
        return False

    def _wrong(self, about: str, what: str) -> None:
        self._world.verdicts.add("fuzz", about, f"mien-voice: {what}")


def stream(chance: random.Random, kind: bytes, *, ear: bool = False) -> bytes:
    """A greeting and MESSAGES_A_STREAM messages, or reports of an ear; most streams corrupted somewhere."""
    opening = GREETING + ready(kind)
    frames = fuzz_ear.frames if ear else fuzz.frames
    said = b"".join(message(frames(chance)) for _ in range(MESSAGES_A_STREAM))
    match chance.randrange(4):
        case 0:
            return mutate(chance, opening + said)
        case 1:
            return opening + said
        case _:
            return opening + mutate(chance, said)


if __name__ == "__main__":
    main()
