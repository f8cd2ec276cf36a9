"""The ear's benchmark: echo removed, interruptions found, alignment over hours, cost.

Everything runs through the ear's whole signal path in simulated rooms: a small loudspeaker that distorts, walls by the
image-source method, noise, two clocks that drift. What the speaker is told and what the microphone hears differ.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.bench.ear_blocks import instruction_row
from mien.bench.ear_hours import drift_for_hours
from mien.bench.ear_recogniser import fetch
from mien.bench.ear_rooms import Room, drifted, loudspeaker, noise, rms, rooms, through
from mien.bench.ear_scene import Heard, hear
from mien.bench.ear_scores import Spoken, erle_db, log_spectral_distance_db, match, si_sdr_db
from mien.bench.ear_voices import CUSTOMER, RATE_HZ, Signal, human_phrases, kiosk_speech, speak, synthetic
from mien.bench.ear_words import word_rows
from mien.bench.rows import Report, Row, machine, percentile_row
from mien.config import EarConfig
from mien.core.ear_bus import EAR_BLOCK_FRAMES
from mien.ear.pipeline import Pipeline
from mien.errors import MienError

Progress = Callable[[str], None]

FULL_SCALE_DB: Final = -3.0
"""Peak of the echo at the microphone when the kiosk speaks at its loudest."""

ECHO_DB: Final = -36.0
"""RMS of the echo in the scenes with interruptions, so that a customer who is 15 dB louder does not clip."""

SPACING_S: Final = 5
PHRASE_S: Final = 2.5
COST_S: Final = 6
COST_RUNS: Final = 5

_PSS_PROGRAM: Final = """
import numpy as np
from mien.config import EarConfig
from mien.core.ear_bus import FarEnd
from mien.ear.pipeline import Pipeline
from mien.host.memory import pss_mb
ear = Pipeline(EarConfig())
random = np.random.default_rng(1)
for block in range(500):
    sound = (random.standard_normal(320) * 3000).astype(np.int16)
    at_ns = 10**12 + block * 20_000_000
    ear.far_end(FarEnd(stream=1, offset=block * 320, frames=320, at_ns=at_ns + 20_000_000), sound)
    ear.process(sound, at_ns)
print(pss_mb())
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. interruptions, echo_s, hours: per benchmark. rooms, voices: of the echo's measurement."""

    interruptions: int
    echo_s: int
    hours: float
    rooms: int
    voices: int


FULL: Final = Size(interruptions=200, echo_s=600, hours=8.0, rooms=4, voices=4)
QUICK: Final = Size(interruptions=16, echo_s=40, hours=0.1, rooms=2, voices=1)


@dataclass(frozen=True, slots=True)
class _Voices:
    kiosk: tuple[Signal, ...]
    customers: tuple[Signal, ...]
    humans: int


def run_ear(quick: bool, progress: Progress, *, recogniser: bool = False) -> Report:
    """Run the benchmark. recogniser: fetch one, for word errors. Raises MienError: what is missing, with a remedy."""
    if recogniser:
        fetch(progress)
    size = QUICK if quick else FULL
    progress("rooms")
    places = rooms()
    voices = _voices(size, progress)
    rows = [
        *_erle_rows(places[: size.rooms] if quick else places, voices, progress),
        *_echo_only_rows(places, voices, size, progress),
        *_interruption_rows(places, voices, size, progress),
        *_harm_rows(voices, size, progress),
        *word_rows(places, voices.kiosk, quick, progress),
        *_cost_rows(places[0], voices, progress),
        *_drift_rows(size, progress),
    ]
    return Report(benchmark="ear", rows=tuple(rows), machine=machine())


def _voices(size: Size, progress: Progress) -> _Voices:
    names = ("flite:rms", "en-us+f3", "flite:slt", "en")[: size.voices]
    kiosk = []
    for name in names:
        progress(f"speech of {name}")
        kiosk.append(kiosk_speech(40 if size is FULL else 14, name))
    every = synthetic()
    texts = CUSTOMER if size is FULL else CUSTOMER[:4]
    customers = [speak(text, every[(3 * number) % len(every)]) for number, text in enumerate(texts)]
    customers += [speak(text, every[(3 * number + 4) % len(every)]) for number, text in enumerate(texts)]
    humans = human_phrases(progress)
    return _Voices(tuple(kiosk), (*customers, *humans), len(humans))


def _played(voices: _Voices, number: int, seconds: float, peak: float = 0.9) -> Signal:
    """The kiosk's speech as it is written to the device."""
    speech = voices.kiosk[number % len(voices.kiosk)]
    return np.asarray(np.resize(speech, round(seconds * RATE_HZ)) * peak, np.float64)


def _echo(far: Signal, room: Room, distortion: float, ppm: float = 0.0) -> Signal:
    """What reaches the microphone of it, at any level."""
    heard = through(loudspeaker(drifted(far, ppm), distortion), room.echo)
    return heard[: len(far)] if len(heard) >= len(far) else np.concatenate((heard, np.zeros(len(far) - len(heard))))


def _erle_rows(places: Sequence[Room], voices: _Voices, progress: Progress) -> list[Row]:
    plain = _erles(places, voices, progress, "echo removed")
    drifting = _erles(places, voices, progress, "with 100 ppm of drift", ppm=100.0)
    late = _erles(places, voices, progress, "with a delay 100 ms too long", delay_ms=100.0)
    early = _erles(places, voices, progress, "with a delay 100 ms too short", delay_ms=-100.0)
    return [
        *_erle_pair("ERLE in the first two seconds of speech", [each[0] for each in plain], 26.0),
        *_erle_pair("ERLE after five seconds", [each[1] for each in plain], 33.0),
        *_erle_pair("ERLE with 100 ppm of drift, first two seconds", [each[0] for each in drifting], 26.0),
        *_erle_pair("ERLE with 100 ppm of drift, after five seconds", [each[1] for each in drifting], 26.0),
        *_erle_pair("ERLE after five seconds, delay 100 ms too long", [each[1] for each in late], 30.0),
        *_erle_pair("ERLE after five seconds, delay 100 ms too short", [each[1] for each in early], 30.0),
    ]


def _erle_pair(name: str, values: list[float], bar: float) -> list[Row]:
    median, low = (round(float(np.percentile(values, percent)), 1) for percent in (50, 10))
    return [
        Row(name=f"{name}, median", value=median, unit="dB", bar=bar, at_most=False, samples=len(values)),
        Row(name=f"{name}, p10", value=low, unit="dB", samples=len(values)),
    ]


def _erles(
    places: Sequence[Room], voices: _Voices, progress: Progress, what: str, *, ppm: float = 0.0, delay_ms: float = 0.0
) -> list[tuple[float, float]]:
    """In 0-2 s and 5-12 s, for each room with each voice."""
    found = []
    for number, (room, voice) in enumerate((room, voice) for room in places for voice in range(len(voices.kiosk))):
        progress(f"{what}: {number + 1}/{len(places) * len(voices.kiosk)}")
        random = np.random.default_rng(number)
        far = _played(voices, voice, 12)
        echo = _echo(far, room, 0.5, ppm)
        near = echo * (10 ** (-26 / 20) / rms(echo))
        near += noise(len(near), random) * (10 ** (-66 / 20))
        heard = hear(near, far, config=EarConfig(delay_ms=delay_ms), far_ppm=ppm)
        found.append((erle_db(heard.raw, heard.clean, 0, 2), erle_db(heard.raw, heard.clean, 5, 12)))
    return found


def _echo_only_rows(places: Sequence[Room], voices: _Voices, size: Size, progress: Progress) -> list[Row]:
    """The kiosk alone, at its loudest, in scenes of 30 s, each of which begins with an ear that knows nothing."""
    scenes = max(1, size.echo_s // 30)
    false = 0
    for number in range(scenes):
        progress(f"the kiosk alone at its loudest: {number + 1}/{scenes}")
        random = np.random.default_rng(1000 + number)
        far = np.roll(_played(voices, number // len(places), 30, 0.95), -int(random.integers(30 * RATE_HZ)))
        echo = _echo(far, places[number % len(places)], 1.0)
        near = echo * (10 ** (FULL_SCALE_DB / 20) / np.abs(echo).max())
        near += noise(len(near), random) * 10 ** (random.uniform(-60, -42) / 20)
        false += len(hear(near, far).starts)
    name = f"false user_started in {scenes * 30 / 60:g} minutes of the kiosk's own speech"
    return [Row(name=name, value=false, unit="", bar=0.0, samples=scenes)]


def _interruption_rows(places: Sequence[Room], voices: _Voices, size: Size, progress: Progress) -> list[Row]:
    """Customers who speak over the kiosk, 0 to 15 dB above its echo, in noise 5 to 20 dB below it."""
    latencies: list[float] = []
    errors: list[float] = []
    missed = false = 0
    for scene in range(-(-size.interruptions // 10)):
        progress(f"interruptions: {scene * 10}/{size.interruptions}")
        count = min(10, size.interruptions - scene * 10)
        heard, spoken = _interrupted(places[scene % len(places)], voices, scene, count)
        result = match(spoken, heard.starts)
        latencies += result.latencies_ms
        errors += [abs(error) for error in result.errors_ms]
        missed, false = missed + result.missed, false + result.false
    return [
        Row(name="interruptions missed", value=missed, unit="", bar=0.0, samples=size.interruptions),
        Row(name="user_started between the interruptions", value=false, unit="", samples=size.interruptions),
        percentile_row("first sound to user_started, median", latencies, 50),
        percentile_row("first sound to user_started, p95", latencies, 95, bar=180.0),
        percentile_row("error of user_started's time, median", errors, 50),
        percentile_row("error of user_started's time, p95", errors, 95),
    ]


def _interrupted(room: Room, voices: _Voices, seed: int, count: int) -> tuple[Heard, list[Spoken]]:
    random = np.random.default_rng(2000 + seed)
    frames = (count * SPACING_S + 2) * RATE_HZ
    far = np.roll(_played(voices, seed, frames / RATE_HZ), -int(random.integers(frames)))
    echo = _echo(far, room, random.uniform(0.2, 1.0))
    near = echo * (10 ** (ECHO_DB / 20) / rms(echo))
    near += noise(frames, random) * 10 ** ((ECHO_DB - random.uniform(5, 20)) / 20)
    spoken = []
    for number in range(count):
        phrase = voices.customers[random.integers(len(voices.customers))][: round(PHRASE_S * RATE_HZ)]
        sound = through(np.concatenate((phrase, np.zeros(RATE_HZ // 2))), room.mouth)
        louder_db = float(random.uniform(0, 15))
        first = round((number * SPACING_S + 1.5 + random.uniform(0, 1)) * RATE_HZ)
        near[first : first + len(sound)] += sound * (10 ** ((ECHO_DB + louder_db) / 20) / rms(sound))
        spoken.append(Spoken(first / RATE_HZ, (first + len(phrase)) / RATE_HZ, louder_db))
    return hear(near, far), spoken


def _harm_rows(voices: _Voices, size: Size, progress: Progress) -> list[Row]:
    """Customers who speak while the kiosk is silent, in a quiet room."""
    progress("what is done to a customer's speech")
    config = EarConfig()
    bare = EarConfig(noise_suppression="off")
    found = {"with noise suppression": config, "without": bare}
    humans = voices.customers[-voices.humans :]
    rows = []
    for name, chosen in found.items():
        distances, ratios = [], []
        for number, phrase in enumerate(humans[: 12 if size is FULL else 3]):
            sound = np.concatenate((np.zeros(RATE_HZ), phrase * 0.3, np.zeros(RATE_HZ // 2)))
            sound += noise(len(sound), np.random.default_rng(number)) * 10 ** (-70 / 20)
            heard = hear(sound, np.zeros(len(sound)), config=chosen)
            ratios.append(si_sdr_db(heard.raw[RATE_HZ:], heard.clean[RATE_HZ:]))
            distances.append(log_spectral_distance_db(heard.raw[RATE_HZ:], heard.clean[RATE_HZ:]))
        rows += [
            percentile_row(f"near end alone, {name}: log-spectral distance, median", distances, 50, "dB"),
            percentile_row(f"near end alone, {name}: SI-SDR, median", ratios, 50, "dB"),
        ]
    return rows


def _cost_rows(room: Room, voices: _Voices, progress: Progress) -> list[Row]:
    """Processor time by block, least of several runs: other processes on the machine only add to it."""
    frames = COST_S * RATE_HZ
    random = np.random.default_rng(5)
    quiet = noise(frames, random) * 10 ** (-60 / 20)
    far = _played(voices, 0, COST_S)
    echo = _echo(far, room, 0.5)
    echo *= 10 ** (-30 / 20) / rms(echo)
    customer = np.resize(np.concatenate((*voices.customers[-4:], np.zeros(RATE_HZ))), frames) * 0.2
    silence = np.zeros(frames)
    scenes = (
        ("nobody speaks", quiet, silence),
        ("the kiosk speaks", echo + quiet, far),
        ("a customer speaks", customer + quiet, silence),
        ("both speak", customer + echo + quiet, far),
    )
    rows = []
    for name, near, played in scenes:
        progress(f"processor: {name}")
        least = min(_core_percent(near, played) for _ in range(COST_RUNS))
        bar = None if name == "both speak" else 3.0
        rows.append(Row(name=f"processor, {name}", value=round(least, 2), unit="% of a core", bar=bar,
                        samples=COST_RUNS * frames // EAR_BLOCK_FRAMES))  # fmt: skip
    progress("aarch64 instructions")
    rows.append(instruction_row())
    progress("memory")
    rows.append(Row(name="signal path in a process of its own, PSS", value=_pss_mb(), unit="MB", bar=60.0))
    return rows


def _core_percent(near: Signal, far: Signal) -> float:
    ear = Pipeline(EarConfig())
    started_s = time.process_time()
    hear(near, far, pipeline=ear)
    return (time.process_time() - started_s) / (len(near) / RATE_HZ) * 100


def _pss_mb() -> float:
    made = subprocess.run([sys.executable, "-c", _PSS_PROGRAM], capture_output=True, text=True, check=False)
    if made.returncode:
        raise MienError(f"the memory could not be measured: {made.stderr.strip().splitlines()[-1]}")
    return round(float(made.stdout), 1)


def _drift_rows(size: Size, progress: Progress) -> list[Row]:
    rows = []
    for ppm in (200.0, -200.0):
        run = drift_for_hours(size.hours, ppm, progress)
        growth = run.resident_mb[-1] - run.resident_mb[min(1, len(run.resident_mb) - 1)]
        name = f"{size.hours:g} simulated hours at {ppm:+g} ppm"
        rows += [
            Row(name=f"{name}, worst error of the alignment", value=round(max(run.worst_ms, run.first_ms), 3),
                unit="ms", bar=2.0),
            Row(name=f"{name}, memory growth after the first", value=round(growth, 3), unit="MB", bar=1.0),
        ]  # fmt: skip
    return rows
