"""Measures a board: devices, frame times, the running services, heat; one report."""

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.bench.board import results
from mien.bench.board.display import Display, probe_display
from mien.bench.board.facts import Devices, facts_of
from mien.bench.board.figures import line, spread
from mien.bench.board.frames import frame_times
from mien.bench.board.heat import HeatLog
from mien.bench.board.machine import cores, kind_of
from mien.bench.board.plan import plan_for
from mien.bench.board.private import secrets_of, without_secrets
from mien.bench.board.report import SCHEMA, BoardReport, Kind, Loaded
from mien.bench.board.talk import NotStarted, Talk, talk
from mien.client import connect
from mien.config import load_config, parse_overrides
from mien.errors import ConfigError, MienError, SinkError
from mien.host.clock import MonotonicClock
from mien.host.rundir import resolve_run_dir
from mien.transport import voice_endpoint

ROOT: Final = Path("/")
NO_ANSWER_S: Final = 1.0
START_TIMEOUT_S: Final[Mapping[Kind, float]] = {"board": 60.0, "desktop": 60.0, "emulated": 900.0}
FIXED: Final = {
    "voice.listen": "[]",
    "journal.enabled": "false",
    "face.renderer": "gles",
    "face.calibration": "false",
    "screen.quiet_from": '""',
    "screen.quiet_until": '""',
    "screen.off_after_s": "0",
}
"""The board's own configuration applies, but nothing may record, listen, or switch the screen off meanwhile."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure. name: of the file. note: what a reader should know. pairs: configuration overrides KEY=VALUE."""

    minutes: float
    name: str
    note: str = ""
    pairs: tuple[str, ...] = ()


def run_board(request: Request, tell: Progress, root: Path = ROOT) -> BoardReport:
    """Measure this machine. root: where to read facts from.

    Raises ConfigError if mien runs already, MienError if the voice cannot be measured.
    """
    began_s = time.monotonic()
    settings = dict(pair.partition("=")[::2] for pair in request.pairs) | FIXED
    config = load_config(None, parse_overrides(tuple(f"{key}={value}" for key, value in settings.items())))
    refuse_if_running(resolve_run_dir(config.run_dir))
    settings.pop("run_dir", None)
    plan, kind, processes = plan_for(request.minutes), kind_of(root), cores()
    tell("devices")
    devices = open_devices(settings)
    if devices.no_card:
        settings["playback.sink"] = "null"
    facts = facts_of(devices, config, root)
    with HeatLog(root) as heat:
        talked, no_face = _talk(settings, request.minutes, tell, devices, START_TIMEOUT_S[kind])
        frames = frame_times(plan.frames_s, tell)
    no_trace = no_face or talked.no_trace
    report = BoardReport(
        schema=SCHEMA,
        name=request.name,
        kind=kind,
        note=line(request.note),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        minutes=request.minutes,
        took_s=round(time.monotonic() - began_s, 1),
        facts=facts,
        latency=results.latency_of(talked, no_trace, devices.no_card),
        offset=results.offset_of(talked, no_trace),
        frames=frames,
        on_screen=results.on_screen_of(talked, _size(devices.display), no_face),
        services=results.services_of(talked, no_face),
        heat=heat.heat(),
        loaded=Loaded(processes=processes, first_sound_burst_ms=spread(talked.loaded_ms, results.NEVER_STARTED)),
    )
    return without_secrets(report, secrets_of(root))


def refuse_if_running(run_dir: Path) -> None:
    """Raises ConfigError if a voice answers: it holds the sound card, and its face the screen."""
    try:
        connect(voice_endpoint(run_dir), timeout_s=NO_ANSWER_S, role="observer").close()
    except MienError:
        return
    raise ConfigError(
        "mien is running and holds the sound card and the screen; stop it first: `systemctl stop mien.target`, "
        "or end `mien run`"
    )


def open_devices(settings: Mapping[str, str]) -> Devices:
    """Open display and sound card as the services would, and give them back."""
    display, no_display = None, ""
    try:
        display = probe_display(settings)
    except MienError as error:
        no_display = str(error)
    return Devices(display=display, no_display=no_display, no_card=_why_no_card(settings))


def _why_no_card(settings: Mapping[str, str]) -> str:
    from mien.voice.sinks import open_sink

    playback = load_config(None, parse_overrides(tuple(f"{key}={value}" for key, value in settings.items()))).playback
    if playback.sink != "alsa":
        return f"playback.sink is {playback.sink}"
    try:
        open_sink(playback, MonotonicClock()).close()
    except SinkError as error:
        return str(error)
    return ""


def _talk(
    settings: Mapping[str, str], minutes: float, tell: Progress, devices: Devices, start_timeout_s: float
) -> tuple[Talk, str]:
    """Returns what was recorded, and why there is no face; "" if there is one."""
    plan, processes = plan_for(minutes), cores()
    no_face = devices.no_display
    if not no_face:
        try:
            found = talk(settings, plan, tell, face=True, processes=processes, start_timeout_s=start_timeout_s)
        except NotStarted as error:
            no_face = str(error)
        else:
            return found, ""
    tell("the voice alone")
    return talk(settings, plan, tell, face=False, processes=processes, start_timeout_s=start_timeout_s), no_face


def _size(display: Display | None) -> str:
    if display is None:
        return ""
    return f"{display.width}x{display.height}, {'vsync' if display.vsync else 'no vsync'}"
