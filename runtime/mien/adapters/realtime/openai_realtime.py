"""The protocol of OpenAI Realtime over a WebSocket, in its version of 2025 ("GA")."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final
from urllib.parse import urlencode

from mien.adapters.realtime.service import (
    AnswerBegun,
    AnswerDone,
    Complaint,
    ItemDone,
    Leaving,
    Ready,
    ServiceEvent,
    Settings,
    Sound,
    ToolCall,
    Transcript,
    UserStarted,
    UserStopped,
)

URL: Final = "wss://api.openai.com/v1/realtime"
RATE_HZ: Final = 24000  # the only rate of its PCM
_FORMAT: Final = {"type": "audio/pcm", "rate": RATE_HZ}
_RETRYABLE: Final = ("rate_limit", "server_error", "overloaded", "timeout")
_SAY: Final = "Say the following to the customer, word for word, in its own language, and nothing else: "
_AGAIN: Final = re.compile(r"try again in ([0-9.]+) ?(ms|s)")


class OpenAiRealtime:
    """One connection to OpenAI Realtime, or to a server that speaks its protocol."""

    input_rate_hz = RATE_HZ
    output_rate_hz = RATE_HZ
    relays = True

    def url(self, settings: Settings) -> str:
        """The URL with ?model=."""
        url = settings.url or URL
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'model': settings.model})}"

    def headers(self, settings: Settings) -> dict[str, str]:
        """The key as a bearer token."""
        return {"Authorization": f"Bearer {settings.key}"} if settings.key else {}

    def greeting(self, settings: Settings) -> list[str]:
        """One session.update: the server's voice activity detection decides when to answer."""
        detection = {"type": "server_vad", "create_response": True, "interrupt_response": True}
        output: dict[str, Any] = {"format": _FORMAT}
        session: dict[str, Any] = {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {"input": {"format": _FORMAT, "turn_detection": detection}, "output": output},
        }
        if settings.voice:
            output["voice"] = settings.voice
        if settings.instructions:
            session["instructions"] = settings.instructions
        if settings.tools:
            session["tools"] = [{"type": "function", **tool} for tool in settings.tools]
        return [json.dumps({"type": "session.update", "session": session})]

    def read(self, data: str | bytes, now_s: float) -> list[ServiceEvent]:
        """What one message says."""
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError("a message of the service is no JSON object")
        return _read(message)

    def tick(self, now_s: float) -> list[ServiceEvent]:
        """Nothing: the service marks every end."""
        return []

    def sound(self, pcm: bytes) -> str:
        """input_audio_buffer.append."""
        return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})

    def truncate(self, item: str, end_ms: int) -> list[str]:
        """conversation.item.truncate: the service then deletes the item's transcript too."""
        message = {"type": "conversation.item.truncate", "item_id": item, "content_index": 0, "audio_end_ms": end_ms}
        return [json.dumps({**message, "event_id": "truncate"})]

    def cancel(self) -> list[str]:
        """response.cancel."""
        return [json.dumps({"type": "response.cancel", "event_id": "cancel"})]

    def tool_result(self, call: ToolCall, output: str) -> list[str]:
        """The output as an item of the conversation."""
        item = {"type": "function_call_output", "call_id": call.call, "output": output}
        return [json.dumps({"type": "conversation.item.create", "item": item})]

    def ask(self) -> list[str]:
        """response.create."""
        return [json.dumps({"type": "response.create", "event_id": "ask"})]

    def tell(self, text: str) -> list[str]:
        """A message of the system in the conversation."""
        item = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": text}]}
        return [json.dumps({"type": "conversation.item.create", "item": item})]

    def say(self, text: str) -> list[str]:
        """response.create with instructions of its own, which the model follows as well as it can."""
        response = {"instructions": f"{_SAY}{text}", "tool_choice": "none"}
        return [json.dumps({"type": "response.create", "event_id": "say", "response": response})]


def _read(message: dict[str, Any]) -> list[ServiceEvent]:
    match message.get("type"):
        case "response.output_item.added" if message["item"].get("type") == "message":
            return [Sound(message["item"]["id"], b"")]
        case "response.output_audio.delta":
            return [Sound(message["item_id"], base64.b64decode(message["delta"]))]
        case "response.output_audio_transcript.delta":
            return [Transcript(message["item_id"], message["delta"])]
        case "response.output_audio.done":
            return [ItemDone(message["item_id"])]
        case "response.function_call_arguments.done":
            return [ToolCall(message["call_id"], message["name"], message["arguments"])]
        case "input_audio_buffer.speech_started":
            return [UserStarted()]
        case "input_audio_buffer.speech_stopped":
            return [UserStopped()]
        case "response.created":
            return [AnswerBegun()]
        case "response.done":
            return [ItemDone(), _answer(message["response"])]
        case "session.updated":
            return [Ready()]
        case "error":
            return [_error(message["error"])]
    return []


def _answer(response: dict[str, Any]) -> AnswerDone:
    status = response.get("status")
    details = response.get("status_details") or {}
    if status != "failed":
        return AnswerDone(cancelled=status == "cancelled")
    error = details.get("error") or {}
    kind = f"{error.get('code') or ''} {error.get('type') or ''}"
    text = error.get("message") or error.get("code") or "it gave no reason"
    return AnswerDone(failed=text, retryable=any(word in kind for word in _RETRYABLE), retry_after_s=_wait_s(text))


def _error(error: dict[str, Any]) -> ServiceEvent:
    code = error.get("code") or error.get("type") or ""
    text = error.get("message") or code
    return Leaving(text) if code == "session_expired" else Complaint(text, code, error.get("event_id") or "")


def _wait_s(text: str) -> float | None:
    """How long a rate limit asks to wait: it says so in its text only."""
    found = _AGAIN.search(text)
    return None if found is None else float(found[1]) / (1000 if found[2] == "ms" else 1)
