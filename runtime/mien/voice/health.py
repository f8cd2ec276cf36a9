"""The voice's degradation level, with its health report."""

import os
from collections.abc import Callable

from mien.core import bus, wire
from mien.core.backoff import Backoff
from mien.core.degradation import Event, Level, Transition, step
from mien.core.stats import Counters

Announce = Callable[[wire.Message], None]


class Health:
    """Steps the degradation table on events of face and sink, and announces each transition to every client."""

    def __init__(self, announce: Announce, log: Callable[[str], None]) -> None:
        self._announce = announce
        self._log = log
        self._backoff = Backoff()
        self._face = 0  # the process that reported last
        self.level = Level.AUDIO_ONLY  # until a face reports

    def apply(self, event: Event, why: str, *, between_turns: bool) -> Transition | None:
        """Apply an event. Returns the transition, or None if nothing changes now."""
        transition = step(self.level, event, between_turns=between_turns)
        if transition is None:
            return None
        self.level = transition.new
        self._log(f"level {transition.old.value} -> {transition.new.value}: {why}")
        self._announce(wire.LevelChanged(old=transition.old.value, new=transition.new.value, why=why))
        return transition

    def face_lost(self, why: str, now_ns: int, *, between_turns: bool) -> None:
        """There is no face that transitions with the speech."""
        if self.apply(Event.FACE_LOST, why, between_turns=between_turns) is not None:
            self._backoff.failed(self._face, now_ns)

    def face_level(self, reported: str, face: int, now_ns: int, *, between_turns: bool) -> None:
        """The face with this process id has reported its level. One that is lost often is trusted later."""
        self._face = face
        if reported == Level.AUDIO_ONLY.value:
            self.face_lost("the face has no motion for the speech", now_ns, between_turns=between_turns)
            return
        if self.level is Level.AUDIO_ONLY:
            if not self._backoff.over(face, now_ns):
                return
            self.apply(Event.FACE_BACK, "the face is there", between_turns=between_turns)
        if reported == Level.ENVELOPE.value:
            self.apply(Event.MODEL_LOST, "the face has no motion model", between_turns=between_turns)
        elif reported == Level.FULL.value:
            self.apply(Event.MODEL_BACK, "the motion model is back", between_turns=between_turns)

    def report(
        self,
        epoch: int,
        clients: int,
        pss_mb: float,
        counters: Counters,
        session: str,
        device: bus.DeviceState,
        visit: wire.Visit | None,
        *,
        headphones: bool,
    ) -> bus.VoiceHealth:
        """The report for the bus."""
        return bus.VoiceHealth(
            epoch=epoch,
            pid=os.getpid(),
            level=self.level.value,
            clients=clients,
            pss_mb=round(pss_mb, 1),
            counters=counters.snapshot(),
            session=session,
            device=device,
            headphones=headphones,
            visit=visit.phase if visit else "",
            language=visit.language if visit else "",
        )
