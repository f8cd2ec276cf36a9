"""The conversation benchmark: barge-in on the running system, hours on a manual clock, bandwidth of speech."""

import time
from collections.abc import Callable

import numpy as np

from mien.audio.opus import OpusEncoder, available
from mien.bench.long_session import talk_for_hours
from mien.bench.offsets import last_sound_ns, mouth_closed_ns
from mien.bench.pipeline import SETTINGS
from mien.bench.rows import Report, Row, machine, percentile_row
from mien.bench.session import CHUNK_FRAMES, running_session
from mien.bench.speech import RATE_HZ, utterances
from mien.bench.turns import GAP_S, interrupt_heard
from mien.core import wire
from mien.motion.base import Pcm
from mien.units import NS_PER_MS

HOURS = 8
ZMTP_FRAME_BYTES = 2  # flags and length of a short frame, ZMTP 3.1
ZMTP_LONG_FRAME_BYTES = 9
Progress = Callable[[str], None]


def run_conversation(count: int, progress: Progress) -> Report:
    """Run the benchmark. count: of interruptions, each in a turn of its own."""
    speech = utterances(min(count, 30))
    rows = _wire_rows(speech) + _hour_rows(speech, progress)
    cuts: list[tuple[int, int, float]] = []
    sounds: list[float] = []
    acknowledged = 0
    with running_session(SETTINGS) as session:
        time.sleep(1.0)
        for number in range(count):
            progress(f"interruption {number + 1}/{count}")
            sent_ns, epoch, finished, latency_ms = interrupt_heard(session, speech[number % len(speech)], number)
            sounds.append(latency_ms)
            acknowledged += len(finished)
            cuts += [(sent_ns, epoch, message.played_ms) for message in finished]
            time.sleep(GAP_S)
        last = session.client.say(speech[0])
    trace, anchors = session.trace, session.probe.anchors
    assert trace is not None
    silences = [
        (end - sent) / NS_PER_MS
        for sent, epoch, played in cuts
        if (end := last_sound_ns(anchors, epoch, played)) is not None
    ]
    shut = [(at - sent) / NS_PER_MS for sent, *_ in cuts if (at := mouth_closed_ns(trace, sent)) is not None]
    rows += [
        percentile_row("barge-in to last sample, median", silences, 50),
        percentile_row("barge-in to last sample, p95", silences, 95, bar=50.0),
        percentile_row("barge-in to mouth closed, median", shut, 50),
        percentile_row("barge-in to mouth closed, p95", shut, 95, bar=150.0),
        percentile_row("first sound, p95", sounds, 95, bar=60.0),
        Row(name="interruptions acknowledged", value=acknowledged, unit="", bar=count, at_most=False, samples=count),
        Row(
            name="turn after the interruptions, heard",
            value=last.played_ms,
            unit="ms",
            bar=len(speech[0]) * 1000 / RATE_HZ - 1,
            at_most=False,
        ),
    ]
    return Report(benchmark="conversation", rows=tuple(rows), machine=machine())


def _hour_rows(speech: list[Pcm], progress: Progress) -> list[Row]:
    found = talk_for_hours(HOURS, speech, progress)
    growth = np.diff(found.resident_mb)
    first, last = found.late_ms[: len(found.late_ms) // HOURS], found.late_ms[-len(found.late_ms) // HOURS :]
    change_ms = abs(float(np.median(last)) - float(np.median(first)))
    return [
        Row(
            name=f"{HOURS} simulated hours, turns without a finished",
            value=found.begun - found.finished,
            unit="",
            bar=0.0,
            samples=found.begun,
        ),
        Row(
            name=f"{HOURS} simulated hours, drift",
            value=round(change_ms, 3),
            unit="ms",
            bar=2.0,
            samples=len(found.late_ms),
        ),
        Row(
            name="memory growth per hour, mean after the first",
            value=round(float(growth.mean()), 3),
            unit="MB",
            bar=1.0,
            samples=len(growth),
        ),
        Row(
            name="memory growth per hour, maximum", value=round(float(growth.max()), 3), unit="MB", samples=len(growth)
        ),
    ]


def _wire_rows(speech: list[Pcm]) -> list[Row]:
    whole = np.concatenate(speech)
    seconds = len(whole) / RATE_HZ
    chunks = [whole[at : at + CHUNK_FRAMES].tobytes() for at in range(0, len(whole), CHUNK_FRAMES)]
    rows = [_wire_row("s16le at 16 kHz", chunks, seconds)]
    if available():
        rows.append(_wire_row("Opus at 24 kbit/s", OpusEncoder(RATE_HZ).encode_all(whole), seconds))
    return rows


def _wire_row(name: str, payloads: list[bytes], seconds: float) -> Row:
    """Bandwidth in 20 ms messages, headers and framing included."""
    size = sum(
        _framed(wire.encode(wire.Audio(turn="turn-1", seq=seq))) + _framed(payload)
        for seq, payload in enumerate(payloads)
    )
    return Row(name=f"speech on the wire, {name}", value=round(size / seconds), unit="bytes/s", samples=len(payloads))


def _framed(frame: bytes) -> int:
    return len(frame) + (ZMTP_FRAME_BYTES if len(frame) < 256 else ZMTP_LONG_FRAME_BYTES)
