"""Tells subscribers about a conversation that is not theirs.

Pure; stepped with the time. Costs nothing without subscribers.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from mien.core import bus, ear_bus, wire
from mien.core.stats import Counters, Window
from mien.units import NS_PER_MS, NS_PER_S, ns_to_ms
from mien.voice.live import Live
from mien.voice.orphans import Orphans
from mien.voice.playback import Playback
from mien.voice.sessions import Send, Session, Sessions
from mien.voice.turn import Turn

FIRST_SOUNDS: Final = 256  # turns over which the latency to the first sound is told
LEVELS_NS: Final = 100 * NS_PER_MS
THUMBNAIL_EVERY_NS: Final = NS_PER_S // 2  # rate limit over all clients: each capture costs the face frame time
THUMBNAIL_PATIENCE_NS: Final = 2 * NS_PER_S

Publish = Callable[[bus.BusMessage], None]


class Observers:
    """send(identity, message) sends to a client, publish(message) to the face."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        orphans: Orphans,
        playback: Playback,
        live: Live,
        counters: Counters,
        progress_ms: int,
        send: Send,
        publish: Publish,
    ) -> None:
        self._sessions = sessions
        self._orphans = orphans
        self._playback = playback
        self._live = live
        self._counters = counters
        self._progress_ns = progress_ms * NS_PER_MS
        self._send = send
        self._publish = publish
        self._status: wire.Status | None = None
        self._status_due_ns = self._levels_due_ns = 0
        self._waiting: dict[bytes, int] = {}
        self._asked_ns = -THUMBNAIL_EVERY_NS
        self._wanted_width = 0
        self._face: bus.FaceHealth | None = None
        self._first_sounds_ms = Window(FIRST_SOUNDS)
        self._first_sound_ms: float | None = None

    def subscribe(self, session: Session, message: wire.Subscribe) -> None:
        """Replace the session's subscriptions. Raises ProtocolError (unsupported_encoding)."""
        self._live.subscribe(session, message)
        session.topics = frozenset(message.topics)
        self._status = None  # a new subscriber gets the current status
        self._playback.level_meter.on = bool(self._listeners("levels"))

    def captioned(self, session: Session, caption: wire.Caption) -> None:
        """A client sent a caption."""
        self._tell(
            "captions",
            wire.Said(
                client=session.name, turn=caption.turn, text=caption.text, words=caption.words, append=caption.append
            ),
        )

    def started(self, message: wire.Started) -> None:
        """A client was sent `started` for a turn that did not wait behind another."""
        self._first_sound_ms = message.latency_ms
        self._first_sounds_ms.add(message.latency_ms)

    def finished(self, owner: bytes, message: wire.Finished) -> None:
        """A client was sent `finished`."""
        fields = msgspec.structs.asdict(message)
        self._tell("state", wire.Outcome(client=self._name(owner), **fields))

    def ask_for_thumbnail(self, identity: bytes, width: int, now_ns: int) -> None:
        """A client asks for a thumbnail. Concurrent requests share one capture."""
        self._waiting[identity] = now_ns
        self._wanted_width = max(self._wanted_width, width)

    def thumbnail(self, capture: bus.Thumbnail) -> None:
        """The face has sent a capture."""
        if len(capture.data) > wire.MAX_PICTURE_BYTES:
            self._counters.count("thumbnails_too_large")
            return
        message = wire.Thumbnail(
            width=capture.width, height=capture.height, encoding=capture.encoding, data=capture.data
        )
        for identity in self._waiting:
            self._send(identity, message)
        self._waiting.clear()
        self._wanted_width = 0

    def face_health(self, report: bus.FaceHealth) -> None:
        """The face has sent its report."""
        self._face = report

    def health(
        self,
        report: bus.VoiceHealth,
        *,
        face_present: bool,
        turns: Sequence[Turn] = (),
        ear: str = "absent",
        ear_health: ear_bus.EarHealth | None = None,
    ) -> None:
        """The voice has published its report, once a second. turns: not finished. ear: its state."""
        if not self._listeners("health"):
            return
        message = wire.HealthReport(
            level=report.level,
            clients=report.clients,
            voice_pss_mb=report.pss_mb,
            counters=report.counters,
            device=report.device,
            headphones=report.headphones,
            queued_turns=len(turns),
            queued_ms=round(sum(turn.buffered_ms for turn in turns), 1),
            first_sound_ms=self._first_sound_ms,
            first_sound_median_ms=_rounded(self._first_sounds_ms.percentile(50)),
            first_sound_p95_ms=_rounded(self._first_sounds_ms.percentile(95)),
            ear_state=ear,
            ear_pss_mb=None if ear_health is None else ear_health.pss_mb,
            ear_echo_db=None if ear_health is None else ear_health.erle_db,
        )
        if face_present and (face := self._face) is not None:
            message = msgspec.structs.replace(
                message,
                face_fps=face.fps,
                face_missed=face.missed,
                face_offset_median_ms=face.offset_median_ms,
                face_offset_p95_ms=face.offset_p95_ms,
                face_screen=face.screen,
                face_brightness=face.brightness,
                face_renderer=face.renderer,
                face_quality=face.quality,
                face_pss_mb=face.pss_mb,
            )
        self._tell("health", message)

    @property
    def busy(self) -> bool:
        """Whether something is due by time alone: levels, or the timeout of a thumbnail."""
        return self._playback.level_meter.on or bool(self._waiting)

    def waits(self, identity: bytes) -> bool:
        """Whether this client has asked for a capture."""
        return identity in self._waiting

    def leave(self, identity: bytes) -> None:
        """A client has left."""
        self._waiting.pop(identity, None)
        self._live.leave(identity)
        self._playback.level_meter.on = bool(self._listeners("levels"))

    def step(self, now_ns: int, expression: bus.Expression, floor: str) -> None:
        """Send what is due."""
        if self._listeners("state"):
            self._step_status(now_ns, expression, floor)
        if self._playback.level_meter.on and now_ns >= self._levels_due_ns:
            self._levels_due_ns = now_ns + LEVELS_NS
            rms, peak = self._playback.level_meter.read()
            self._tell("levels", wire.Levels(rms_dbfs=rms, peak_dbfs=peak))
        if self._waiting:
            self._step_thumbnails(now_ns)

    def _step_status(self, now_ns: int, expression: bus.Expression, floor: str) -> None:
        anchor, turn = self._playback.anchor(), self._playback.heard_turn
        owner = self._name(turn.owner) if turn else ""
        status = wire.Status(
            phase=anchor.phase,
            client=owner,
            turn=turn.name if turn else "",
            played_ms=0.0,
            state=expression.state,
            emotion=expression.emotion,
            floor=floor,
        )
        running = anchor.phase == "speaking" and now_ns >= self._status_due_ns
        if status == self._status and not running:
            return
        self._status = status
        self._status_due_ns = now_ns + self._progress_ns
        played_ms = round(turn.played_ms, 3) if turn else 0.0
        self._tell("state", msgspec.structs.replace(status, played_ms=played_ms))

    def _step_thumbnails(self, now_ns: int) -> None:
        for identity, asked_ns in list(self._waiting.items()):
            if now_ns - asked_ns > THUMBNAIL_PATIENCE_NS:
                del self._waiting[identity]
                self._send(
                    identity,
                    wire.Error(
                        code="no_thumbnail",
                        retryable=True,
                        message="the face did not answer "
                        f"within {ns_to_ms(THUMBNAIL_PATIENCE_NS):.0f} ms; it is not running, or draws nothing",
                    ),
                )
        if self._waiting and now_ns - self._asked_ns >= THUMBNAIL_EVERY_NS:
            self._asked_ns = now_ns
            self._publish(bus.ThumbnailRequest(epoch=self._playback.epoch, width=self._wanted_width))

    def _name(self, owner: bytes) -> str:
        """The name of a client, or of one that has left while its turns are played."""
        gone = self._orphans.find(owner)
        return gone.name if gone else self._sessions.name(owner)

    def _listeners(self, topic: wire.Topic) -> list[bytes]:
        return [session.identity for session in self._sessions.all() if topic in session.topics]

    def _tell(self, topic: wire.Topic, message: wire.Message) -> None:
        for identity in self._listeners(topic):
            self._send(identity, message)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
