"""Answers by a server with OpenAI's API for chat, streamed by sentence, with the knowledge file as context."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mien.converse.http_url import HttpUrl
from mien.converse.think.base import Part, Question
from mien.converse.think.retrieval import KnowledgeThinker
from mien.converse.think.sentences import Sentences
from mien.errors import ConverseError

PROMPT: Final = (
    "You are the voice of a kiosk. Answer in one to three short sentences of plain spoken words, without lists or "
    "markup, in the language of the question. Use only the facts below. If they do not contain the answer, say that "
    "you do not know, and offer to call somebody."
)
WHISPERED: Final = "A member of staff tells you, unheard by the customer. Take it into account, and do not quote it:"
TOOLS: Final = {
    "hand_over": "Call a human, when the customer wants one or accepts the offer.",
    "end_visit": "End the visit, when the customer says goodbye.",
    "show_choices": "Show a short list of choices on the screen.",
}
FACTS: Final = 4
TURNS: Final = 6
MAX_LINE_BYTES: Final = 1 << 20


class ChatThinker:
    """url: up to and including /v1. prompt: "" is PROMPT. knowledge: a file whose best entries become the context."""

    def __init__(
        self,
        url: str,
        model: str = "default",
        key_file: str = "",
        prompt: str = "",
        knowledge: str = "",
        model_for_knowledge: bool = True,
        timeout_s: float = 2.5,
        cache: str = "",
    ) -> None:
        self._http = HttpUrl(url, key_file, timeout_s)
        self._model = model
        self._prompt = prompt or PROMPT
        self._facts = KnowledgeThinker(knowledge, model_for_knowledge, cache=cache)

    def load(self) -> None:
        """Read the key and the knowledge file. Raises ConverseError, ConfigError."""
        self._http.load()
        self._facts.load()

    def think(self, question: Question) -> Iterator[Part]:
        """Sentences as they come, then the actions that the model chose. Raises ConverseError."""
        sentences = Sentences()
        calls: dict[int, str] = {}
        for delta in self._deltas(self._request(question)):
            content = delta.get("content")
            if isinstance(content, str):
                for text in sentences.add(content):
                    yield Part(text=text)
            _collect(calls, delta.get("tool_calls"))
        for text in sentences.finish():
            yield Part(text=text)
        for name in calls.values():
            if name in TOOLS:
                yield Part(action=name)

    def cancel(self) -> None:
        """Close the connection."""
        self._http.cancel()

    def _request(self, question: Question) -> bytes:
        facts = "\n".join(
            f"- {match.entry.questions[0]} {match.entry.answer}" for match in self._facts.matches(question.text)[:FACTS]
        )
        system = f"{self._prompt}\n\nFacts:\n{facts}"
        if question.whispers:
            system += f"\n\n{WHISPERED}\n" + "\n".join(f"- {text}" for text in question.whispers)
        messages = [{"role": "system", "content": system}]
        for exchange in question.history[-TURNS:]:
            messages.append({"role": "user", "content": exchange.question})
            if exchange.heard:
                messages.append({"role": "assistant", "content": exchange.heard})
        messages.append({"role": "user", "content": question.text})
        tools = [
            {"type": "function", "function": {"name": name, "description": what, "parameters": {"type": "object"}}}
            for name, what in TOOLS.items()
        ]
        return json.dumps(
            {"model": self._model, "stream": True, "max_tokens": 200, "messages": messages, "tools": tools}
        ).encode()

    def _deltas(self, body: bytes) -> Iterator[dict[str, Any]]:
        """The deltas of the server-sent events. Raises ConverseError for anything else."""
        for data in _events(self._http.post("/chat/completions", body, "application/json"), self._http.url):
            if data == "[DONE]":
                return
            try:
                choices = json.loads(data)["choices"]
                delta = choices[0]["delta"] if choices else {}
            except (ValueError, KeyError, IndexError, TypeError):
                raise ConverseError(f"{self._http.url} answered a chat with {data[:80]!r}") from None
            if isinstance(delta, dict):
                yield delta


def _events(chunks: Iterator[bytes], url: str) -> Iterator[str]:
    """The data of each event (HTML Living Standard, section 9.2)."""
    rest, any_event = b"", False
    for chunk in chunks:
        rest += chunk
        if len(rest) > MAX_LINE_BYTES:
            raise ConverseError(f"{url} sends a line without an end")
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                any_event = True
                yield line[5:].strip().decode(errors="replace")
    if not any_event:
        raise ConverseError(f"{url} did not stream its answer: {rest[:80]!r}")


def _collect(calls: dict[int, str], deltas: object) -> None:
    """The names of the tools called, which come in pieces."""
    if not isinstance(deltas, list):
        return
    for delta in deltas:
        if isinstance(delta, dict) and isinstance(function := delta.get("function"), dict):
            index = delta.get("index", 0)
            calls[index] = calls.get(index, "") + str(function.get("name") or "")
