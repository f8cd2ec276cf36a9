"""What `mien watch` knows, from the bus messages that it has seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mien.core.bus import Anchor, BusMessage, CaptionCue, Expression, FaceHealth, VoiceHealth
from mien.units import NS_PER_S, ns_to_ms

STALE_NS = 3 * NS_PER_S  # health comes once a second


@dataclass(slots=True)
class WatchState:
    """The newest message of each kind, and when the voice and the face were last heard of (monotonic ns)."""

    anchor: Anchor | None = None
    expression: Expression | None = None
    voice: VoiceHealth | None = None
    face: FaceHealth | None = None
    captions: dict[str, str] = field(default_factory=dict)
    voice_seen_ns: int = 0
    face_seen_ns: int = 0

    def update(self, message: BusMessage, now_ns: int) -> None:
        """Take in one message. Those that are not shown pass by."""
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
        """Whether the voice was heard of in the last three seconds."""
        return self.voice_seen_ns > 0 and now_ns - self.voice_seen_ns < STALE_NS

    def face_alive(self, now_ns: int) -> bool:
        """Whether the face was."""
        return self.face_seen_ns > 0 and now_ns - self.face_seen_ns < STALE_NS

    def media_ms(self, now_ns: int) -> float | None:
        """What is heard now, in ms since the epoch began; None before the first anchor."""
        anchor = self.anchor
        if anchor is None:
            return None
        running = anchor.media_ns + max(0, now_ns - anchor.at_ns)
        return ns_to_ms(max(anchor.media_ns, min(running, anchor.until_ns)))

    def snapshot(self, now_ns: int) -> dict[str, Any]:
        """All of it as JSON can hold it. voice and face are null while they are not heard of."""
        anchor, expression = self.anchor, self.expression
        media_ms = self.media_ms(now_ns)
        return {
            "phase": anchor.phase if anchor else None,
            "turn": (anchor.turn or None) if anchor else None,
            "caption": self.captions.get(anchor.turn) if anchor else None,
            "epoch": anchor.epoch if anchor else None,
            "media_ms": None if media_ms is None else round(media_ms, 1),
            "expression": _fields(expression, "state", "emotion", "intensity", "look_x", "look_y"),
            "voice": _fields(
                self.voice if self.voice_alive(now_ns) else None, "pid", "level", "clients", "pss_mb", "counters"
            ),
            "face": _fields(
                self.face if self.face_alive(now_ns) else None,
                "pid",
                "level",
                "fps",
                "shown",
                "missed",
                "offset_median_ms",
                "offset_p95_ms",
                "motion_lead_ms",
                "pss_mb",
                "renderer",
                "quality",
                "idle",
                "screen",
                "counters",
            ),
        }


def _fields(message: BusMessage | None, *names: str) -> dict[str, Any] | None:
    return None if message is None else {name: getattr(message, name) for name in names}
