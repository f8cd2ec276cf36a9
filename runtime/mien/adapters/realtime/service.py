"""What a speech-to-speech service says, in words that all services share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from mien.errors import MienError


class ServiceError(MienError):
    """The service refused for good: a wrong key, an unknown model, a session that it does not accept."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service is asked for.

    url: without the model; "" is the service's own. key: the secret that it bills. tools: their JSON schemas, as
    Tools.schemas(). backend: the model that works for a Live session's tools.
    """

    model: str
    url: str = ""
    key: str = field(default="", repr=False)
    instructions: str = ""
    voice: str = ""
    tools: Sequence[Mapping[str, Any]] = ()
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is set up: sound may be sent."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Speech of an item: mono s16le at the service's output rate."""

    item: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Transcript:
    """A piece of what an item says, with its spaces."""

    item: str
    text: str


@dataclass(frozen=True, slots=True)
class ItemDone:
    """No more sound comes for this item. item: "" is every item so far."""

    item: str = ""


@dataclass(frozen=True, slots=True)
class UserStarted:
    """The service heard the customer begin to speak: whatever is being spoken is interrupted."""


@dataclass(frozen=True, slots=True)
class Flush:
    """The service has stopped its answer: whatever is being spoken is interrupted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The protocol wants these messages sent."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserStopped:
    """The customer has finished: the service prepares its answer."""


@dataclass(frozen=True, slots=True)
class AnswerBegun:
    """The service works on an answer."""


@dataclass(frozen=True, slots=True)
class AnswerDone:
    """The answer is complete, cancelled or failed.

    cancelled: it was cut short by the customer. failed: why it failed; empty when it did not. retryable: asking again
    may succeed. retry_after_s: how long the service asks to wait; None when it does not say.
    """

    cancelled: bool = False
    failed: str = ""
    retryable: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model calls a tool. arguments: a JSON object as text."""

    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """The service rejected a message; the session goes on. about: the message that it
    rejected: "ask", "say", "truncate", "cancel", or "" when the service does not say."""

    message: str
    code: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The service ends this session: connect again."""

    why: str


ServiceEvent: TypeAlias = (
    Ready
    | Sound
    | Transcript
    | ItemDone
    | UserStarted
    | UserStopped
    | Flush
    | Reply
    | AnswerBegun
    | AnswerDone
    | ToolCall
    | Complaint
    | Leaving
)


class Dialect(Protocol):
    """The protocol of one service, for one conversation. Messages are texts of JSON."""

    input_rate_hz: int
    output_rate_hz: int
    relays: bool
    """Whether the service can be told what staff relay: tell() and say() are called only then."""

    def url(self, settings: Settings) -> str:
        """Where to connect, with the model where the service wants it there."""

    def headers(self, settings: Settings) -> dict[str, str]:
        """The headers of the handshake, with the key."""

    def greeting(self, settings: Settings) -> list[str]:
        """The first messages of a connection. What belonged to the one before is forgotten."""

    def read(self, data: str | bytes, now_s: float) -> list[ServiceEvent]:
        """What one message says. Unknown messages say nothing; one that is no JSON object raises ValueError."""

    def tick(self, now_s: float) -> list[ServiceEvent]:
        """What the passing of time says, where a service marks no ends. Called ten times a second."""

    def sound(self, pcm: bytes) -> str:
        """The customer's sound, mono s16le at input_rate_hz."""

    def truncate(self, item: str, end_ms: int) -> list[str]:
        """Of this item only so much was heard. Empty where a service cannot be told."""

    def cancel(self) -> list[str]:
        """Stop the answer that is being made. Empty where a service cannot be told."""

    def tool_result(self, call: ToolCall, output: str) -> list[str]:
        """What a tool returned."""

    def ask(self) -> list[str]:
        """Ask for an answer now. Empty where the service decides alone."""

    def tell(self, text: str) -> list[str]:
        """Let the model know something that the customer did not say."""

    def say(self, text: str) -> list[str]:
        """Ask the model to say this, word for word."""
