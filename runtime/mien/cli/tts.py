"""TTS engines of Debian as streams of PCM.

with synthesize("Good morning", find_engine()) as speech:
    for chunk in speech.chunks(): ...
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple

from mien.client.wav import WavReader, wav_chunks
from mien.errors import MienError

_SENTENCE_END: Final = re.compile(r"(?<=[.!?:;])\s+")
_MAX_ARGUMENT_BYTES: Final = 100_000  # Linux takes 128 KiB for one argument (MAX_ARG_STRLEN in execve(2))


class SpeechError(MienError):
    """A TTS engine is missing or failed."""


class Engine(NamedTuple):
    """A TTS program. package: its Debian package. voice: the default; "" leaves it to the program.

    command(text, voice): its arguments; "{wav}" stands for a temporary file, otherwise the WAV comes on stdout. whole:
    it reads the text from stdin and streams; otherwise each sentence is a separate run, so that the first is heard
    while the next is synthesized.
    """

    name: str
    program: str
    package: str
    voice: str
    whole: bool
    command: Callable[[str, str], list[str]]

    @property
    def installed(self) -> bool:
        """Whether the program is on the PATH."""
        return shutil.which(self.program) is not None


ENGINES: Final = (
    Engine(
        "espeak-ng",
        "espeak-ng",
        "espeak-ng",
        "en",
        True,
        lambda _, voice: ["espeak-ng", "--stdout", "--stdin", "-v", voice],
    ),
    Engine(
        "flite",
        "flite",
        "flite",
        "slt",
        False,
        lambda text, voice: ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"],
    ),
    Engine(
        "pico",
        "pico2wave",
        "libttspico-utils",
        "en-US",
        False,
        lambda text, voice: ["pico2wave", "-l", voice, "-w", "{wav}", "--", text],
    ),
)


def find_engine(name: str = "", engines: Sequence[Engine] = ENGINES) -> Engine:
    """The engine of this name, or the first that is installed. Raises SpeechError with the package to install."""
    wanted = [engine for engine in engines if not name or engine.name == name]
    found = next((engine for engine in wanted if engine.installed), None)
    if found is not None:
        return found
    if not wanted:
        raise SpeechError(f"unknown engine '{name}'; use one of {', '.join(engine.name for engine in engines)}")
    packages = " or ".join(f"`apt-get install {engine.package}`" for engine in wanted)
    what = f"{name} is not installed" if name else "no TTS engine is installed"
    raise SpeechError(f"{what}: {packages}; or speak a file with --file")


def synthesize(text: str, engine: Engine, voice: str = "") -> Speech:
    """Start synthesizing. Raises SpeechError when the engine fails before its first sound, or the text is empty."""
    parts = [text] if engine.whole else _SENTENCE_END.split(text.strip())
    parts = [part.strip() for part in parts if part.strip()]
    if not parts:
        raise SpeechError("nothing to say: the text is empty")
    if not engine.whole and max(len(part.encode()) for part in parts) > _MAX_ARGUMENT_BYTES:
        raise SpeechError(f"{engine.name} accepts no sentence longer than {_MAX_ARGUMENT_BYTES} bytes")
    return Speech(engine, voice or engine.voice, parts)


class Speech:
    """A running synthesis. rate_hz: the engine's sample rate. A context manager: leaving early stops the engine."""

    def __init__(self, engine: Engine, voice: str, parts: list[str]) -> None:
        self._engine = engine
        self._voice = voice
        self._parts = parts
        self._run = _Run(engine, voice, parts[0])
        self.rate_hz = self._run.wav.format.rate_hz

    def chunks(self, rate_hz: int | None = None) -> Iterator[bytes]:
        """Mono s16le at rate_hz (None: the engine's own), as it arrives. Raises SpeechError when the engine fails."""
        for part in self._parts:
            if part is not self._parts[0]:
                self._run = _Run(self._engine, self._voice, part)
            yield from wav_chunks(self._run.wav, rate_hz or self.rate_hz)
            self._run.check()

    def close(self) -> None:
        """Stop the engine."""
        self._run.close()

    def __enter__(self) -> Speech:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Run:
    """One process that writes one WAV."""

    def __init__(self, engine: Engine, voice: str, text: str) -> None:
        self._engine = engine
        self._files = ExitStack()
        self._stderr: IO[bytes] = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (close() closes it)
        self._text: IO[bytes] = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (close() closes it)
        self._text.write(text.encode() if engine.whole else b"")
        self._text.seek(0)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.wav = self._start(engine.command(text, voice))
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Raises SpeechError with the engine's error output when it failed."""
        assert self._process is not None
        if self._process.wait() != 0:
            raise self._failed()
        self.close()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._files.close()

    def _start(self, command: list[str]) -> WavReader:
        if "{wav}" in command:
            return self._start_with_file(command)
        self._process = self._popen(command, subprocess.PIPE)
        assert self._process.stdout is not None
        if not isinstance(stdout := self._process.stdout, io.BufferedReader) or not stdout.peek(1):
            self._process.wait()
            raise self._failed()
        return WavReader(stdout)

    def _start_with_file(self, command: list[str]) -> WavReader:
        with tempfile.TemporaryDirectory(prefix="mien-tts-") as folder:
            path = Path(folder, "speech.wav")
            self._process = self._popen([str(path) if word == "{wav}" else word for word in command], None)
            if self._process.wait() != 0 or not path.exists():
                raise self._failed()
            return WavReader(path.read_bytes())

    def _popen(self, command: list[str], stdout: int | None) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(command, stdin=self._text, stdout=stdout, stderr=self._stderr)
        except OSError as error:
            raise SpeechError(
                f"{self._engine.name} cannot be started: {error.strerror}; `apt-get install {self._engine.package}`"
            ) from None

    def _failed(self) -> SpeechError:
        self._stderr.seek(0)
        words = self._stderr.read(500).decode(errors="replace").strip() or "no error output"
        return SpeechError(f"{self._engine.name} failed: {words}")
