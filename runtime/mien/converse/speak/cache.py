"""Speech that was made before, by the hash of everything that it depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from mien.converse.speak.base import Sound
from mien.errors import ConfigError

MAX_BYTES: Final = 256 << 20
SUFFIX: Final = ".speech"


class SpeechCache:
    """folder: made if it is missing. engine, voice: part of each key. Raises ConfigError without access to it."""

    def __init__(self, folder: Path, engine: str, voice: str, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._engine, self._voice = engine, voice
        self._max_bytes = max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(f"converse.cache: {folder}: {error.strerror}") from None

    def get(self, text: str, language: str, speed: float) -> Sound | None:
        """The speech; None when it is not there or damaged."""
        path = self._path(text, language, speed)
        try:
            with path.open("rb") as file:
                header = json.loads(file.readline())
                pcm = file.read()
            if len(pcm) != header["bytes"]:
                raise ValueError
            words = tuple((str(word), int(start), int(end)) for word, start, end in header["words"])
            sound = Sound(pcm, int(header["rate_hz"]), words)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return sound

    def put(self, text: str, language: str, speed: float, sound: Sound) -> None:
        """Keep it. A full disk keeps nothing, and disturbs nothing."""
        header = {"bytes": len(sound.pcm), "rate_hz": sound.rate_hz, "words": sound.words, "text": text}
        with contextlib.suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(json.dumps(header).encode() + b"\n" + sound.pcm)
            Path(file.name).replace(self._path(text, language, speed))
            self._shrink()

    def _path(self, text: str, language: str, speed: float) -> Path:
        key = json.dumps([self._engine, self._voice, language, round(speed, 3), text])
        return self._folder / (hashlib.sha256(key.encode()).hexdigest() + SUFFIX)

    def _shrink(self) -> None:
        """Delete what was not used for longest."""
        files = [(path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob("*" + SUFFIX)]
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._max_bytes:
                return
            path.unlink()
            total -= size
