"""The command `mien ear calibrate`."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
import numpy as np
import zmq

from mien.cli.ear_options import config_option, json_option, set_option
from mien.config import Config, load_config, parse_overrides
from mien.core.ear_bus import EAR_RATE_HZ, EarHealth, FarEnd, decode_from_voice, encode
from mien.core.stats import Counters
from mien.errors import CaptureError, MienError
from mien.host.clock import MonotonicClock, sleep_until_ns
from mien.host.exits import Exit, exit_codes
from mien.host.rundir import resolve_run_dir
from mien.transport import voice_endpoint
from mien.units import NS_PER_S

if TYPE_CHECKING:
    from mien.client import Client
    from mien.ear.calibrate import Calibration

ROOM_NS: Final = NS_PER_S
"""Silence before the chirps, in which the room's own noise is measured."""

TAIL_NS: Final = NS_PER_S
MOST_NS: Final = 60 * NS_PER_S
HEALTH_NS: Final = NS_PER_S


@click.command()
@config_option
@set_option
@json_option
def calibrate(path: Path | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Play chirps through the running voice, and find how the microphone hears them: delay, gain, noise, clipping.
    Prints the lines to put into mien.toml. Needs mien-voice, and the microphone for itself: stop mien-ear first.

    \b
    Example: mien ear calibrate

    Exit codes: 0 calibrated, 1 something is wrong (it says what to do), 2 mien-ear is running, 3 mien-voice is not.
    """
    with exit_codes("mien ear calibrate"):
        config = load_config(path, parse_overrides(pairs))
        click.echo("mien ear calibrate: playing four chirps; please be quiet for seven seconds", err=True)
        found = measure(config, resolve_run_dir(config.run_dir))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        click.echo(in_words(found))
    for problem in found.problems:
        click.echo(f"mien ear calibrate: {problem}", err=True)
    if found.problems:
        sys.exit(Exit.FAILED)


def measure(config: Config, run_dir: Path) -> Calibration:
    """Play, capture, analyse. Raises ConfigError, ClientError, CaptureError."""
    from mien.cli.own_ear import ear_lock
    from mien.client import connect
    from mien.ear.calibrate import analyse

    with ear_lock(run_dir, "mien ear calibrate"):
        agent = connect(voice_endpoint(run_dir), rate_hz=EAR_RATE_HZ, name="mien ear calibrate")
        with agent, Listening(config, run_dir) as listening:
            listening.until(lambda passed_ns: passed_ns >= ROOM_NS)
            speech = _Speech(agent)
            listening.until(lambda passed_ns: not speech.is_alive() or passed_ns >= MOST_NS)
            listening.until(lambda passed_ns: passed_ns >= TAIL_NS)
            speech.check()
        return analyse(listening.far, listening.near)


class _Speech(threading.Thread):
    """Plays the chirps as one turn."""

    def __init__(self, agent: Client) -> None:
        super().__init__(name="chirps", daemon=True)
        self._agent = agent
        self._failure: MienError | None = None
        self.start()

    def run(self) -> None:
        from mien.ear.calibrate import signal

        try:
            finished = self._agent.say(signal())
            if finished.interrupted:
                self._failure = CaptureError(f"the chirps were interrupted ({finished.reason}); try again")
        except MienError as error:
            self._failure = error

    def check(self) -> None:
        """Raises what ended the playing early."""
        if self._failure is not None:
            raise self._failure


class Listening:
    """Records the microphone, with the far end that the voice publishes while an ear reports. far, near: as parts."""

    def __init__(self, config: Config, run_dir: Path) -> None:
        from mien.ear.calibrate import Part
        from mien.ear.microphone import Microphone
        from mien.transport.ear_bus import EarBus

        self._clock, self._counters = MonotonicClock(), Counters()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._bus = EarBus(self._context, run_dir, self._counters)
        self._microphone = Microphone(config.ear, self._clock, self._counters)
        self._health_ns = 0
        self.far: list[Part] = []
        self.near: list[Part] = []

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *_: object) -> None:
        self._microphone.close()
        self._bus.close()
        self._context.term()

    def until(self, done: Callable[[int], bool]) -> None:
        """Record until done(nanoseconds since this call) is true. Raises CaptureError without a microphone."""
        began_ns = self._clock.now_ns()
        while not done(self._clock.now_ns() - began_ns):
            sleep_until_ns(self._microphone.next_ns())
            self._step()

    def _step(self) -> None:
        from mien.ear.calibrate import Part

        now_ns = self._clock.now_ns()
        if now_ns >= self._health_ns:
            self._health_ns = now_ns + HEALTH_NS
            self._bus.report([encode(self._health())])
        while (frames := self._bus.receive()) is not None:
            message = decode_from_voice(frames[0])
            if isinstance(message, FarEnd):
                silent = np.zeros(message.frames, np.int16)
                self.far.append(Part(silent if message.silent else np.frombuffer(frames[1], "<i2"), message.at_ns))
        for block in self._microphone.read():
            self.near.append(Part(block.pcm.copy(), block.at_ns))
        if self._microphone.failure:
            raise CaptureError(self._microphone.failure)

    def _health(self) -> EarHealth:
        return EarHealth(
            pid=os.getpid(),
            state="ok",
            why="",
            level_dbfs=-100.0,
            clean_dbfs=-100.0,
            counters=self._counters.snapshot(),
        )


def in_words(found: Calibration) -> str:
    """For people: the figures, then the lines for mien.toml."""
    lines = [f"noise      {found.noise_dbfs:.1f} dBFS", f"peak       {found.peak_dbfs:.1f} dBFS"]
    if found.delay_ms is None:
        return "\n".join([*lines, f"chirps     {found.heard} of 4 heard"])
    lines += [
        f"chirps     {found.heard} of 4 heard, {found.spread_ms:.2f} ms apart at most",
        f"delay      {found.delay_ms:.2f} ms from the speaker's clock to the microphone's",
        f"gain       {found.gain_db:.1f} dB from the speaker's sound to the microphone's",
    ]
    if not found.problems:
        lines += ["", "[ear]", f"delay_ms = {found.delay_ms:.1f}"]
    return "\n".join(lines)
