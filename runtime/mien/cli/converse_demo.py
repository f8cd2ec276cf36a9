"""The command `mien converse demo`."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
import numpy as np

from mien.audio.wav import opened_path
from mien.bench.converse_room import RoomScene, room_ear
from mien.bench.ear_rooms import rooms
from mien.bench.ear_voices import RATE_HZ, Signal, speak
from mien.bench.session import Session, running_session
from mien.cli.converse_lines import line, print_latencies
from mien.cli.demo import FPS, LIVE_SIZE, SIZE, film
from mien.cli.terminal import data_console, teller
from mien.client import connect_async
from mien.config import ConverseConfig, load_config, parse_overrides
from mien.converse import orders
from mien.converse import start as converse
from mien.converse.agent import Agent
from mien.converse.latency import Latencies
from mien.errors import MienError
from mien.host.exits import exit_codes
from mien.host.stack import has_display
from mien.transport import voice_endpoint
from mien.units import NS_PER_MS, NS_PER_S

Progress = Callable[[str], None]
SCRIPT: Final = (  # voice, sentence, seconds into the running answer; None waits for its end
    ("flite:slt", "Excuse me, when are you open?", None),
    ("flite:rms", "How much is a ticket?", None),
    ("flite:rms", "Stop, where is the toilet?", 1.2),
    ("flite:awb", "Who is the president of France?", None),
    ("flite:awb", "Yes, please.", None),
)
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 1.5
CUSTOMER_GAIN: Final = 0.3
LIVE_SETTINGS: Final = {"barge_in.mode": "pause", "captions.enabled": "true"}


@dataclass(slots=True)
class Take:
    """What the film is made of. said: customers' sounds with their beginnings in ns; lines: (time in ns, order)."""

    said: list[tuple[int, Signal]] = field(default_factory=list)
    lines: list[tuple[int, orders.Note | orders.Perform]] = field(default_factory=list)
    latencies: Latencies = field(default_factory=Latencies)


@click.command("demo")
@click.option("--live/--film", "live", default=None, help="Talk with it, or film it [live where there is a display].")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key of [converse].")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder for converse.mp4."
)
def demo(live: bool | None, config: Path | None, pairs: tuple[str, ...], out: Path) -> None:
    """Run voice, face, ear with mien converse: live, or as a film in which three customers talk with it.

    The film is converse.mp4, its transcript converse.txt. Both end with the table of latencies. Live ends with Ctrl-C.

    Example: mien converse demo --film --out build
    """
    live = has_display() if live is None else live
    console = data_console(stderr=True)
    with exit_codes("mien converse", OSError):
        settings = load_config(config, parse_overrides(pairs)).converse
        if live:
            _live(settings)
            return
        with tempfile.TemporaryDirectory(prefix="mien-converse-") as folder, console.status("starting") as status:
            tell = teller(status)
            tell("preparing the fixed answers")
            asyncio.run(converse.prepare(settings, tell))
            _film(settings, Path(folder), out, tell)
        console.print(f"wrote {out / 'converse.mp4'}, {out / 'converse.png'} and {out / 'converse.txt'}")


def _live(config: ConverseConfig) -> None:
    """Until Ctrl-C: the stack with the machine's own microphone, speaker and screen."""
    width, height = SIZE
    settings = {**LIVE_SETTINGS, "face.width": str(width), "face.height": str(height), "voice.listen": "[]"}
    with running_session(settings) as session:
        session.stack.start_ear()
        click.echo("say something; Ctrl-C ends", err=True)
        began_s = time.monotonic()

        async def talk() -> Latencies:
            where = voice_endpoint(session.stack.run_dir)
            client = connect_async(where, rate_hz=converse.RATE_HZ, name="mien converse")
            async with client as voice, converse.engines(config) as loaded:
                agent = converse.make_agent(
                    voice,
                    config,
                    loaded,
                    lambda order: click.echo(line(order, time.monotonic() - began_s, as_json=False)),
                )
                with contextlib.suppress(asyncio.CancelledError):
                    await agent.run()
                return agent.latencies

        print_latencies(asyncio.run(talk()))


def _film(config: ConverseConfig, folder: Path, out: Path, tell: Progress) -> None:
    os.environ["SDL_VIDEODRIVER"] = "offscreen"
    sound = folder / "kiosk.wav"
    width, height = LIVE_SIZE
    settings = {
        "playback.sink": "wav",
        "playback.wav_path": str(sound),
        "voice.listen": "[]",
        "face.width": str(width),
        "face.height": str(height),
        "face.fps": str(FPS),
        "barge_in.mode": "pause",
    }
    scene = RoomScene(rooms(2)[1])
    with running_session(settings) as session, room_ear(session.stack.run_dir, scene):
        take = asyncio.run(_perform(session, config, scene, tell))
        time.sleep(1.0)
    assert session.trace is not None
    opened_ns = int(opened_path(sound).read_text(encoding="ascii"))
    mix(sound, opened_ns, take.said)
    out.mkdir(parents=True, exist_ok=True)
    begin_ns = film(session.trace, sound, out, tell, name="converse")
    transcript = [line(order, (at_ns - begin_ns) / NS_PER_S, as_json=False) for at_ns, order in take.lines]
    (out / "converse.txt").write_text("\n".join(transcript) + "\n", encoding="utf-8")
    subtitle(out / "converse.mp4", take.lines, begin_ns)
    click.echo("\n".join(transcript))
    print_latencies(take.latencies)


async def _perform(session: Session, config: ConverseConfig, scene: RoomScene, tell: Progress) -> Take:
    take = Take()

    def told(order: orders.Note | orders.Perform) -> None:
        take.lines.append((time.monotonic_ns(), order))
        if isinstance(order, orders.Note):
            tell(f"{order.who}: {order.text}")

    where = voice_endpoint(session.stack.run_dir)
    client = connect_async(where, rate_hz=converse.RATE_HZ, name="mien converse")
    async with client as voice, converse.engines(config) as loaded:
        agent = converse.make_agent(voice, config, loaded, told)
        running = asyncio.ensure_future(agent.run())
        await _until(lambda: agent.ear == "ok", "the ear is ready")
        await asyncio.sleep(PAUSE_S)
        for number, (name, text, _) in enumerate(SCRIPT):
            await _say(scene, take, speak(text, name))
            following = SCRIPT[number + 1][2] if number + 1 < len(SCRIPT) else None
            await _answered(agent, following)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        take.latencies = agent.latencies
    return take


async def _say(scene: RoomScene, take: Take, sound: Signal) -> None:
    begin_ns = time.monotonic_ns() + 100 * NS_PER_MS
    last_ns = scene.say(sound, begin_ns)
    take.said.append((begin_ns, sound))
    await asyncio.sleep((last_ns - time.monotonic_ns()) / NS_PER_S)


async def _answered(agent: Agent, into_s: float | None) -> None:
    """Wait until the answer was heard; with into_s only until so many seconds after its beginning."""
    await _until(lambda: agent.speaking, "an answer")
    if into_s is not None:
        await asyncio.sleep(into_s)
        return
    await _until(lambda: not agent.busy, "the end of the answer")
    await asyncio.sleep(PAUSE_S)


async def _until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise MienError(f"within {PATIENCE_S:g} s it did not happen: {what}")
        await asyncio.sleep(0.02)


def mix(sound: Path, opened_ns: int, said: list[tuple[int, Signal]]) -> None:
    """Add the customers' sounds to the kiosk's WAV, whose first frame was heard at opened_ns."""
    import soxr

    with wave.open(str(sound), "rb") as file:
        form = file.getparams()
        pcm = np.frombuffer(file.readframes(form.nframes), "<i2").astype(np.float64).reshape(-1, form.nchannels)
    for begin_ns, dry in said:
        customer = soxr.resample(dry, RATE_HZ, form.framerate) * CUSTOMER_GAIN * 32767
        at = round((begin_ns - opened_ns) * form.framerate / NS_PER_S)
        first, last = max(0, at), min(len(pcm), at + len(customer))
        if first < last:
            pcm[first:last] += customer[first - at : last - at, None]
    with wave.open(str(sound), "wb") as file:
        file.setparams(form)
        file.writeframes(np.clip(np.rint(pcm), -32768, 32767).astype("<i2").tobytes())


def subtitle(video: Path, lines: list[tuple[int, orders.Note | orders.Perform]], begin_ns: int) -> None:
    """Add what was said to the film as a track of subtitles. Raises MienError when ffmpeg fails."""
    said = [(at_ns, note) for at_ns, note in lines if isinstance(note, orders.Note) and note.who != "note"]
    with tempfile.TemporaryDirectory(prefix="mien-subtitles-") as folder:
        file, whole = Path(folder, "said.srt"), Path(folder, video.name)
        file.write_text(srt([((at_ns - begin_ns) / NS_PER_S, f"{n.who}: {n.text}") for at_ns, n in said]), "utf-8")
        command = ["ffmpeg", "-y", "-loglevel", "error", "-i", str(video), "-i", str(file), "-map", "0", "-map", "1"]
        made = subprocess.run(
            [*command, "-c", "copy", "-c:s", "mov_text", str(whole)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise MienError(f"ffmpeg could not add the subtitles: {made.stderr.strip()[-300:]}")
        video.write_bytes(whole.read_bytes())


def srt(said: list[tuple[float, str]]) -> str:
    """SubRip: each text is shown before the time at which it had been said, for as long as it takes to say."""
    blocks = []
    for number, (end_s, text) in enumerate(said, 1):
        begin_s = max(0.0, end_s - max(1.0, len(text) / 15))
        blocks.append(f"{number}\n{_stamp(begin_s)} --> {_stamp(max(end_s, begin_s + 0.5))}\n{text}\n")
    return "\n".join(blocks)


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"
