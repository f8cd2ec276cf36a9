"""Speech by a server with OpenAI's API for speech, as it arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from mien.converse.http_url import HttpUrl
from mien.converse.speak.base import Sound

RATE_HZ: Final = 24_000  # of the format "pcm"


class UrlSynthesiser:
    """url: up to and including /v1. voice: the server's name for it."""

    def __init__(
        self, url: str, model: str = "tts-1", voice: str = "", key_file: str = "", timeout_s: float = 2.5
    ) -> None:
        self._http = HttpUrl(url, key_file, timeout_s)
        self._model = model
        self._voice = voice or "alloy"

    def load(self) -> None:
        """Read the key. Raises ConverseError."""
        self._http.load()

    def speak(self, text: str, language: str, speed: float) -> Iterator[Sound]:
        """One sentence, piece by piece. Raises ConverseError."""
        wanted = {"model": self._model, "voice": self._voice, "input": text, "response_format": "pcm", "speed": speed}
        rest = b""
        for data in self._http.post("/audio/speech", json.dumps(wanted).encode(), "application/json"):
            data, rest = rest + data, b""
            if len(data) % 2:
                data, rest = data[:-1], data[-1:]
            if data:
                yield Sound(data, RATE_HZ)

    def cancel(self) -> None:
        """Close the connection."""
        self._http.cancel()
