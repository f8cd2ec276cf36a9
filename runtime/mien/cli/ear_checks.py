"""The checks of `mien doctor` on the ear, one function a row."""

import time
from pathlib import Path
from typing import Final

from mien.cli.checks import Finding
from mien.cli.ear_meter import MeterReader
from mien.config import Config
from mien.core.ear_bus import EarHealth
from mien.errors import MienError
from mien.host.clock import MonotonicClock
from mien.units import NS_PER_S

LISTEN_S: Final = 0.6
REPORT_S: Final = 1.6  # a running ear reports its health once a second
ECHO_STATES: Final = ("no_echo_reference", "loopback")
LEAST_ERLE_DB: Final = 15.0
CLIP_DBFS: Final = -0.5
OFF: Final = "off ([ear] enabled)"
_NAMES: Final = ("microphone", "echo", "clip")


def check_ear(config: Config, run_dir: Path) -> list[Finding]:
    """The rows microphone, echo, clip: of the running mien-ear, otherwise by opening the microphone."""
    if (health := _running(run_dir)) is not None:
        return [microphone_of(health), echo_of(health), clip_of(health)]
    if not config.ear.enabled:
        return [Finding(name=name, verdict="good", detail=OFF) for name in _NAMES]
    return _opened(config)


def microphone_of(health: EarHealth) -> Finding:
    """Whether the running ear hears anything."""
    who = f"mien-ear ({health.pid})"
    if health.state in ("no_card", "silent"):
        return Finding(name="microphone", verdict="bad", detail=f"{who}: {health.state}", remedy=health.why)
    if health.state == "muted":
        return Finding(name="microphone", verdict="good", detail=f"{who}: muted {health.why}")
    if health.state == "ok" and health.why:
        return Finding(name="microphone", verdict="poor", detail=f"{who} listens, with a limitation", remedy=health.why)
    drift = "" if health.drift_ppm is None else f", drift {health.drift_ppm:.0f} ppm"
    lost = health.counters.get("capture_lost_ms", 0)
    return Finding(
        name="microphone",
        verdict="good",
        detail=f"{who} listens: {health.level_dbfs:.0f} dBFS{drift}, {lost} ms lost",
    )


def echo_of(health: EarHealth) -> Finding:
    """Whether the running ear removes the kiosk's own speech."""
    if health.state in ECHO_STATES:
        return Finding(name="echo", verdict="bad", detail=health.state, remedy=health.why)
    if health.erle_db is None:
        return Finding(name="echo", verdict="good", detail="nothing has been spoken yet, so nothing was measured")
    delay = "" if health.delay_ms is None else f", delay {health.delay_ms:.1f} ms"
    good = health.erle_db >= LEAST_ERLE_DB
    return Finding(
        name="echo",
        verdict="good" if good else "poor",
        detail=f"{health.erle_db:.0f} dB removed{delay}",
        remedy="" if good else "run `mien ear calibrate`; lower the speaker's volume if it distorts",
    )


def clip_of(health: EarHealth) -> Finding:
    """Whether the running ear's microphone is overdriven."""
    if health.state == "clipping":
        return Finding(name="clip", verdict="poor", detail="the microphone clips", remedy=health.why)
    return Finding(name="clip", verdict="good", detail="the microphone does not clip")


def _running(run_dir: Path) -> EarHealth | None:
    """The health of a running ear; None without one."""
    try:
        with MeterReader(run_dir) as reader:
            until_s = time.monotonic() + REPORT_S
            while reader.health is None and time.monotonic() < until_s:
                reader.listen(0.1)
            return reader.health
    except MienError:  # of another release
        return None


def _opened(config: Config) -> list[Finding]:
    from mien.core.stats import Counters
    from mien.ear.echo import EchoCanceller
    from mien.ear.meter import SILENCE_DBFS, Meter
    from mien.ear.microphone import Microphone

    meter, clock = Meter(), MonotonicClock()
    microphone = Microphone(config.ear, clock, Counters())
    until_ns = clock.now_ns() + round(LISTEN_S * NS_PER_S)
    while clock.now_ns() < until_ns:
        for block in microphone.read():
            meter.add(block.pcm)
        time.sleep(0.01)
    failure = microphone.failure
    microphone.close()
    found = []
    if failure:
        found.append(
            Finding(name="microphone", verdict="bad", detail=failure, remedy="`mien ear cards` lists the microphones")
        )
    elif meter.peak_dbfs == SILENCE_DBFS:
        found.append(
            Finding(
                name="microphone",
                verdict="bad",
                detail="it delivers digital silence",
                remedy="is it plugged in, switched on? `mien ear cards`; ear.channel chooses a channel",
            )
        )
    else:
        found.append(Finding(name="microphone", verdict="good", detail=f"{meter.rms_dbfs:.0f} dBFS"))
    try:
        EchoCanceller(config.ear)
    except MienError as error:
        found.append(Finding(name="echo", verdict="bad", detail=str(error), remedy="pip install 'mien[ear]'"))
    else:
        found.append(Finding(name="echo", verdict="good", detail="can be cancelled; `mien ear calibrate` measures it"))
    clips = meter.peak_dbfs > CLIP_DBFS
    found.append(
        Finding(
            name="clip",
            verdict="poor" if clips else "good",
            detail=f"peak {meter.peak_dbfs:.0f} dBFS",
            remedy="lower the capture volume with alsamixer" if clips else "",
        )
    )
    return found
