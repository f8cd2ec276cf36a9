"""The life of a visit as a pure state machine: signals in, acts out.

It owns no clock, socket or thread. It never ends a visit while somebody speaks, and keeps nothing of what was said.

    attract --somebody--> presence --stays--> greeting --heard--> [consent] --> conversation <--> calling <--> person
       ^                     |                                       |              |   ^
       '------- leaves ------'                                       |   a long silence |  a sign of life
       ^                                                             v              v   |
       '------------ all is quiet: everything is forgotten ------ goodbye <----- extension
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mien.converse.visit.acts import Act, Call, Forget, Line, Note, Panel, Say, Show
from mien.converse.visit.record import End, Record
from mien.converse.visit.signals import (
    Announced,
    Answered,
    Asked,
    Busy,
    Closing,
    PersonAnswered,
    PersonLeft,
    PersonSpeaks,
    Present,
    Signal,
    Sound,
    Tick,
    Wished,
)
from mien.converse.visit.times import GRACE_NS, JUMP_NS, LONGEST_SOUND_NS, MOST_STRETCH, Times
from mien.units import NS_PER_S

State = Literal[
    "attract", "presence", "greeting", "consent", "conversation", "extension", "calling", "person", "goodbye"
]
NOTICES = 2  # how often the notice is repeated that was not heard to its end


@dataclass(slots=True)
class Visit:
    """take() is the only entrance. state: for reading."""

    times: Times = field(default_factory=Times)
    state: State = "attract"
    _record: Record = field(default_factory=Record)
    _now_ns: int = 0
    _since_ns: int = 0
    _active_ns: int = 0
    _busy: bool = False
    _closed: bool = False
    _sound_ns: int | None = None
    _grace_ns: int = 0
    _absent_ns: int | None = None
    _sensed: bool = False
    _seen_by: set[str] = field(default_factory=set)
    _armed: bool = True
    _stretch: int = 1
    _notices: int = 0
    _notice_due: bool = False
    _told_ns: int = 0
    _attracted_ns: int = 0
    _acts: list[Act] = field(default_factory=list)

    def take(self, signal: Signal, now_ns: int) -> list[Act]:
        """Process one signal; returns what is to be done, in order. A time before the last one counts as that."""
        self._follow(max(now_ns, self._now_ns))
        self._note(signal)
        if isinstance(signal, PersonSpeaks) and self.visiting:
            self._give_floor()
        match self.state:
            case "attract" | "presence":
                self._wait(signal)
            case "greeting" | "consent":
                self._open(signal)
            case "conversation" | "extension":
                self._converse(signal)
            case "calling" | "person":
                self._hand_over(signal)
            case "goodbye":
                self._part(signal)
        acts, self._acts = self._acts, []
        return acts

    def close(self) -> list[Act]:
        """The kiosk stops: whatever is kept of a visit is forgotten now."""
        if not self.visiting:
            return []
        self._reset("shutdown")
        acts, self._acts = self._acts, []
        return acts

    @property
    def visiting(self) -> bool:
        """Whether there is a visitor."""
        return self.state not in ("attract", "presence")

    @property
    def closed(self) -> bool:
        """Whether no visit may begin."""
        return self._closed and not self.visiting

    @property
    def consented(self) -> bool:
        """Whether this visitor said yes."""
        return bool(self._record.consented)

    @property
    def quiet(self) -> bool:
        """Whether neither side speaks, nor is about to."""
        return not self._busy and self._sound_ns is None and self._now_ns >= self._grace_ns

    # What every state follows

    def _follow(self, now_ns: int) -> None:
        """Pass the time. A machine that slept has not waited: every wait goes on where it was."""
        gap_ns = now_ns - self._now_ns
        if not self._now_ns:
            self._since_ns = self._active_ns = now_ns
        elif gap_ns > JUMP_NS:
            self._since_ns += gap_ns
            self._active_ns += gap_ns
            self._told_ns += gap_ns
            self._attracted_ns += gap_ns
            self._absent_ns = None if self._absent_ns is None else self._absent_ns + gap_ns
            self._sound_ns = None
        self._now_ns = now_ns
        if self._sound_ns is not None and now_ns - self._sound_ns > LONGEST_SOUND_NS:
            self._sound_ns = None

    def _note(self, signal: Signal) -> None:
        """What is remembered in any state. A sign of life postpones every wait for silence."""
        now_ns, record = self._now_ns, self._record
        match signal:
            case Present():
                self._sense(signal)
            case Sound():
                self._sound_ns = now_ns if signal.began else None
            case Closing():
                self._closed = signal.closing
            case Busy():
                self._busy = signal.busy
                if signal.busy:
                    self._grace_ns = 0
            case Asked():
                record.questions += 1
                record.first_question_ns = record.first_question_ns or now_ns
            case Answered():
                record.answered += signal.known and signal.heard
                record.refused += not signal.known
                record.interrupted += not signal.heard
                if signal.known and signal.heard:
                    record.first_answer_ns = record.first_answer_ns or now_ns
            case Wished():
                record.touches += signal.by != "word" and signal.wish not in ("goodbye", "person")  # told before
                if signal.by != "word":
                    record.touched_by |= {signal.by}
                if signal.wish in ("consent", "no_consent"):
                    record.consented = signal.wish == "consent"
            case Announced(label="greeting" | "notice"):
                self._notice_due = not signal.heard and self._notices < NOTICES
            case _:
                pass
        if not isinstance(signal, Tick | Announced) and not (isinstance(signal, Present) and not signal.present):
            self._active_ns = now_ns
        if not self.quiet:
            self._active_ns = now_ns

    def _sense(self, signal: Present) -> None:
        """Nobody is there once no sensor sees anybody: who pulls their headphones out may still stand at the door."""
        if signal.source != "touch":
            self._sensed = True
            (self._seen_by.add if signal.present else self._seen_by.discard)(signal.source)
        if signal.present:
            self._absent_ns = None
            self._armed |= signal.source == "headphones"  # nobody plugs them in by standing there
        elif not self._seen_by:
            self._absent_ns = self._absent_ns or self._now_ns
            self._armed = True

    # Before a visit

    def _wait(self, signal: Signal) -> None:
        times, now_ns = self.times, self._now_ns
        if self._closed:
            self._turn_away(signal)
            return
        match signal:
            case Sound(began=True) | Asked():
                self._begin("voice")
            case Wished():
                self._begin("touch")
            case Present(present=True, source="touch"):
                self._begin("touch")
            case Present(present=True) if self.state == "attract" and self._armed:
                self._enter("presence")
                self._record.began_by = signal.source
            case Present(present=False) if self.state == "presence" and not self._seen_by:
                self._enter("attract")
            case Tick():
                if self.state == "presence" and now_ns - self._since_ns >= times.greet_after:
                    self._begin(self._record.began_by)
                elif self.state == "attract":
                    self._attract(signal)
            case _:
                pass

    def _turn_away(self, signal: Signal) -> None:
        """No visit begins: a touch is told so; what is asked, the conversation answers with the same line."""
        touched = isinstance(signal, Wished) or (isinstance(signal, Present) and signal.source == "touch")
        if self.state == "presence":
            self._enter("attract")
        if touched and self.quiet:
            self._say("closed")

    def _attract(self, tick: Tick) -> None:
        every = self.times.attract_every
        if every and not tick.quiet and self.quiet and self._now_ns - max(self._attracted_ns, self._since_ns) >= every:
            self._attracted_ns = self._now_ns
            self._say("attract")

    def _begin(self, by: str) -> None:
        before = self._record
        self._record = Record(
            began_ns=self._now_ns,
            began_by=by,
            questions=before.questions,
            first_question_ns=before.first_question_ns,
            touches=by == "touch",
            touched_by=before.touched_by,
        )
        self._stretch, self._notices, self._notice_due = 1, 0, False
        self._enter("greeting")
        self._record.greeted_ns = self._now_ns
        self._say("greeting")
        self._show("none" if self.times.consent else "conversation")

    # Greeting, consent

    def _open(self, signal: Signal) -> None:
        if isinstance(signal, Wished) and self._obey(signal):
            return
        if self._is_gone():
            self._leave("left", None)
        elif not self.quiet:
            return
        elif self.state == "greeting" and self.times.consent:
            self._enter("consent")
            self._say("consent")
            self._show("consent")
        elif self.state == "greeting":
            self._talk()
        elif self._now_ns - self._active_ns >= self.times.extend:
            self._leave("silence", "goodbye")

    def _talk(self) -> None:
        self._enter("conversation")
        self._show("conversation")

    # Conversation, extension

    def _converse(self, signal: Signal) -> None:
        times, waited_ns = self.times, self._now_ns - self._active_ns
        if isinstance(signal, Wished) and self._obey(signal):
            return
        if self.state == "extension" and (isinstance(signal, Asked) or (isinstance(signal, Sound) and signal.began)):
            self._talk()
        elif self._is_gone():
            self._leave("left", None)
        elif not self.quiet:
            return
        elif self._notice_due:
            self._notice_due = False
            self._notices += 1
            self._say("notice")
        elif self.state == "conversation" and waited_ns >= times.idle * self._stretch:
            self._enter("extension")
            self._record.extensions += 1
            self._say("still_there")
            self._show("extension")
        elif self.state == "extension" and waited_ns >= times.extend:
            self._leave("silence", "goodbye")

    def _obey(self, signal: Wished) -> bool:
        """Do what the visitor wants of the visit. Returns whether that is all that the signal means."""
        how: End = "word" if signal.by == "word" else "touch"
        match signal.wish:
            case "goodbye":
                self._leave(how, None)  # the conversation has said goodbye
            case "no_more_time":
                self._leave(how, "goodbye")
            case "no_consent":
                self._leave("no_consent", "no_consent")
            case "person":
                self._call()
            case "more_time":
                self._stretch = min(MOST_STRETCH, 2 * self._stretch)
                if signal.by != "word":
                    self._say("more_time")
                self._talk()
            case "consent":
                self._talk()
            case _ if self.state == "extension":
                self._talk()
            case _:
                return False
        return True

    def _is_gone(self) -> bool:
        """Whether sensors have seen nobody for a while, and nothing is heard either."""
        return (
            self._sensed
            and self._absent_ns is not None
            and self.quiet
            and self._now_ns - max(self._absent_ns, self._active_ns) >= self.times.left
        )

    # A person

    def _call(self) -> None:
        self._record.calls += 1
        self._record.called_ns = self._record.called_ns or self._now_ns
        self._enter("calling")
        self._told_ns = self._now_ns
        self._acts.append(Call(open=True))
        self._grace_ns = self._now_ns + GRACE_NS  # the conversation says so
        self._show("calling")

    def _hand_over(self, signal: Signal) -> None:
        match signal:
            case PersonLeft() if self.state == "person":
                if signal.note:
                    self._acts.append(Note(signal.note))
                self._hang_up("back")
            case PersonAnswered() if self.state == "calling":
                if signal.coming:
                    self._since_ns = self._now_ns + signal.in_s * NS_PER_S  # who said when is given that time
                    self._say("coming", signal.in_s)
                else:
                    self._record.calls_unanswered += 1
                    self._hang_up("not_coming")
            case Wished(wish="goodbye") if self.state == "calling":
                self._record.calls_unanswered += 1
                self._acts.append(Call(open=False))
                self._leave("word" if signal.by == "word" else "touch", None)
            case _ if self.state == "calling":
                self._await_person()
            case _:
                pass

    def _give_floor(self) -> None:
        self._record.handed_over_ns = self._record.handed_over_ns or self._now_ns
        self._enter("person")
        self._show("none")

    def _await_person(self) -> None:
        """Say honestly how long it has taken; give up in the end."""
        if self._is_gone():
            self._record.calls_unanswered += 1
            self._acts.append(Call(open=False))
            self._leave("left", None)
        elif not self.quiet:
            return
        elif self._now_ns - self._since_ns >= self.times.call:
            self._record.calls_unanswered += 1
            self._hang_up("nobody")
        elif self._now_ns - self._told_ns >= self.times.call_tell:
            self._told_ns = self._now_ns
            waited_ns = self._now_ns - (self._record.called_ns or self._now_ns)
            self._say("still_calling", round(waited_ns / NS_PER_S))

    def _hang_up(self, line: Line) -> None:
        self._acts.append(Call(open=False))
        self._say(line)
        self._talk()

    # The end

    def _leave(self, how: End, line: Line | None) -> None:
        self._record.ended = how
        self._enter("goodbye")
        self._show("none")
        self._grace_ns = self._now_ns + GRACE_NS
        if line is not None:
            self._say(line)

    def _part(self, signal: Signal) -> None:
        """Wait until all has been heard; somebody who asks once more is answered."""
        if isinstance(signal, Asked) and self._record.consented is not False:
            self._talk()
        elif isinstance(signal, Wished) and signal.wish == "person":
            self._call()
        elif self.quiet:
            self._reset(self._record.ended)

    def _reset(self, how: End) -> None:
        self._record.ended, self._record.ended_ns = how, self._now_ns
        if self.state in ("calling", "person"):
            self._acts.append(Call(open=False))
        self._show("none")
        self._acts.append(Forget(self._record))
        self._record = Record()
        self._armed = self._absent_ns is not None or not self._sensed
        self._stretch, self._notice_due = 1, False
        self._enter("attract")

    # Small things

    def _enter(self, state: State) -> None:
        self.state = state
        self._since_ns = self._active_ns = self._now_ns

    def _say(self, line: Line, seconds: int = 0) -> None:
        self._acts.append(Say(line, seconds))
        self._grace_ns = self._now_ns + GRACE_NS

    def _show(self, panel: Panel) -> None:
        self._acts.append(Show(panel))
