"""The end-to-end benchmark: latency, A/V offset, barge-in, memory, with a null sink on an offscreen display."""

import time
from collections.abc import Callable

import numpy as np

from mien.bench.offsets import first_motion_ns, last_sound_ns, mouth_closed_ns, offsets_ms
from mien.bench.rows import Report, Row, machine, median, percentile_row
from mien.bench.session import Session, running_session
from mien.bench.speech import utterances
from mien.bench.turns import GAP_S, speak
from mien.host.memory import pss_mb, pss_of_files_mb
from mien.motion.base import Pcm
from mien.motion.load import load_engine
from mien.units import NS_PER_MS

SETTINGS = {
    "playback.sink": "null",
    "face.renderer": "gles",
    "face.width": "180",
    "face.height": "320",
    "face.fps": "30",
    "voice.listen": "[]",
}
RASTERISER = ("libLLVM", "swrast_dri", "libgallium")  # not part of a GPU driver
Progress = Callable[[str], None]


def run_pipeline(count: int, minutes: float, progress: Progress) -> Report:
    """Run the benchmark. count: of utterances. minutes: of continuous speech to measure drift; 0 to skip it."""
    speech = utterances(count)
    marks: dict[str, list[tuple[int, int, float]]] = {"burst": [], "real time": []}
    cuts: list[tuple[int, int, float]] = []
    with running_session(SETTINGS) as session:
        time.sleep(1.0)
        for kind, send in (("burst", session.burst), ("real time", session.real_time)):
            for number, pcm in enumerate(speech):
                progress(f"{kind} {number + 1}/{count}")
                marks[kind].append(speak(session, send, pcm))
        for number, pcm in enumerate(speech):
            progress(f"interrupt {number + 1}/{count}")
            cuts.append(_interrupt(session, pcm, number))
        if minutes:
            _speak_on(session, speech, minutes, progress)
        processes = [process.pid for process in (session.stack.voice, session.stack.face) if process]
        memory = [*(pss_mb(pid) for pid in processes), pss_of_files_mb(processes[-1], RASTERISER)]
    return Report(benchmark="pipeline", rows=tuple(_rows(session, marks, cuts, memory, minutes)), machine=machine())


def _interrupt(session: Session, pcm: Pcm, seed: int) -> tuple[int, int, float]:
    """Returns (time of the interrupt in ns, epoch, played_ms)."""
    session.burst(pcm)
    time.sleep(0.25 + 0.6 * float(np.random.default_rng(seed).random()))
    epoch = session.probe.anchors[-1].epoch
    sent_ns = time.monotonic_ns()
    finished = session.client.interrupt()
    time.sleep(GAP_S)
    return sent_ns, epoch, finished[0].played_ms if finished else float("nan")


def _speak_on(session: Session, speech: list[Pcm], minutes: float, progress: Progress) -> None:
    end_s = time.monotonic() + minutes * 60
    number = 0
    while (left_s := end_s - time.monotonic()) > 0:
        progress(f"continuous speech, {left_s:.0f} s left")
        session.client.say(speech[number % len(speech)])
        number += 1


def _rows(
    session: Session,
    marks: dict[str, list[tuple[int, int, float]]],
    cuts: list[tuple[int, int, float]],
    memory: list[float],
    minutes: float,
) -> list[Row]:
    trace, anchors = session.trace, session.probe.anchors
    assert trace is not None
    lookahead_ms = load_engine(None).info.lookahead_ms
    rows = []
    for kind, bar in (("burst", 60.0), ("real time", lookahead_ms + 60.0)):
        sounds = [latency for *_, latency in marks[kind]]
        motions = [
            (seen - sent) / NS_PER_MS
            for sent, done, _ in marks[kind]
            if (seen := first_motion_ns(trace, sent, done)) is not None
        ]
        rows += [
            percentile_row(f"first sound, {kind}, median", sounds, 50),
            percentile_row(f"first sound, {kind}, p95", sounds, 95, bar=bar),
            percentile_row(f"first visible motion, {kind}, median", motions, 50),
            percentile_row(f"first visible motion, {kind}, p95", motions, 95, bar=100.0 if kind == "burst" else None),
        ]
    seen_ns, offsets = offsets_ms(trace, anchors)
    rows += [
        Row(name="A/V offset, |median|", value=abs(median(offsets)), unit="ms", bar=8.0, samples=len(offsets)),
        percentile_row("A/V offset, p95 of |offset|", list(np.abs(offsets)), 95, bar=20.0),
    ]
    if minutes:
        first, last = offsets[seen_ns < seen_ns[0] + 60e9], offsets[seen_ns > seen_ns[-1] - 60e9]
        rows.append(
            Row(
                name="A/V drift, last minute against first",
                value=round(abs(median(last) - median(first)), 3),
                unit="ms",
                bar=2.0,
                samples=len(first) + len(last),
            )
        )
    silences = [
        (last - sent) / NS_PER_MS
        for sent, epoch, played in cuts
        if (last := last_sound_ns(anchors, epoch, played)) is not None
    ]
    closings = [
        (closed - sent) / NS_PER_MS for sent, *_ in cuts if (closed := mouth_closed_ns(trace, sent)) is not None
    ]
    rows += [
        percentile_row("barge-in to last sample, median", silences, 50),
        percentile_row("barge-in to last sample, p95", silences, 95, bar=50.0),
        percentile_row("barge-in to lips closed, p95", closings, 95, bar=150.0),
    ]
    face = session.probe.faces[-1]
    rows += [
        Row(name="memory of mien-voice", value=round(memory[0], 1), unit="MB PSS"),
        Row(name="memory of mien-face", value=round(memory[1], 1), unit="MB PSS"),
        Row(name="memory of both", value=round(memory[0] + memory[1], 1), unit="MB PSS", bar=160.0),
        Row(name="of which code of the software rasteriser", value=round(memory[2], 1), unit="MB PSS"),
        Row(
            name="cold start to first frame",
            unit="s",
            bar=2.5,
            value=round((int(trace.visible_ns[0]) - session.started_ns) / 1e9, 3),
        ),
        Row(
            name="frames missed",
            value=round(100 * face.missed / max(1, face.shown + face.missed), 2),
            unit="%",
            samples=face.shown,
        ),
    ]
    return rows
