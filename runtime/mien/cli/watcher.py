"""The state of a running mien for `mien watch` or `mien doctor`: from the local bus, or from a voice elsewhere."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import zmq

from mien.client import Client, ClientError, Disconnected, Event, HealthReport, Said, Status, Visit, Welcome, connect
from mien.core import bus
from mien.core.bus import Anchor, BusMessage, CaptionCue, Expression, FaceHealth, VoiceHealth
from mien.core.media import extrapolate
from mien.transport import BUS_SOCKET
from mien.transport.bus import subscribe
from mien.units import NS_PER_S, ns_to_ms

STALE_NS = 3 * NS_PER_S  # health is published once a second
_VOICE_FIELDS: Final = ("pid", "level", "device", "headphones", "clients", "pss_mb", "counters")
_FACE_FIELDS: Final = (
    "pid", "level", "fps", "shown", "missed", "offset_median_ms", "offset_p95_ms", "motion_lead_ms", "pss_mb",
    "renderer", "quality", "idle", "screen", "brightness", "counters",
)  # fmt: skip


class Watcher:
    """Subscribes to the bus in run_dir and keeps its state."""

    def __init__(self, run_dir: Path) -> None:
        self.state = WatchState()
        self.where = str(run_dir / BUS_SOCKET)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = subscribe(self._context, run_dir)

    def listen(self, duration_s: float) -> None:
        """Process messages for duration_s. Raises BusError for a voice of another release."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._socket.poll(max(1, round(left_s * 1000))):
                frames = self._socket.recv_multipart()
                self.state.update(bus.decode_from_voice(frames[0]), time.monotonic_ns())

    @property
    def voice_reported(self) -> bool:
        """Whether the voice has reported its health."""
        return self.state.voice is not None

    @property
    def face_reported(self) -> bool:
        """Whether the face has reported its health."""
        return self.state.face is not None

    def snapshot(self) -> dict[str, Any]:
        """The state now, as JSON can hold it."""
        return self.state.snapshot(time.monotonic_ns())

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()


@dataclass(slots=True)
class WatchState:
    """The newest message of each kind, and when voice and face last reported (monotonic ns)."""

    anchor: Anchor | None = None
    expression: Expression | None = None
    voice: VoiceHealth | None = None
    face: FaceHealth | None = None
    captions: dict[str, str] = field(default_factory=dict)
    voice_seen_ns: int = 0
    face_seen_ns: int = 0

    def update(self, message: BusMessage, now_ns: int) -> None:
        """Apply one message. Kinds that are not shown are ignored."""
        match message:
            case Anchor():
                self.anchor, self.voice_seen_ns = message, now_ns
            case Expression():
                self.expression = message
            case VoiceHealth():
                self.voice, self.voice_seen_ns = message, now_ns
            case FaceHealth():
                self.face, self.face_seen_ns = message, now_ns
            case CaptionCue(turn=turn, text=text):
                self.captions = {turn: text}

    def voice_alive(self, now_ns: int) -> bool:
        """Whether the voice reported within the last three seconds."""
        return self.voice_seen_ns > 0 and now_ns - self.voice_seen_ns < STALE_NS

    def face_alive(self, now_ns: int) -> bool:
        """Whether the face reported within the last three seconds."""
        return self.face_seen_ns > 0 and now_ns - self.face_seen_ns < STALE_NS

    def media_ms(self, now_ns: int) -> float | None:
        """The media time heard now, in ms since the epoch began; None before the first anchor."""
        return None if self.anchor is None else ns_to_ms(extrapolate(self.anchor, now_ns))

    def snapshot(self, now_ns: int) -> dict[str, Any]:
        """The whole state as JSON can hold it. voice and face are null while they do not report."""
        anchor, expression = self.anchor, self.expression
        media_ms = self.media_ms(now_ns)
        return {
            "phase": anchor.phase if anchor else None,
            "turn": (anchor.turn or None) if anchor else None,
            "caption": self.captions.get(anchor.turn) if anchor else None,
            "epoch": anchor.epoch if anchor else None,
            "media_ms": None if media_ms is None else round(media_ms, 1),
            "expression": _fields(expression, "state", "emotion", "intensity", "look_x", "look_y"),
            "visit": _visit(self.voice.visit, self.voice.language) if self.voice and self.voice_alive(now_ns) else None,
            "voice": _fields(self.voice if self.voice_alive(now_ns) else None, *_VOICE_FIELDS),
            "face": _fields(self.face if self.face_alive(now_ns) else None, *_FACE_FIELDS),
        }


class RemoteWatcher:
    """Watches the voice at an endpoint, as an observer. Raises ClientError or ConfigError like connect().

    Its snapshot has the keys of the local one; what only the bus carries is null.
    """

    def __init__(self, endpoint: str, key: Path | None, voice_key: Path | None, timeout_s: float) -> None:
        self.where = endpoint
        self._client: Client = connect(
            endpoint, timeout_s=timeout_s, name="mien watch", role="observer", key=key, voice_key=voice_key
        )
        self._status: Status | None = None
        self._health: HealthReport | None = None
        self._visit: Visit | None = None
        self._caption = Said(client="", turn="", text="")

    @property
    def voice_reported(self) -> bool:
        """Whether the voice has reported its health."""
        return self._health is not None

    @property
    def face_reported(self) -> bool:
        """Whether the voice has reported the health of a face."""
        return self._health is not None and self._health.face_fps is not None

    def listen(self, duration_s: float) -> None:
        """Process events for duration_s."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            if (event := self._client.poll(left_s)) is not None:
                self._take(event)

    def snapshot(self) -> dict[str, Any]:
        """The state now, as JSON can hold it."""
        status, health = self._status, self._health
        said = self._caption if status and status.turn == self._caption.turn else None
        return {
            "phase": status.phase if status else None,
            "turn": (status.turn or None) if status else None,
            "client": (status.client or None) if status else None,
            "caption": said.text if said else None,
            "epoch": None,
            "media_ms": None,
            "played_ms": status.played_ms if status and status.turn else None,
            "floor": (status.floor or None) if status else None,
            "expression": _expression(status) if status else None,
            "visit": _visit(self._visit.phase, self._visit.language) if self._visit else None,
            "voice": _voice(health) if health else None,
            "face": _face(health) if health and self.face_reported else None,
        }

    def __enter__(self) -> RemoteWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _take(self, event: Event) -> None:
        match event:
            case Welcome():  # also of a session that was reopened, which has no subscription
                with contextlib.suppress(ClientError):
                    if "visit" in event.capabilities:
                        self._client.subscribe("state", "captions", "health", "visits")
                    else:
                        self._client.subscribe("state", "captions", "health")
            case Disconnected():
                self._status = self._health = self._visit = None
            case Visit():
                self._visit = None if event.phase == "over" else event
            case Status():
                self._status = event
            case HealthReport():
                self._health = event
            case Said() if event.append and event.turn == self._caption.turn:
                self._caption = msgspec.structs.replace(event, text=self._caption.text + event.text)
            case Said():
                self._caption = event


Source: TypeAlias = Watcher | RemoteWatcher


def _fields(message: BusMessage | None, *names: str) -> dict[str, Any] | None:
    return None if message is None else {name: getattr(message, name) for name in names}


def _visit(phase: str, language: str) -> dict[str, Any] | None:
    return {"phase": phase, "language": language or None} if phase else None


def _expression(status: Status) -> dict[str, Any]:
    return {"state": status.state, "emotion": status.emotion} | dict.fromkeys(("intensity", "look_x", "look_y"))


def _voice(health: HealthReport) -> dict[str, Any]:
    return {
        "pid": None,
        "level": health.level,
        "device": health.device,
        "headphones": health.headphones,
        "clients": health.clients,
        "pss_mb": health.voice_pss_mb,
        "counters": health.counters,
    }


def _face(health: HealthReport) -> dict[str, Any]:
    return dict.fromkeys(_FACE_FIELDS) | {
        "fps": health.face_fps,
        "missed": health.face_missed,
        "offset_median_ms": health.face_offset_median_ms,
        "offset_p95_ms": health.face_offset_p95_ms,
        "pss_mb": health.face_pss_mb,
        "renderer": health.face_renderer,
        "quality": health.face_quality,
        "screen": health.face_screen,
        "brightness": health.face_brightness,
        "counters": {},
    }
