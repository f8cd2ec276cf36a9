"""The protocol of OpenAI Live over a WebSocket: one stream each way, without items, turns or interruptions.

What the service cannot be told: that it was interrupted, and how much was heard. What it does not tell: where an answer
begins and ends. Here a pause of PAUSE_S in its sound ends an item.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import numpy as np

from mien.adapters.realtime.service import (
    AnswerBegun,
    AnswerDone,
    Complaint,
    ItemDone,
    Leaving,
    Ready,
    Reply,
    ServiceEvent,
    Settings,
    Sound,
    ToolCall,
    Transcript,
)
from mien.errors import ConfigError

URL: Final = "wss://api.openai.com/v1/live/sessions"
RATE_HZ: Final = 24000
PAUSE_S: Final = 0.8
QUIET: Final = 100  # of 32768: the service sends silence as sound, and it is not known whether as zeros
_NO_TOOLS: Final = "Nothing can be looked up or done here. Answer from what you know."


class OpenAiLive:
    """OpenAI Live, for one conversation."""

    input_rate_hz = RATE_HZ
    output_rate_hz = RATE_HZ
    relays = False

    def __init__(self) -> None:
        self._runs = 0
        self._speaking = False
        self._loud_s = 0.0

    def url(self, settings: Settings) -> str:
        """The URL; the model belongs into the greeting."""
        return settings.url or URL

    def headers(self, settings: Settings) -> dict[str, str]:
        """The key as a bearer token."""
        return {"Authorization": f"Bearer {settings.key}"} if settings.key else {}

    def greeting(self, settings: Settings) -> list[str]:
        """One session.start. Tools belong to a backend model. Raises ConfigError for tools without one."""
        self._speaking = False
        audio: dict[str, Any] = {"format": {"type": "audio/pcm", "rate": RATE_HZ}}
        session: dict[str, Any] = {"model": settings.model, "audio": audio}
        if settings.voice:
            audio["output"] = {"voice": settings.voice}
        if settings.instructions:
            session["instructions"] = settings.instructions
        if settings.tools:
            if not settings.backend:
                raise ConfigError("--tools with openai-live needs --backend MODEL: another model calls them")
            tools = [{"type": "function", **tool} for tool in settings.tools]
            responses = {"model": settings.backend, "tools": tools}
            session["delegation"] = {"type": "responses", "responses": responses}
        return [json.dumps({"type": "session.start", "session": session})]

    def read(self, data: str | bytes, now_s: float) -> list[ServiceEvent]:
        """What one message says."""
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError("a message of the service is no JSON object")
        match message.get("type"):
            case "session.started":
                return [Ready()]
            case "session.output_audio.delta":
                return self._sound(base64.b64decode(message["delta"]), now_s)
            case "session.output_transcript.delta":
                return [Transcript(self._item, message["delta"])]
            case "session.delegation.created" if message["delegation"]["target"] == "client":
                return [Reply((_thinking(message["delegation"]["id"]),))]
            case "response.event":
                return _nested(message["event"])
            case "session.closed":
                return [Leaving(f"it closed the session ({message['reason'].replace('_', ' ')})")]
            case "error":
                error = message["error"]
                return [Complaint(error["message"], error["code"], error.get("client_event_id") or "")]
        return []

    def tick(self, now_s: float) -> list[ServiceEvent]:
        """A stream that stands still ends the item too."""
        return self._end() if self._speaking and now_s - self._loud_s >= PAUSE_S else []

    def sound(self, pcm: bytes) -> str:
        """session.input_audio.append."""
        return json.dumps({"type": "session.input_audio.append", "audio": base64.b64encode(pcm).decode()})

    def truncate(self, item: str, end_ms: int) -> list[str]:
        """Nothing: the service cannot be told."""
        return []

    def cancel(self) -> list[str]:
        """Nothing: the service hears the customer, and decides by itself."""
        return []

    def tool_result(self, call: ToolCall, output: str) -> list[str]:
        """The output, for the backend."""
        item = {"type": "function_call_output", "call_id": call.call, "output": output}
        return [json.dumps({"type": "response.item.create", "item": item})]

    def ask(self) -> list[str]:
        """Let the backend go on."""
        return [json.dumps({"type": "response.create", "event_id": "ask"})]

    def tell(self, text: str) -> list[str]:
        """Nothing: the service takes it for the customer's words, or not at all."""
        return []

    def say(self, text: str) -> list[str]:
        """Nothing: the service cannot be asked to."""
        return []

    @property
    def _item(self) -> str:
        return f"speech-{self._runs}"

    def _sound(self, pcm: bytes, now_s: float) -> list[ServiceEvent]:
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
        if len(samples) and int(np.abs(samples.astype(np.int32)).max()) > QUIET:
            self._speaking, self._loud_s = True, now_s
        if not self._speaking:
            return []
        ended = self._end() if now_s - self._loud_s >= PAUSE_S else []
        return ended or [Sound(self._item, pcm)]

    def _end(self) -> list[ServiceEvent]:
        ended, self._speaking = self._item, False
        self._runs += 1
        return [ItemDone(ended)]


def _nested(event: dict[str, Any]) -> list[ServiceEvent]:
    """What the backend does, as events of the Responses API."""
    kind, item = event.get("type"), event.get("item") or {}
    if kind == "response.created":
        return [AnswerBegun()]
    if kind == "response.output_item.done" and item.get("type") == "function_call":
        return [ToolCall(item["call_id"], item["name"], item["arguments"])]
    if kind in ("response.completed", "response.incomplete"):
        return [AnswerDone()]
    if kind == "response.failed":
        error = (event.get("response") or {}).get("error") or {}
        return [AnswerDone(failed=error.get("message") or "the backend failed")]
    return []


def _thinking(delegation: str) -> str:
    message = {"type": "session.thinking.append", "delegation_id": delegation, "content": _NO_TOOLS}
    return json.dumps(message)
