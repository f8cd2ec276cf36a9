"""Debian's synthesisers, espeak-ng or flite: one run a sentence."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mien.client.wav import WavReader
from mien.converse.speak.base import Sound
from mien.converse.speak.trim import trimmed
from mien.errors import ConverseError, MienError

WORDS_A_MINUTE: Final = 165
TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """arguments(text, voice, speed): of the program, which writes a WAV to standard output."""

    name: str
    package: str
    voices: dict[str, str]
    arguments: Callable[[str, str, float], list[str]]


PROGRAMS: Final = {
    "espeak-ng": Program(
        "espeak-ng",
        "espeak-ng",
        {"en": "en", "de": "de"},
        lambda text, voice, speed: ["--stdout", "-v", voice, "-s", str(round(WORDS_A_MINUTE * speed)), "--", text],
    ),
    "flite": Program(
        "flite",
        "flite",
        {"en": "slt"},
        lambda text, voice, speed: [
            *("-voice", voice, "--setf", f"duration_stretch={1 / speed:.3f}", "-t", text, "-o", "/dev/stdout")
        ],
    ),
}


class ProgramSynthesiser:
    """voice: the program's name for it; "" is one for the language."""

    def __init__(self, program: str, voice: str = "") -> None:
        self._program = PROGRAMS[program]
        self._voice = voice
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None

    def load(self) -> None:
        """Raises ConverseError when the program is missing."""
        if shutil.which(self._program.name) is None:
            raise ConverseError(f"{self._program.name} is not installed: apt-get install {self._program.package}")

    def speak(self, text: str, language: str, speed: float) -> Iterator[Sound]:
        """The whole sentence. Raises ConverseError."""
        voice = self._voice or self._program.voices.get(language, "")
        if not voice:
            raise ConverseError(f"{self._program.name} has no voice for '{language}'; set converse.speak_voice")
        pcm, rate_hz = self._run([self._program.name, *self._program.arguments(text, voice, speed)])
        if pcm := trimmed(pcm, rate_hz):
            yield Sound(pcm, rate_hz)

    def cancel(self) -> None:
        """Kill the program."""
        with self._lock:
            if self._running is not None:
                self._running.kill()

    def _run(self, command: list[str]) -> tuple[bytes, int]:
        with self._lock:
            self._running = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        try:
            out, words = self._running.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.communicate()
            raise ConverseError(f"{command[0]} did not end within {TIMEOUT_S:g} s") from None
        code, self._running = self._running.returncode, None
        if code:
            raise ConverseError(f"{command[0]} ended with {code}: {words.decode(errors='replace').strip()[:200]}")
        try:
            reader = WavReader(out)
            return b"".join(reader.blocks()), reader.format.rate_hz
        except MienError as error:
            raise ConverseError(f"{command[0]} wrote no WAV: {error}") from None
