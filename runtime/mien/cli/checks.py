"""The checks of `mien doctor` on any machine, one function a row."""

import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from mien.config import Config
from mien.errors import MienError
from mien.host.clock import MonotonicClock, sleep_until_ns
from mien.host.rundir import resolve_run_dir
from mien.transport import voice_endpoint
from mien.units import NS_PER_MS

Verdict = Literal["good", "poor", "bad"]


class Finding(Struct, frozen=True, kw_only=True):
    """One row. verdict: good; poor: works with limitations; bad: does not work. remedy: what to do about it."""

    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def check_sound(config: Config) -> Finding:
    """The configured sink, by opening it."""
    from mien.voice.sinks import open_sink

    try:
        sink = open_sink(config.playback, MonotonicClock())
    except MienError as error:
        return Finding(
            name="sound",
            verdict="bad",
            detail=str(error),
            remedy="list devices with `aplay -L`, name one in playback.device, or set playback.sink=null",
        )
    detail = f"{config.playback.sink} at {sink.format.rate_hz} Hz, {sink.format.buffer_frames} frames of buffer"
    sink.close()
    return Finding(
        name="sound",
        verdict="good" if config.playback.sink == "alsa" else "poor",
        detail=detail,
        remedy="" if config.playback.sink == "alsa" else "this sink is inaudible; set playback.sink=alsa for sound",
    )


def check_display(config: Config) -> Finding:
    """The display, by opening a GL context on it."""
    from mien.face.opening import open_renderer

    try:
        renderer = open_renderer(config, MonotonicClock())
    except MienError as error:
        return Finding(
            name="display",
            verdict="bad",
            detail=str(error),
            remedy="on a board: is a screen connected, is this user in the groups video and render? "
            "on a server: SDL_VIDEODRIVER=offscreen, apt install libegl1 libgles2 libgl1-mesa-dri",
        )
    info = renderer.info
    renderer.close()
    software = any(name in info.device.lower() for name in ("llvmpipe", "softpipe"))
    return Finding(
        name="display",
        verdict="poor" if software or not info.vsync else "good",
        detail=f"{info.version}, {info.device}, {info.width}x{info.height}, "
        f"{'vsync' if info.vsync else 'no vsync (offscreen)'}",
        remedy="frames are drawn by the CPU" if software else "",
    )


def check_model(config: Config) -> Finding:
    """The motion model and its interpreter, by running them on one second of silence."""
    import numpy as np

    from mien.motion.load import load_engine

    try:
        engine = load_engine(Path(config.face.model) if config.face.model else None)
    except MienError as error:
        return Finding(name="model", verdict="bad", detail=str(error), remedy="the jaw follows loudness instead")
    silence = np.zeros(engine.info.rate_hz, np.int16)
    started_s = time.perf_counter()
    engine.push(silence)
    ratio = 1.0 / (time.perf_counter() - started_s)
    return Finding(
        name="model",
        verdict="good" if ratio > 4 else "poor",
        detail=f"{engine.info.backend}, run by {engine.info.interpreter}; {engine.info.frame_hz} Hz, "
        f"{engine.info.lookahead_ms:.0f} ms lookahead, "
        f"{ratio:.0f} times faster than real time",
        remedy="" if ratio > 4 else "this machine is too slow for the model; the lips will lag",
    )


def check_avatar(config: Config) -> Finding:
    """The avatar file."""
    from mien.avatar.load import load_avatar

    try:
        mesh = load_avatar(Path(config.face.avatar) if config.face.avatar else None)
    except MienError as error:
        return Finding(name="avatar", verdict="bad", detail=str(error))
    return Finding(
        name="avatar",
        verdict="good",
        detail=f"{mesh.name}: {len(mesh.positions)} vertices, "
        f"{len(mesh.targets)} blend shapes, {len(mesh.parts)} parts",
    )


def check_captions(config: Config) -> Finding:
    """Pango and its fonts, by laying out a word of each script."""
    if not (config.captions.enabled or config.face.status_line):
        return Finding(name="captions", verdict="good", detail="off")
    from mien.text.typesetter import missing_scripts

    try:
        lacks = missing_scripts()
    except MienError as error:
        return Finding(
            name="captions",
            verdict="poor",
            detail=str(error),
            remedy="apt-get install libpangocairo-1.0-0; until then the face has no captions",
        )
    if lacks:
        return Finding(
            name="captions",
            verdict="poor",
            detail=f"no font for {', '.join(lacks)}",
            remedy="apt-get install fonts-open-sans fonts-noto-ui-core fonts-wqy-microhei",
        )
    return Finding(name="captions", verdict="good", detail="Pango, with fonts for every script checked")


def check_clock(_: Config) -> Finding:
    """How late sleeps end; they pace frames and sound."""
    late = []
    for _index in range(60):
        due_ns = time.monotonic_ns() + 5 * NS_PER_MS
        sleep_until_ns(due_ns)
        late.append((time.monotonic_ns() - due_ns) / NS_PER_MS)
    worst, usual = max(late), statistics.median(late)
    return Finding(
        name="clock",
        verdict="good" if worst < 10 else "poor",
        detail=f"CLOCK_MONOTONIC; sleeps end {usual:.2f} ms late (median), {worst:.1f} ms at worst",
        remedy="" if worst < 10 else "the machine is busy: raise playback.buffer_ms to prevent clicks",
    )


def check_speech(_: Config) -> Finding:
    """A TTS engine for `mien say` and the demo."""
    found = [name for name in ("espeak-ng", "flite", "pico2wave") if shutil.which(name)]
    return Finding(
        name="speech",
        verdict="good" if found else "poor",
        detail=", ".join(found) or "no TTS engine",
        remedy="" if found else "apt-get install espeak-ng: `mien say TEXT` and the demo need one",
    )


def check_video(_: Config) -> Finding:
    """ffmpeg, for `mien record` and the demo."""
    path = shutil.which("ffmpeg")
    return Finding(
        name="video",
        verdict="good" if path else "poor",
        detail="ffmpeg" if path else "no ffmpeg",
        remedy="" if path else "apt-get install ffmpeg: `mien record` and the demo need it",
    )


def check_service(config: Config) -> Finding:
    """Whether mien-voice answers."""
    from mien.client import connect

    try:
        with connect(voice_endpoint(resolve_run_dir(config.run_dir)), timeout_s=1.0) as client:
            return Finding(name="service", verdict="good", detail=f"mien-voice answers in {client.ping():.1f} ms")
    except MienError:
        return Finding(
            name="service",
            verdict="poor",
            detail="mien-voice does not answer",
            remedy="`mien run` on a desk, `systemctl start mien.target` on a board",
        )


CHECKS: tuple[Callable[[Config], Finding], ...] = (
    check_sound,
    check_display,
    check_model,
    check_avatar,
    check_captions,
    check_clock,
    check_speech,
    check_video,
    check_service,
)
