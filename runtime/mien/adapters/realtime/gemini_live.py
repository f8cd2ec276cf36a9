"""The protocol of Gemini Live over a WebSocket (BidiGenerateContent, v1beta).

What the service cannot be told: how much was heard, or that the kiosk interrupted by itself. It keeps in its history
what it had sent when it noticed the customer.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from mien.adapters.realtime.service import (
    AnswerBegun,
    AnswerDone,
    Flush,
    ItemDone,
    Leaving,
    Ready,
    ServiceEvent,
    Settings,
    Sound,
    ToolCall,
    Transcript,
)

URL: Final = (
    "wss://generativelanguage.googleapis.com/ws/"
    "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
)
INPUT_RATE_HZ: Final = 16000
OUTPUT_RATE_HZ: Final = 24000


class GeminiLive:
    """Gemini Live, for one conversation, which a new connection resumes where the service allows it."""

    input_rate_hz = INPUT_RATE_HZ
    output_rate_hz = OUTPUT_RATE_HZ
    relays = False

    def __init__(self) -> None:
        self._turns = 0
        self._answering = False
        self._resume = ""

    def url(self, settings: Settings) -> str:
        """The URL; the model belongs into the greeting."""
        return settings.url or URL

    def headers(self, settings: Settings) -> dict[str, str]:
        """The key."""
        return {"x-goog-api-key": settings.key} if settings.key else {}

    def greeting(self, settings: Settings) -> list[str]:
        """One setup, with the handle of the session before."""
        self._answering = False
        self._turns += 1
        model = settings.model if "/" in settings.model else f"models/{settings.model}"
        generation: dict[str, Any] = {"responseModalities": ["AUDIO"]}
        setup: dict[str, Any] = {
            "model": model,
            "generationConfig": generation,
            "outputAudioTranscription": {},
            "sessionResumption": {"handle": self._resume} if self._resume else {},
        }
        if settings.voice:
            generation["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": settings.voice}}}
        if settings.instructions:
            setup["systemInstruction"] = {"parts": [{"text": settings.instructions}]}
        if settings.tools:
            declared = [
                {
                    "name": tool["name"],
                    "description": tool["description"],
                    "parametersJsonSchema": tool["parameters"],
                }
                for tool in settings.tools
            ]
            setup["tools"] = [{"functionDeclarations": declared}]
        return [json.dumps({"setup": setup})]

    def read(self, data: str | bytes, now_s: float) -> list[ServiceEvent]:
        """What one message says."""
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError("a message of the service is no JSON object")
        events: list[ServiceEvent] = []
        if "setupComplete" in message:
            events.append(Ready())
        if "serverContent" in message:
            events += self._content(message["serverContent"])
        for call in message.get("toolCall", {}).get("functionCalls", []):
            events.append(ToolCall(call.get("id", ""), call["name"], json.dumps(call.get("args", {}))))
        update = message.get("sessionResumptionUpdate", {})
        if update.get("resumable") and update.get("newHandle"):
            self._resume = update["newHandle"]
        if "goAway" in message:
            events.append(Leaving("it is going away"))
        return events

    def tick(self, now_s: float) -> list[ServiceEvent]:
        """Nothing: the service marks every end."""
        return []

    def sound(self, pcm: bytes) -> str:
        """realtimeInput."""
        blob = {"data": base64.b64encode(pcm).decode(), "mimeType": f"audio/pcm;rate={INPUT_RATE_HZ}"}
        return json.dumps({"realtimeInput": {"audio": blob}})

    def truncate(self, item: str, end_ms: int) -> list[str]:
        """Nothing: the service cannot be told."""
        return []

    def cancel(self) -> list[str]:
        """Nothing: the service hears the customer, and decides by itself."""
        return []

    def tool_result(self, call: ToolCall, output: str) -> list[str]:
        """toolResponse; the service then goes on by itself."""
        response = {"id": call.call, "name": call.name, "response": {"result": json.loads(output)}}
        return [json.dumps({"toolResponse": {"functionResponses": [response]}})]

    def ask(self) -> list[str]:
        """Nothing: the service answers by itself."""
        return []

    def tell(self, text: str) -> list[str]:
        """Nothing: the service takes it for the customer's words, or not at all."""
        return []

    def say(self, text: str) -> list[str]:
        """Nothing: the service cannot be asked to."""
        return []

    @property
    def _item(self) -> str:
        return f"turn-{self._turns}"

    def _content(self, content: dict[str, Any]) -> list[ServiceEvent]:
        events: list[ServiceEvent] = []
        if content.get("interrupted"):
            events.append(Flush())
        said = content.get("outputTranscription", {}).get("text", "")
        if said:
            events.append(Transcript(self._item, said))
        for part in content.get("modelTurn", {}).get("parts", []):
            blob = part.get("inlineData", {})
            if blob.get("mimeType", "").startswith("audio/pcm"):
                events.append(Sound(self._item, base64.b64decode(blob["data"])))
        if events and not self._answering and not content.get("interrupted"):
            self._answering = True
            events.insert(0, AnswerBegun())
        if content.get("generationComplete") or content.get("turnComplete"):
            events.append(ItemDone(self._item))
        if content.get("turnComplete"):
            self._answering = False
            self._turns += 1
            events.append(AnswerDone())
        return events
