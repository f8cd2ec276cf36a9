"""Turns what the voice tells into fields of `status`, or events.

Pure; every message of the voice goes through `hear`. What was said leaves the board only where link.toml says so.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from mien import client as voice
from mien.core.degradation import Level
from mien.fleet import event, status
from mien.link.call_keeper import CallKeeper
from mien.link.floor_keeper import FloorKeeper
from mien.link.health_maker import HealthMaker
from mien.link.status_keeper import StatusKeeper

Tell = Callable[[event.EventBase], object]

CAPTIONS_KEPT: Final = 16
TEXT: Final = 200
SAID: Final = 2000
FACELESS_REPORTS: Final = 10
"""A face that starts or restarts takes some seconds, a report comes each second: after so many it is a fault."""
NAME: Final = "link"
"""This link's name as a client of the voice."""
_LEVELS: Final = frozenset(level.value for level in Level)
_PHASES: Final = frozenset(("idle", "preroll", "speaking", "stalled", "paused"))
_SCREENS: Final = frozenset(("on", "dim", "blank", "off"))


class Reporter:
    """tell(event) records an event. utc() is None while the clock is unset."""

    def __init__(
        self,
        *,
        keeper: StatusKeeper,
        health: HealthMaker,
        calls: CallKeeper,
        floor: FloorKeeper,
        tell: Tell,
        utc: Callable[[], float | None],
        said: bool,
    ) -> None:
        self._keeper = keeper
        self._health = health
        self._calls = calls
        self._floor = floor
        self._tell = tell
        self._utc = utc
        self._said = said
        self._captions: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._failed: set[str] = set()
        self._faceless = 0

    def hear(self, message: voice.Event) -> None:
        """Take one message of the voice."""
        match message:
            case voice.Welcome():
                self._welcome(message)
            case voice.Disconnected(why=why):
                self.voice_lost(why)
            case voice.Status():
                self._status(message)
            case voice.Outcome():
                self._turn(message)
            case voice.Said():
                self._caption(message)
            case voice.LevelChanged(new=level, why=why):
                self._level(level, why)
            case voice.HealthReport():
                self._report(message)
            case voice.Floor():
                self._floor_changed(message)
            case voice.Call():
                self._calls.heard(message, self._utc())
                self._keeper.change(call=self._calls.now)
            case voice.RelayDone():
                self._event(event.Relayed(queue="", seq=0, relay=message.id, outcome=message.outcome, why=message.why))
            case voice.Ear(state=state):
                self._ear(state)
            case voice.Visit():
                self._visit(message)

    def voice_lost(self, why: str) -> None:
        """The voice is gone: what it told is not true any more."""
        self._health.voice_reported(None)
        self._calls.ended("withdrawn")
        self._floor_lost("vanished")
        self._keeper.change(
            level="no_voice",
            phase="idle",
            speaker="",
            session="",
            floor=None,
            visit=None,
            call=None,
            ear="absent",
            volume=None,
            screen="none",
            brightness=None,
        )
        self._fault("voice", True, why)

    def answered_call(self, user: str, coming: bool, in_s: int) -> None:
        """A user answered the customer's call."""
        self._calls.answered(user, coming, in_s)
        self._keeper.change(call=self._calls.now)

    def took_floor(self, user: str) -> None:
        """This user speaks through the board now."""
        self._keeper.change(floor=status.Floor(holder=user, since=self._utc() or 0.0))
        self._event(event.FloorChanged(queue="", seq=0, holder=user, why="taken"))

    def released_floor(self, why: str, note: str = "") -> None:
        """The user of this link gave the floor back, or lost it."""
        self._keeper.change(floor=None)
        self._event(
            event.FloorChanged(queue="", seq=0, holder="", why=why, note=note[:SAID] or None if self._said else None)
        )

    def _welcome(self, message: voice.Welcome) -> None:
        self._keeper.change(session=message.session[:TEXT])
        self._floor_of_another(message.floor)
        self._fault("voice", False)

    def _status(self, message: voice.Status) -> None:
        phase = message.phase if message.phase in _PHASES else "idle"
        self._keeper.change(phase=phase, speaker=message.client[:TEXT])

    def _turn(self, message: voice.Outcome) -> None:
        self._health.finished(message)
        text = self._captions.pop((message.client, message.turn), "")
        self._event(
            event.Turn(
                queue="",
                seq=0,
                client=message.client,
                turn=message.turn,
                reason=message.reason,
                heard_ms=message.played_ms,
                latency_ms=message.latency_ms,
                stalls=message.stalls,
                text=text[:SAID] or None,
            )
        )

    def _caption(self, message: voice.Said) -> None:
        if not self._said:
            return
        key = (message.client, message.turn)
        before = self._captions.pop(key, "") if message.append else ""
        self._captions[key] = f"{before} {message.text}".strip()[:SAID]
        while len(self._captions) > CAPTIONS_KEPT:
            self._captions.popitem(last=False)

    def _level(self, level: str, why: str) -> None:
        if level in _LEVELS and level != self._keeper.now.level:
            self._keeper.change(level=level)
            self._event(event.Level(queue="", seq=0, level=level, why=why[:TEXT]))

    def _report(self, message: voice.HealthReport) -> None:
        self._health.voice_reported(message)
        self._level(message.level, "as the voice reports")
        self._faceless = self._faceless + 1 if message.level == Level.AUDIO_ONLY.value else 0
        if self._faceless in (0, FACELESS_REPORTS):
            self._fault("face", self._faceless > 0, "speech without a face")
        self._fault("sound", message.device == "lost", "no usable sound card")
        fields: dict[str, Any] = {}
        if (screen := message.face_screen) is not None:
            fields["screen"] = screen if screen in _SCREENS else "none"
        elif message.face_fps is None:
            fields["screen"] = "none"
        if (brightness := message.face_brightness) is not None:
            fields["brightness"] = min(1.0, max(0.0, brightness))
        self._ear(message.ear_state)
        self._keeper.change(**fields)

    def _ear(self, state: str) -> None:
        if state != self._keeper.now.ear:
            self._fault("ear", state in ("no_card", "no_echo_reference"), state)
            self._keeper.change(ear=state[:TEXT])

    def _floor_changed(self, message: voice.Floor) -> None:
        if message.yours:
            return  # told when its user asked
        if self._floor.holder:
            self._floor_lost(message.why, message.note)
        self._floor_of_another(message.holder)

    def _floor_lost(self, why: str, note: str = "") -> None:
        if self._floor.holder:
            self._floor.lost()
            self.released_floor(why, note)

    def _floor_of_another(self, holder: str) -> None:
        """An agent that is no user of this broker took the floor, or gave it back."""
        if holder == NAME:
            return
        before = self._keeper.now.floor
        if holder and (before is None or before.holder != holder):
            self._keeper.change(floor=status.Floor(holder=holder[:TEXT], since=self._utc() or 0.0))
            self._event(event.FloorChanged(queue="", seq=0, holder=holder[:TEXT], why="taken"))
        elif not holder and before is not None:
            self.released_floor("released")

    def _visit(self, message: voice.Visit) -> None:
        over = message.phase == "over"
        before = self._keeper.now.visit
        if message.visit and (before is None or before.visit != message.visit) and not over:
            self._event(event.Visit(queue="", seq=0, visit=message.visit, ended=False, language=message.language))
        if over and message.visit:
            self._event(
                event.Visit(
                    queue="",
                    seq=0,
                    visit=message.visit,
                    ended=True,
                    language=message.language,
                    reason=message.reason,
                    duration_s=message.duration_s,
                    turns=message.turns,
                    answered=message.answered,
                    unanswered=message.unanswered,
                    handed_over=bool(message.handed_over),
                    questions=tuple(message.questions) if self._said and message.questions else None,
                )
            )
        now = None
        if message.visit and not over:
            same = before is not None and before.visit == message.visit
            now = status.Visit(
                visit=message.visit,
                phase=message.phase,
                language=message.language,
                since=before.since if same and before is not None else self._utc(),
            )
        self._keeper.change(visit=now)

    def _fault(self, part: str, failed: bool, what: str = "") -> None:
        """Tell of a fault once when it begins and once when it ends."""
        if failed == (part in self._failed):
            return
        (self._failed.add if failed else self._failed.discard)(part)
        self._event(event.Fault(queue="", seq=0, part=part, failed=failed, what=what[:TEXT]))

    def _event(self, happened: event.EventBase) -> None:
        self._tell(happened)
