"""Recognition by a server with OpenAI's API for transcription."""

from __future__ import annotations

import io
import json
import secrets
import wave

from mien.converse.hear.base import RATE_HZ, Transcript
from mien.converse.hear.guards import guarded
from mien.converse.http_url import HttpUrl
from mien.errors import ConverseError


class UrlRecogniser:
    """url: up to and including /v1, such as "http://localhost:8000/v1". model: its name there."""

    def __init__(self, url: str, model: str = "whisper-1", key_file: str = "", timeout_s: float = 2.5) -> None:
        self._http = HttpUrl(url, key_file, timeout_s)
        self._model = model

    def load(self) -> None:
        """Read the key. Raises ConverseError."""
        self._http.load()

    def recognise(self, pcm: bytes, language: str) -> Transcript:
        """Send one utterance as a WAV. Raises ConverseError."""
        fields = {"model": self._model, "response_format": "json"}
        if language != "auto":
            fields["language"] = language
        kind, body = _form(fields, _wav(pcm))
        answer = b"".join(self._http.post("/audio/transcriptions", body, kind))
        try:
            found = json.loads(answer)
            text = found["text"]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise ConverseError(f"{self._http.url} answered a transcription with {answer[:80]!r}") from None
        spoken = found.get("language", "") if language == "auto" else language
        seconds = len(pcm) / 2 / RATE_HZ
        return guarded(text, language=str(spoken or "en")[:2], no_speech=0.0, logprob=0.0, seconds=seconds)

    def cancel(self) -> None:
        """Close the connection."""
        self._http.cancel()


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        out.writeframes(pcm)
    return file.getvalue()


def _form(fields: dict[str, str], wav: bytes) -> tuple[str, bytes]:
    """multipart/form-data (RFC 7578)."""
    mark = secrets.token_hex(16)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n".encode()
    )
    return f"multipart/form-data; boundary={mark}", b"".join([*parts, wav, f"\r\n--{mark}--\r\n".encode()])
