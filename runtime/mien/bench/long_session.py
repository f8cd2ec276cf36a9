"""Hours of conversation on a manual clock, to reveal memory growth or drift."""

import gc
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from mien.audio.null import NullSink
from mien.config import Config, PlaybackConfig
from mien.core import wire
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.motion.base import Pcm
from mien.units import NS_PER_S, ns_to_ms
from mien.voice.engine import Engine

RATE_HZ: Final = 16_000
STEP_MS: Final = 20.0  # coarser than the service's step, with a matching buffer, so that hours take minutes
BUFFER_MS: Final = 60
CHUNK_FRAMES = RATE_HZ // 50
TURNS_A_MINUTE = 4
HOUR_S = 3600


@dataclass(slots=True)
class LongSession:
    """resident_mb: memory after each hour. begun, finished: numbers of turns.

    late_ms: for each completed turn, how much longer its playback took than its audio lasts.
    """

    resident_mb: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    begun: int = 0
    finished: int = 0


class _Talk:
    """One voice with a bot, an agent and an observer."""

    def __init__(self, speech: list[Pcm]) -> None:
        self.clock = ManualClock(NS_PER_S)
        self.result = LongSession()
        self._speech = speech
        self._started_ns: dict[str, int] = {}
        playback = PlaybackConfig(sink="null", rate_hz=RATE_HZ, buffer_ms=BUFFER_MS)
        self.voice = Engine(
            Config(playback=playback),
            clock=self.clock,
            counters=Counters(),
            send=self._hear,
            publish=lambda _: None,
            opener=lambda _, clock: NullSink(clock, RATE_HZ, RATE_HZ // 10),
        )
        for name, role in ((b"bot", "speaker"), (b"agent", "agent"), (b"eye", "observer")):
            self.say(name, wire.Hello(protocol=1, client=name.decode(), role=role))  # type: ignore[arg-type]
        self.say(b"eye", wire.Subscribe())

    def say(self, client: bytes, message: wire.Message, *payload: bytes) -> None:
        self.voice.handle(client, [wire.encode(message), *payload])

    def speak(self, client: bytes, number: int) -> None:
        turn = f"turn-{number}"
        words = tuple(wire.Word(f"word{n}", n * 200, n * 200 + 180) for n in range(8))
        self.say(client, wire.Caption(turn=turn, text="some words", words=words))
        pcm = self._speech[number % len(self._speech)]
        for seq, at in enumerate(range(0, len(pcm), CHUNK_FRAMES)):
            self.say(client, wire.Audio(turn=turn, seq=seq), pcm[at : at + CHUNK_FRAMES].tobytes())
        self.say(client, wire.End(turn=turn))
        self.result.begun += 1

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 1000 / STEP_MS)):
            self.voice.step()
            self.clock.advance_ms(STEP_MS)

    def _hear(self, _: bytes, message: wire.Message) -> None:
        match message:
            case wire.Started():
                self._started_ns[message.turn] = self.clock.now_ns()
            case wire.Finished():
                self.result.finished += 1
                started_ns = self._started_ns.pop(message.turn, None)
                if started_ns is not None and message.reason == "played":
                    took_ms = ns_to_ms(self.clock.now_ns() - started_ns)
                    self.result.late_ms.append(took_ms - message.played_ms)


def talk_for_hours(hours: float, speech: list[Pcm], progress: Callable[[str], None]) -> LongSession:
    """Simulate TURNS_A_MINUTE turns with interruptions, pauses and takeovers. speech: int16 (N,) each, at RATE_HZ."""
    talk, random = _Talk(speech), np.random.default_rng(8)
    for number in range(round(hours * 60 * TURNS_A_MINUTE)):
        if number and number % (60 * TURNS_A_MINUTE) == 0:
            gc.collect()
            talk.result.resident_mb.append(resident_mb())
        progress(f"simulated hour {number // (60 * TURNS_A_MINUTE) + 1}/{hours:g}")
        _one_turn(talk, number, random)
    talk.pass_time(5)
    gc.collect()
    talk.result.resident_mb.append(resident_mb())
    return talk.result


def resident_mb() -> float:
    """The resident memory of this process in MB. Unlike PSS, it does not depend on what other processes share."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _one_turn(talk: _Talk, number: int, random: np.random.Generator) -> None:
    """Simulate one turn, which takes 60 / TURNS_A_MINUTE seconds."""
    talk.speak(b"bot", number)
    early_s = 0.1 + 0.4 * float(random.random())
    talk.pass_time(early_s)
    if number % 4 == 1:
        talk.say(b"bot", wire.Interrupt())
    elif number % 40 == 2:
        talk.say(b"agent", wire.TakeFloor())
        talk.speak(b"agent", number)
        talk.say(b"agent", wire.ReleaseFloor())
    talk.pass_time(60 / TURNS_A_MINUTE - early_s)
