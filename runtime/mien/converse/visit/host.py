"""Connects a visit with a conversation: what each does is a signal to the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import uuid4

from mien.client import Visit as News
from mien.converse import events, orders
from mien.converse.conversation import CONSENT, END_VISIT, HAND_OVER, Conversation
from mien.converse.visit import acts, phrases, signals
from mien.converse.visit.life import Visit
from mien.converse.visit.record import Record
from mien.units import NS_PER_S

MORE_TIME: Final = "more_time"
_OFFERS: Final[dict[acts.Line, str]] = {"consent": CONSENT, "still_there": MORE_TIME}
_WISHES: Final[dict[str, signals.Wish]] = {
    CONSENT: "consent",
    f"no_{CONSENT}": "no_consent",
    MORE_TIME: "more_time",
    f"no_{MORE_TIME}": "no_more_time",
    HAND_OVER: "person",
    END_VISIT: "goodbye",
}
Items = Mapping[str, str]
_WITH_QR: Final = ("conversation", "extension")


@dataclass(frozen=True, slots=True)
class Switch:
    """What a button changes in the kiosk. captions: shown or not. language: for this visit; "" asks which."""

    captions: bool | None = None
    language: str = ""


@dataclass(slots=True)
class VisitHost:
    """Its methods return what to tell the conversation.

    buttons: what is offered in a conversation: names of phrases.BUTTONS or SWITCHES, or questions. attract: idle lines.
    speak_keys: the greeting names the keys of the buttons. show(items, qr): shows buttons, with a QR code where qr is
    not empty. call(open): calls a person, or withdraws the call. refused(question, language): it had no answer.
    ended(record): a visit is over and forgotten. panel: what is shown. languages: among which the button "language"
    lets choose. captions: whether what is said can be read, as configured at first; caption(on) switches that. Both
    are as configured again when the visit is over. qr: the text of the code that is shown for qr_ns after a call that
    nobody answered. report(news): tells where the visit stands, on each change. questions(record): those without an
    answer that may be told when it is over. new_id: names a visit.
    """

    visit: Visit
    conversation: Conversation
    show: Callable[[Items, str], None]
    call: Callable[[bool], None]
    ended: Callable[[Record], None]
    buttons: tuple[str, ...] = ()
    attract: tuple[str, ...] = ()
    greeting: str = ""
    refused: Callable[[str, str], None] = lambda *_: None
    speak_keys: bool = False
    panel: acts.Panel = "none"
    languages: tuple[str, ...] = ()
    captions: bool = False
    caption: Callable[[bool], None] = lambda _: None
    qr: str = ""
    qr_ns: int = 0
    report: Callable[[News], None] = lambda _: None
    questions: Callable[[Record], tuple[str, ...]] = lambda _: ()
    new_id: Callable[[], str] = lambda: uuid4().hex
    _id: str = ""
    _reported: tuple[str, str] = ("", "")
    _qr_until_ns: int = 0
    _qr_told: bool = False
    _now_ns: int = 0
    _meant: dict[str, str | Switch] = field(default_factory=dict)
    _under: acts.Panel = "none"
    _offered_in: str = ""
    _configured: tuple[str, bool] = ("", False)
    _busy: bool = False
    _by: signals.By = "word"
    _attracted: int = 0

    def __post_init__(self) -> None:
        self._configured = (self.conversation.language, self.captions)
        self._gate()

    def take(self, signal: signals.Signal, now_ns: int) -> list[events.Event]:
        """A signal from outside the conversation. Returns what to tell that."""
        if isinstance(signal, signals.Sound) and signal.began:
            self._by = "word"
        self._now_ns = max(now_ns, self._now_ns)
        told = [event for act in self.visit.take(signal, now_ns) for event in self._do(act)]
        if self._qr_until_ns and self._now_ns >= self._qr_until_ns:
            self._qr_until_ns = 0
            if self.panel in _WITH_QR:
                self._offer(self.panel)
        self._gate()
        self._report_phase()
        return told

    def after(self, order: orders.Order, now_ns: int) -> list[events.Event]:
        """The conversation has given an order."""
        match order:
            case orders.Understood():
                self._renew()
                signal: signals.Signal = signals.Asked(len(order.question.split()))
            case orders.Answered():
                if not order.known:
                    self.refused(order.question, self.language)
                signal = signals.Answered(order.known, order.heard)
            case orders.Announced():
                signal = signals.Announced(order.label, order.heard)
            case orders.Perform(action=action) if action in _WISHES:
                signal = signals.Wished(_WISHES[action], self._by)
            case _:
                return []
        return self.take(signal, now_ns)

    def follow(self, now_ns: int) -> list[events.Event]:
        """Whether the conversation is busy may have changed."""
        if self.conversation.busy == self._busy:
            return []
        self._busy = self.conversation.busy
        return self.take(signals.Busy(self._busy), now_ns)

    def offered(self, *, qr: bool) -> list[events.Event]:
        """What was wanted can be seen. qr: with its code, which is only spoken of once it can be scanned."""
        if not qr or not self._qr_due or self._qr_told:
            return []
        self._qr_told = True
        return [self._announce("qr")]

    def choose(self, name: str, by: signals.By, now_ns: int) -> list[events.Event]:
        """The visitor chose a button."""
        meant = self._meant.get(name)
        if meant is None:
            return []
        self._by = by
        if isinstance(meant, Switch):
            return [*self.take(signals.Wished("activity", by), now_ns), *self._switch(meant)]
        if meant in _WISHES:
            return self.take(signals.Wished(_WISHES[meant], by), now_ns)
        self._offer(self.panel)  # the same buttons may be chosen from again
        return [*self.take(signals.Wished("activity", by), now_ns), events.Typed(meant)]

    @property
    def with_person(self) -> bool:
        """Whether the visitor talks with a person: mien neither listens nor answers."""
        return self.visit.state == "person"

    @property
    def language(self) -> str:
        """The language of the visit."""
        language = self.conversation.spoken_language
        return language if language in phrases.LINES else self.conversation.default_language

    def text_of(self, line: acts.Line, seconds: int = 0) -> str:
        """A line as it is said."""
        language = self.language
        lines = phrases.LINES[language]
        if line == "attract":
            text = self.attract[self._attracted % len(self.attract)]
            self._attracted += 1
            return text
        if line == "greeting":
            text = f"{self.greeting} {lines['notice']}" if self.greeting else lines["greeting"]
            labels = [label for label, _ in self._rows("conversation")]
            keys = phrases.spoken_keys(labels, language) if self.speak_keys else ""
            return f"{text} {keys}".strip()
        if line == "languages" and self.speak_keys:
            return f"{lines[line]} {phrases.spoken_keys([label for label, _ in self._rows(line)], language)}"
        if line == "coming" and seconds:
            line = "coming_in"
        return lines[line].format(seconds=phrases.spoken_time(seconds, language))

    def _do(self, act: acts.Act) -> list[events.Event]:
        match act:
            case acts.Say():
                if act.line in ("nobody", "not_coming") and self.qr:
                    self._qr_until_ns, self._qr_told = self._now_ns + self.qr_ns, False
                return [self._announce(act.line, act.seconds)]
            case acts.Show():
                if act.panel not in _WITH_QR:
                    self._qr_until_ns = 0
                if self.panel == "languages" and act.panel in ("consent", "conversation"):
                    self._under = act.panel  # once a language was chosen
                elif act.panel != self.panel:  # a touch that is on its way belongs to the offer that it saw
                    self._offer(act.panel)
            case acts.Call():
                self.call(act.open)
            case acts.Note():
                self.conversation.history.note(act.text)
            case acts.Forget():
                self._report_end(act.record)
                self.ended(replace(act.record, language=self.language, captions=self.captions))
                self.conversation.language, captions = self._configured
                self._caption(captions)
                return [events.Forget()]
        return []

    def _report_phase(self) -> None:
        if self.visit.visiting and not self._id:
            self._id = self.new_id()
        phase, language = self.visit.state, self.language
        if (phase, language) != self._reported:
            self._reported = (phase, language)
            self.report(News(phase=phase, visit=self._id, language=language))

    def _report_end(self, record: Record) -> None:
        self.report(
            News(
                phase="over",
                visit=self._id,
                language=self.language,
                reason=record.ended,
                duration_s=round((record.ended_ns - record.began_ns) / NS_PER_S, 1),
                turns=record.questions,
                answered=record.answered,
                unanswered=record.refused,
                handed_over=bool(record.handed_over_ns),
                questions=self.questions(record),
            )
        )
        self._id = ""

    def _announce(self, line: acts.Line, seconds: int = 0, *, now: bool = False) -> events.Event:
        return events.Announce(line, self.text_of(line, seconds), _OFFERS.get(line, ""), now)

    def _switch(self, switch: Switch) -> list[events.Event]:
        """Change what a button changes. Captions are seen by themselves: they do not break into an answer."""
        if switch.captions is not None:
            self._caption(switch.captions)
            self._offer(self.panel)
            done: acts.Line = "captions_on" if switch.captions else "captions_off"
            return [] if self.conversation.busy else [self._announce(done)]
        if not switch.language:
            self._under = self.panel
            self._offer("languages")
            return [self._announce("languages", now=True)]
        self.conversation.language = switch.language
        self._gate()
        self._offer(self._under)
        again = [self._announce("consent")] if self.panel == "consent" else []
        return [self._announce("language", now=True), *again]

    def _caption(self, on: bool) -> None:
        if on != self.captions:
            self.captions = on
            self.caption(on)

    def _renew(self) -> None:
        """The visitor goes on asking: no language was chosen, or another one was spoken."""
        if self.panel == "languages":
            self._offer(self._under)
        elif self.language != self._offered_in:
            self._offer(self.panel)

    def _offer(self, panel: acts.Panel) -> None:
        self.panel, self._offered_in = panel, self.language
        self.show(self._items(panel), self.qr if self._qr_due else "")

    @property
    def _qr_due(self) -> bool:
        return self._qr_until_ns > self._now_ns and self.panel in _WITH_QR

    def _items(self, panel: acts.Panel) -> dict[str, str]:
        """id -> text of a panel; remembers what each means."""
        rows = self._rows(panel)
        self._meant = {f"{panel}-{number}": meant for number, (_, meant) in enumerate(rows)}
        return {name: text for name, (text, _) in zip(self._meant, rows, strict=True)}

    def _rows(self, panel: acts.Panel) -> list[tuple[str, str | Switch]]:
        """The buttons of a panel: the label of each, and what it stands for."""
        language = self.language
        known, answers = phrases.BUTTONS[language], phrases.ANSWERS[language]
        goodbye = known["goodbye"]
        match panel:
            case "consent":
                asked = [(answers["yes"], CONSENT), (answers["no"], f"no_{CONSENT}")]
                return [*asked, *(self._row(button) for button in self.buttons if button == "language")]
            case "extension":
                return [(answers["more_time"], MORE_TIME), goodbye]
            case "calling":
                return [goodbye]
            case "conversation":
                buttons = self.buttons or (("goodbye",) if self._qr_due else ())  # a code stands beside buttons
                return [self._row(button) for button in buttons]
            case "languages":
                return [(phrases.LANGUAGES[name], Switch(language=name)) for name in self.languages]
            case "none":
                return []

    def _row(self, button: str) -> tuple[str, str | Switch]:
        switches = phrases.SWITCHES[self.language]
        if button == "captions":
            return switches["captions_off" if self.captions else "captions_on"], Switch(captions=not self.captions)
        if button == "language":
            return switches["language"], Switch()
        return phrases.BUTTONS[self.language].get(button, (button, button))

    def _gate(self) -> None:
        """Where no visit may begin, or without consent, questions are not answered."""
        lines = phrases.LINES[self.language]
        if self.visit.closed:
            self.conversation.instead = lines["closed"]
        elif self.visit.times.consent and not self.visit.consented:
            self.conversation.instead = lines["consent"]
        else:
            self.conversation.instead = ""
