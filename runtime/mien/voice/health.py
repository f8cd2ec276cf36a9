"""The voice's level on the ladder, and the once-a-second report of its health."""

import os
from collections.abc import Callable

from mien.core import bus, wire
from mien.core.hold import Hold
from mien.core.ladder import Event, Level, Step, step
from mien.core.stats import Counters

Announce = Callable[[wire.Message], None]


class Health:
    """Steps the ladder on what the voice sees of the face and the sink, and tells every client of each move."""

    def __init__(self, announce: Announce, log: Callable[[str], None]) -> None:
        self._announce = announce
        self._log = log
        self._hold = Hold()
        self._face = 0  # the process that reported last
        self.level = Level.AUDIO_ONLY  # until a face shows up

    def apply(self, event: Event, why: str, *, between_turns: bool) -> Step | None:
        """Step the ladder. Returns the move, or None where the event changes nothing now."""
        move = step(self.level, event, between_turns=between_turns)
        if move is None:
            return None
        self.level = move.new
        self._log(f"level {move.old.value} -> {move.new.value}: {why}")
        self._announce(wire.LevelChanged(old=move.old.value, new=move.new.value, why=why))
        return move

    def face_lost(self, why: str, now_ns: int, *, between_turns: bool) -> None:
        """There is no face that could be trusted to move with the speech."""
        if self.apply(Event.FACE_LOST, why, between_turns=between_turns) is not None:
            self._hold.failed(self._face, now_ns)

    def face_level(self, reported: str, face: int, now_ns: int, *, between_turns: bool) -> None:
        """The face with this process id reported in, at its own level. One that is lost often is trusted later."""
        self._face = face
        if reported == Level.AUDIO_ONLY.value:
            self.face_lost("the face has no motion for the speech", now_ns, between_turns=between_turns)
            return
        if self.level is Level.AUDIO_ONLY:
            if not self._hold.over(face, now_ns):
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
        device: bus.DeviceState = "open",
    ) -> bus.VoiceHealth:
        """The message for the bus."""
        return bus.VoiceHealth(
            epoch=epoch,
            pid=os.getpid(),
            level=self.level.value,
            clients=clients,
            pss_mb=round(pss_mb, 1),
            counters=counters.snapshot(),
            session=session,
            device=device,
        )
