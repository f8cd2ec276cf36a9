"""Soak test (make soak HOURS=n): a seeded conversation against the real processes; records their resource use.

    python -m hil.soak --hours 0.5 --seed 1
    python -m hil.soak --hours 0.2 --captions --observers 2 --monologue      stresses the captions

Both services run as `mien run` starts them, with the null sink (an ideal device in real time) and an offscreen
renderer. Every turn must finish exactly once; memory, descriptors and threads must not grow.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from hil.analysis.growth import slope_an_hour
from hil.conversation import Act, caption, conversation, monologue
from hil.onlookers import Onlooker
from hil.report.findings import Findings
from hil.speech import syllables
from hil.voice import RATE_HZ
from mien import __version__
from mien.bench.session import BusProbe
from mien.client import Client, connect
from mien.core import wire
from mien.errors import ClientError
from mien.host.clock import MonotonicClock
from mien.host.memory import private_mb, pss_mb
from mien.host.stack import Stack

OUT = Path(__file__).resolve().parents[1] / "build/hil"
SETTINGS = {"playback.sink": "null", "voice.listen": "[]", "face.width": "128", "face.height": "160", "face.fps": "15"}
SAMPLE_S = 5.0
WARM_UP_S = 120.0  # caches fill and lists reach their bounds
MOST_MB_AN_HOUR = 2.0
MOST_FACE_MB = 95.0
WORDS_AT_ONCE = 4  # captions grow as a language model writes them
EMULATED = (
    "Both services as processes of the machine that ran the soak, with mien's ideal sink (real time, no sound "
    "card) and llvmpipe offscreen, at 128x160 and 15 frames a second. Not a Raspberry Pi."
)


@dataclass(slots=True)
class Series:
    """One figure over time."""

    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at_s: float, value: float | None) -> None:
        """Add a sample; None is a gap."""
        if value is not None:
            self.seconds.append(at_s)
            self.values.append(float(value))


@dataclass(slots=True)
class Tally:
    """Turns that began and how they finished. wrong: violations, in words."""

    begun: int = 0
    finished: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def end(self, finished: wire.Finished, length_s: float) -> None:
        """Record the end of a turn."""
        self.finished[finished.reason] = self.finished.get(finished.reason, 0) + 1
        if finished.reason == "played" and abs(finished.played_ms - 1000 * length_s) > 2:
            self.wrong.append(f"{finished.turn}: played {finished.played_ms} of {1000 * length_s:.0f} ms")


class Soak:
    """Plays a conversation. endpoint: of the voice. captions: give every turn one that grows while it is heard."""

    def __init__(self, endpoint: str, *, captions: bool = False) -> None:
        self._endpoint = endpoint
        self._captions = captions
        self._client = self._connect("speaker")
        self.tally = Tally()

    def act(self, act: Act) -> None:
        """Perform an act; record whatever the voice refuses."""
        time.sleep(act.after_s)
        try:
            self._do(act)
        except ClientError as error:
            self.tally.wrong.append(f"{act.kind}: {error}")
            self._client.close()
            self._client = self._connect("speaker")

    def close(self) -> None:
        """End the conversation."""
        self._client.close()

    def _do(self, act: Act) -> None:
        match act.kind:
            case "state":
                self._client.state(cast(wire.AgentState, act.what))
            case "emotion":
                self._client.emotion(cast(wire.EmotionName, act.what))
            case "gesture":
                self._client.gesture(cast(wire.GestureName, act.what))
            case "look":
                self._client.look_at(0.3, -0.2)
            case "reconnect":
                self._client.close()
                self._client = self._connect("speaker")
            case "take_floor":
                self._take_over(act.length_s)
            case _:
                self._speak(act)

    def _speak(self, act: Act) -> None:
        length_s = act.length_s if act.kind == "speak" else act.length_s + 2.0
        pcm = syllables(length_s, seed=self.tally.begun)
        turn = self._client.turn()
        self.tally.begun += 1
        words = caption(self.tally.begun, len(pcm) / RATE_HZ) if self._captions else []
        self._say_words(turn.name, words[:WORDS_AT_ONCE])
        turn.write(pcm)
        turn.end()
        for at in range(WORDS_AT_ONCE, len(words), WORDS_AT_ONCE):
            self._say_words(turn.name, words[at : at + WORDS_AT_ONCE], append=True)
        if act.kind == "interrupt":
            time.sleep(act.length_s)
            finished = turn.interrupt()
        else:
            if act.kind == "pause":
                time.sleep(act.length_s / 2)
                self._client.pause()
                time.sleep(0.5)
                self._client.resume()
            finished = turn.wait()
        self.tally.end(finished, len(pcm) / RATE_HZ)

    def _say_words(self, turn: str, words: list[str], *, append: bool = False) -> None:
        if words:
            text = (" " if append else "") + " ".join(words)
            self._client.send(wire.Caption(turn=turn, text=text, append=append))

    def _take_over(self, length_s: float) -> None:
        """An agent takes the floor; the bot's turn finishes as taken_over."""
        pcm = syllables(length_s + 3.0, seed=self.tally.begun)
        turn = self._client.turn()
        self.tally.begun += 2
        turn.write(pcm)
        turn.end()
        time.sleep(0.5)
        with self._connect("agent") as agent:
            agent.take_floor("drop")
            answer = syllables(length_s)
            self.tally.end(agent.say(answer), len(answer) / RATE_HZ)
            agent.release_floor()
        try:
            self.tally.end(turn.wait(), len(pcm) / RATE_HZ)
        except ClientError as error:
            if error.code != "floor_taken":
                raise
            # The agent was faster than the turn's first audio, which was refused: the turn never began.
            self.tally.begun -= 1

    def _connect(self, role: wire.Role) -> Client:
        return connect(self._endpoint, rate_hz=RATE_HZ, name=f"soak-{role}", role=role, timeout_s=20)


def sample(stack: Stack, probe: BusProbe, series: dict[str, Series], at_s: float) -> None:
    """Record what the processes use and what they report."""
    for name, process in (("voice", stack.voice), ("face", stack.face)):
        if process is None or process.poll() is not None:
            continue
        folder = Path("/proc", str(process.pid))
        series.setdefault(f"{name} PSS", Series()).add(at_s, pss_mb(process.pid))
        series.setdefault(f"{name} private", Series()).add(at_s, private_mb(process.pid))
        series.setdefault(f"{name} descriptors", Series()).add(at_s, len(list((folder / "fd").iterdir())))
        series.setdefault(f"{name} threads", Series()).add(at_s, len(list((folder / "task").iterdir())))
    if probe.faces:
        face = probe.faces[-1]
        series.setdefault("offset", Series()).add(at_s, face.offset_median_ms)
        series.setdefault("fps", Series()).add(at_s, face.fps)
    if probe.voices:
        errors = {
            name: count for name, count in probe.voices[-1].counters.items() if "underrun" in name or "drop" in name
        }
        series.setdefault("underruns and drops", Series()).add(at_s, sum(errors.values()))


def report(found: Findings, soak: Tally, series: dict[str, Series], elapsed_s: float) -> list[str]:
    """Add figures and curves to the findings; returns violations."""
    wrong = list(soak.wrong)
    finished = sum(soak.finished.values())
    found.figure("length", elapsed_s / 3600, "h")
    found.figure("turns begun", soak.begun)
    found.figure(
        "turns finished",
        finished,
        must=str(soak.begun),
        note=", ".join(f"{k}: {v}" for k, v in sorted(soak.finished.items())),
    )
    if finished != soak.begun:
        wrong.append(f"{soak.begun} turns began, {finished} finished")
    for name, one in series.items():
        warm = [(s, v) for s, v in zip(one.seconds, one.values, strict=True) if s >= min(WARM_UP_S, elapsed_s / 3)]
        slope = slope_an_hour([s for s, _ in warm], [v for _, v in warm])
        if "PSS" in name:
            most = max((v for _, v in warm), default=0.0)
            found.figure(f"{name}: most", most, "MB", must=f"at most {MOST_FACE_MB:g}" if "face" in name else "")
            if "face" in name and most > MOST_FACE_MB:
                wrong.append(f"{name} reached {most:.1f} MB")
        if "private" in name:  # PSS also moves with the other processes that share pages
            found.figure(f"{name}: most", max((v for _, v in warm), default=0.0), "MB")
            found.figure(f"{name}: growth an hour after the warm-up", slope, "MB", must=f"at most {MOST_MB_AN_HOUR}")
            if slope > MOST_MB_AN_HOUR and elapsed_s > 1000:
                wrong.append(f"{name} grows by {slope:.1f} MB an hour")
        if "descriptors" in name or "threads" in name:
            found.figure(f"{name}: growth an hour", slope, must="0")
            if slope > 1.0:
                wrong.append(f"{name} grow by {slope:.1f} an hour")
    for title, unit, names in (
        ("Memory", "MB", ("voice PSS", "voice private", "face PSS", "face private")),
        ("Descriptors", "", ("voice descriptors", "face descriptors")),
        ("Threads", "", ("voice threads", "face threads")),
        ("A/V offset, as reported by the face", "ms", ("offset",)),
        ("Frames per second", "Hz", ("fps",)),
        ("Underruns and drops", "", ("underruns and drops",)),
    ):
        curves = {
            name: ([s / 60 for s in series[name].seconds], series[name].values) for name in names if name in series
        }
        found.curve(f"{title} over the soak", "minutes", unit, curves)
    found.results.append(
        {"name": "soak", "outcome": "failed" if wrong else "passed", "seconds": elapsed_s, "why": "\n".join(wrong[:40])}
    )
    return wrong


def commit() -> str:
    """The commit of the working tree, with "+" if it has changes."""
    done = subprocess.run(
        ["git", "-C", str(OUT.parents[1]), "describe", "--always", "--abbrev=40", "--dirty=+"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--captions", action="store_true", help="caption every turn, and show captions")
    parser.add_argument("--observers", type=int, default=0, help="number of observers; the last reads slowly")
    parser.add_argument("--monologue", action="store_true", help="play turns back to back instead of a conversation")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the configuration")
    parser.add_argument("--commit", default="", help="commit under test, for the report")
    given = parser.parse_args()
    found = Findings(rig="soak", emulated=EMULATED)
    found.identity |= {
        "commit": given.commit or commit(),
        "mien": __version__,
        "seed": str(given.seed),
        "run": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    settings = SETTINGS | ({"captions.enabled": "true"} if given.captions else {})
    settings |= dict(pair.split("=", 1) for pair in given.set)
    acts = monologue if given.monologue else conversation
    series: dict[str, Series] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mien-soak-") as folder:
        run_dir = Path(folder)
        with BusProbe(run_dir, MonotonicClock()) as probe, Stack(run_dir, settings=settings, quiet=True) as stack:
            if not probe.wait_for_face(120):
                print("the face did not start", file=sys.stderr)
                return 1
            endpoint = f"ipc://{run_dir}/voice.sock"
            soak, stopping = Soak(endpoint, captions=given.captions), threading.Event()
            numbers = range(1, given.observers + 1)
            onlookers = [Onlooker(endpoint, f"onlooker-{n}", slow=n == given.observers) for n in numbers]
            for onlooker in onlookers:
                onlooker.start()
            pids = (stack.voice.pid, stack.face.pid) if stack.voice and stack.face else ()

            def watch() -> None:
                while not stopping.wait(SAMPLE_S):
                    sample(stack, probe, series, time.monotonic() - began)

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            for act in acts(given.seed, 3600 * given.hours):
                soak.act(act)
                if time.monotonic() - began > 3600 * given.hours:
                    break
            stopping.set()
            watcher.join()
            soak.close()
            for onlooker in onlookers:
                onlooker.stop()
            alive = [process.poll() is None for process in (stack.voice, stack.face) if process is not None]
    wrong = report(found, soak.tally, series, time.monotonic() - began)
    if not all(alive):
        wrong.append(f"one of the processes {pids} exited")
    found.save(OUT / "soak.findings.json")
    print(json.dumps({"turns": soak.tally.begun, "finished": soak.tally.finished, "wrong": wrong[:10]}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
