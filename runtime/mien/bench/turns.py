"""Turns of a measured session, spoken to their end or interrupted."""

import time
from collections.abc import Callable

import numpy as np

from mien.bench.session import Session
from mien.core import wire
from mien.errors import MienError
from mien.motion.base import Pcm

GAP_S = 0.4  # between utterances, so that the face comes to rest
ANSWER_S = 30.0


def speak(session: Session, send: Callable[[Pcm], tuple[int, str]], pcm: Pcm) -> tuple[int, int, float]:
    """Speak and wait until it was heard. Returns (sent_ns, finished_ns, latency of the first sound in ms).

    Raises MienError when the voice does not answer.
    """
    sent_ns, turn = send(pcm)
    latency_ms = float("nan")
    while not isinstance(event := session.client.poll(ANSWER_S), wire.Finished) or event.turn != turn:
        if event is None:
            raise MienError(f"mien-voice did not finish a turn within {ANSWER_S:.0f} s; run `mien doctor`")
        if isinstance(event, wire.Started) and event.turn == turn:
            latency_ms = event.latency_ms
    finished_ns = time.monotonic_ns()
    time.sleep(GAP_S)
    return sent_ns, finished_ns, latency_ms


def interrupt_heard(session: Session, pcm: Pcm, seed: int) -> tuple[int, int, tuple[wire.Finished, ...], float]:
    """Interrupt an utterance that is being heard, at a random time that `seed` determines.

    Returns (time of the interrupt in ns, epoch that it ended, acknowledgements, first sound's latency in ms).
    """
    _, turn = session.burst(pcm)
    latency_ms = float("nan")
    while not (isinstance(event := session.client.poll(10), wire.Started) and event.turn == turn):
        if event is None:
            break
    else:
        latency_ms = event.latency_ms
    time.sleep(0.05 + 0.6 * float(np.random.default_rng(seed).random()))
    epoch = session.probe.anchors[-1].epoch
    sent_ns = time.monotonic_ns()
    return sent_ns, epoch, session.client.interrupt(), latency_ms
