"""The conversation as a pure state machine: events in, orders out.

It owns no clock, socket or thread: every event comes with the time at which it is known. The customer's unfinished turn
is `Asked`, what mien says is a list of `Answer`.

    silence --UserBegan--> asking --Quiet--> recognising --Recognised--> thinking ahead --silence lasts--> decided
       ^                     '<------------ SoundAgain: it goes on ------------'                              |
       '---- a cough, "mm-hm": what was said goes on --------------------- an answer, a phrase <--------------'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mien.converse import intent, orders
from mien.converse.answer import Answer, Thinking
from mien.converse.asked import Asked
from mien.converse.endpoint import Timing, silence_ms
from mien.converse.events import (
    Acted,
    Announce,
    BargedIn,
    Event,
    Failed,
    Forget,
    Opened,
    Queued,
    Quiet,
    Recognised,
    SoundAgain,
    SoundLost,
    Thought,
    ThoughtAll,
    Tick,
    TurnOver,
    Typed,
    UserBegan,
    UserEnded,
)
from mien.converse.hear.base import Transcript
from mien.converse.history import History
from mien.converse.orders import Order
from mien.converse.phrases import PHRASES, Phrases, phrases
from mien.converse.think.sentences import in_sentences
from mien.units import NS_PER_MS

HAND_OVER: Final = "hand_over"
END_VISIT: Final = "end_visit"
CONSENT: Final = "consent"
LEAD_NS: Final = 300 * NS_PER_MS  # sound before the detected beginning
TAIL_NS: Final = 100 * NS_PER_MS  # and after the last sound
REVERBERATION_NS: Final = 250 * NS_PER_MS
LOUDER: Final = 1.4
SLOWER: Final = 0.8
SPEEDS: Final = (0.5, 1.6)
QUIETEST: Final = 0.1
RECENT_TEXT_CHARS: Final = 2_000


@dataclass(slots=True)
class Conversation:
    """take() is the only entrance. language: "en", another with phrases, or "auto".

    forbidden: words of subjects that the kiosk declines to talk about. instead: said in place of every answer, while
    it is not empty: consent is missing. history: for reading.
    """

    timing: Timing = field(default_factory=Timing)
    language: str = "en"
    default_language: str = "en"
    forbidden: tuple[str, ...] = ()
    instead: str = ""
    gain: float = 1.0
    history: History = field(default_factory=History)
    _asked: Asked | None = None
    _answers: list[Answer] = field(default_factory=list)
    _last: Answer | None = None
    _speed: float = 1.0
    _spoken: str = ""
    _tongue: str = ""
    _offer: str = ""
    _misunderstood: int = 0
    _numbers: int = 0
    _barge: str = ""
    _resumed: int = 0
    _out: list[Order] = field(default_factory=list)

    def take(self, event: Event, now_ns: int) -> list[Order]:
        """Process one event; returns what is to be done, in order."""
        match event:
            case UserBegan():
                self._begin(event, now_ns)
            case Quiet():
                self._quiet(event, now_ns)
            case SoundAgain():
                self._sound_again()
            case UserEnded():
                self._end(event, now_ns)
            case SoundLost():
                self._drop_asked(resume=True)
            case Recognised():
                self._recognised(event, now_ns)
            case Thought() | Acted() | ThoughtAll():
                self._thought(event, now_ns)
            case Failed():
                self._failed(event, now_ns)
            case Queued() | Opened() | TurnOver():
                self._spoke(event, now_ns)
            case BargedIn():
                self._barge = event.action
            case Typed():
                self._typed(event.text, now_ns)
            case Announce():
                if event.now:
                    self._take_over(self._asked or Asked(began_ns=now_ns, last_ns=now_ns))
                announced = self._phrase(event.text, offer=event.offer, staff=event.staff)
                announced.label = event.label
            case Forget():
                self._forget()
            case Tick():
                pass
        self._step(now_ns)
        out, self._out = self._out, []
        return out

    @property
    def busy(self) -> bool:
        """Whether something is being asked, thought or said."""
        return self._asked is not None or bool(self._answers)

    @property
    def spoken_language(self) -> str:
        """The language in which mien speaks now; that of the customer's last turn where `language` is "auto"."""
        return self._current_language()

    @property
    def asking(self) -> bool:
        """Whether the customer's turn is not decided yet."""
        return self._asked is not None

    # The customer

    def _begin(self, event: UserBegan, now_ns: int) -> None:
        if self._asked is not None:
            self._asked.ended = False
            self._asked.last_ns = now_ns
            self._forget_guess(self._asked)
            return
        heard = next((answer for answer in self._answers if answer.audible and not answer.dropped), None)
        self._asked = Asked(began_ns=event.at_ns, last_ns=now_ns, over=heard.number if heard else 0)
        self._barge = self._barge if heard else ""
        self._do(orders.Show("listening"))

    def _quiet(self, event: Quiet, now_ns: int) -> None:
        if self._asked is not None and not self._asked.ended:
            self._asked.last_ns = event.since_ns
            self._recognise(self._asked, event.since_ns, now_ns)

    def _sound_again(self) -> None:
        if self._asked is not None and not self._asked.ended:
            self._forget_guess(self._asked)

    def _end(self, event: UserEnded, now_ns: int) -> None:
        asked = self._asked
        if asked is None:
            return
        asked.ended = True
        if asked.until_ns and event.at_ns <= asked.until_ns + REVERBERATION_NS:
            return  # the ear hears the room for longer than the customer
        asked.last_ns = event.at_ns
        self._recognise(asked, event.at_ns, now_ns)

    def _recognise(self, asked: Asked, last_ns: int, now_ns: int) -> None:
        self._forget_guess(asked)
        asked.job, asked.job_ns, asked.until_ns = self._number(), now_ns, last_ns
        begin_ns = max(asked.began_ns - LEAD_NS, last_ns - self.timing.longest_ms * NS_PER_MS)
        self._do(orders.Recognise(asked.job, begin_ns, last_ns + TAIL_NS, self.language))

    def _forget_guess(self, asked: Asked) -> None:
        """What was recognised or thought ahead does not hold: the customer goes on."""
        if asked.job:
            self._do(orders.Cancel(asked.job))
        if asked.thinking is not None:
            self._do(orders.Cancel(asked.thinking.job))
        asked.job, asked.until_ns, asked.transcript, asked.thinking, asked.failed = 0, 0, None, None, False

    def _recognised(self, event: Recognised, now_ns: int) -> None:
        asked = self._asked
        if asked is None or event.job != asked.job:
            return
        asked.job, asked.transcript, asked.recognised_ns = 0, event.transcript, now_ns
        if event.transcript.text and not event.transcript.unclear:
            meant = intent.read(event.transcript.text, event.transcript.language)
            if meant.kind == "question" and not self.instead and not self._is_forbidden(meant.question):
                asked.thinking = self._think(self._joined(asked, meant), event.transcript.language, now_ns)

    def _drop_asked(self, *, resume: bool) -> None:
        """The customer's sound was nothing: what was being said goes on."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._forget_guess(asked)
        if resume and (asked.paused or self._barge in ("ducked", "paused")):
            self._do(orders.Resume())
            self._resumed = asked.over
        if resume and asked.broken_off is not None:
            self._say_rest(asked.broken_off, asked.broken_off_ms)
        self._barge = ""
        self._show_rest()

    def _typed(self, text: str, now_ns: int) -> None:
        """A choice is a turn that is complete and clear. What was being said ends, as it does when somebody speaks."""
        if self._asked is not None:
            self._forget_guess(self._asked)
        language = self._current_language()
        heard = next((answer for answer in self._answers if answer.audible and not answer.dropped), None)
        asked = Asked(began_ns=now_ns, last_ns=now_ns, over=heard.number if heard else 0, ended=True)
        asked.transcript, asked.recognised_ns, asked.silence_ns = Transcript(text, language, False), now_ns, now_ns
        self._asked = asked
        self._misunderstood = 0
        self._do(orders.Note("customer", text))
        self._obey(asked, intent.read(text, language), now_ns)

    def _forget(self) -> None:
        self.history.clear()
        self._last, self._spoken, self._tongue, self._offer = None, "", "", ""
        self._speed, self._misunderstood = 1.0, 0
        if self.gain != 1.0:
            self.gain = 1.0
            self._do(orders.Volume(self.gain))

    # The thinker

    def _think(self, question: str, language: str, now_ns: int) -> Thinking:
        job = self._number()
        whispers = tuple(self.history.whispers)
        self._do(orders.Think(job, question, language, self.history.snapshot(), whispers))
        return Thinking(job, question, progress_ns=now_ns)

    def _thought(self, event: Thought | Acted | ThoughtAll, now_ns: int) -> None:
        thinking = self._find_thinking(event.job)
        if thinking is None:
            return
        thinking.progress_ns = now_ns
        match event:
            case Thought():
                thinking.sentences.append((event.text, event.offer))
                if not thinking.committed_ns and len(thinking.sentences) == 1:
                    self._do(orders.Prepare(event.text, self._current_language(), self._speed))
            case Acted():
                thinking.actions.append(event.action)
            case ThoughtAll():
                thinking.done = True

    def _failed(self, event: Failed, now_ns: int) -> None:
        asked = self._asked
        if event.stage == "hear" and asked is not None and event.job == asked.job:
            asked.job, asked.failed = 0, True
        elif event.stage == "think" and (thinking := self._find_thinking(event.job)) is not None:
            thinking.failed = event.why
        self._do(orders.Note("note", f"{event.stage}: {event.why}"))

    def _find_thinking(self, job: int) -> Thinking | None:
        every = [answer.thinking for answer in self._answers]
        if self._asked is not None:
            every.append(self._asked.thinking)
            every.append(self._asked.broken_off.thinking if self._asked.broken_off else None)
        return next((thinking for thinking in every if thinking is not None and thinking.job == job), None)

    # What is said

    def _spoke(self, event: Queued | Opened | TurnOver, now_ns: int) -> None:
        answer = next((answer for answer in self._answers if answer.number == event.answer), None)
        if answer is None:
            return
        match event:
            case Queued():
                answer.queued.append((event.text, event.end_ms))
                answer.words += event.words
                self._spoken = f"{self._spoken} {event.text}"[-RECENT_TEXT_CHARS:]
            case Opened():
                answer.opened_ns = event.at_ns
            case TurnOver():
                self._over(answer, event)

    def _over(self, answer: Answer, event: TurnOver) -> None:
        heard = answer.heard_text(event.heard_ms)
        if answer.label:
            self._do(orders.Announced(answer.label, not event.interrupted))
        elif answer.kind == "answer" and answer.given:
            self._do(orders.Answered(answer.question, answer.offer != HAND_OVER, not event.interrupted))
        if answer.kind == "answer":
            self.history.hear(answer.continues or answer.number, heard)
        if answer.staff and heard:
            self.history.say(heard)
        if heard:
            self._do(orders.Note("mien", heard + (" --" if event.interrupted else "")))
        self._answers.remove(answer)
        asked = self._asked
        if event.interrupted and asked is not None and answer.number == asked.over and answer.kind != "filler":
            asked.broken_off, asked.broken_off_ms = answer, event.heard_ms
        elif event.interrupted and answer.number == self._resumed and not answer.dropped:
            self._say_rest(answer, event.heard_ms)  # the voice had dropped it before it was told to resume
        elif answer.thinking is not None and not answer.thinking.done:
            self._do(orders.Cancel(answer.thinking.job))
        if not event.interrupted:
            self._offer = answer.offer
        self._barge = ""
        self._show_rest()

    def _say_rest(self, answer: Answer, heard_ms: float) -> None:
        """Go on with an answer that the voice has already dropped, from the sentence that was broken off."""
        rest = answer.unheard(heard_ms)
        if not rest and (answer.thinking is None or answer.thinking.done):
            return
        again = Answer(
            self._number(),
            answer.question,
            answer.kind,
            answer.thinking,
            taken=answer.taken,
            offer=answer.offer,
            continues=answer.continues or answer.number,
            staff=answer.staff,
        )
        self._answers.append(again)
        for text in rest:
            self._give(again, text)
        if answer.thinking is None or answer.thinking.done:
            self._finish(again)

    def _phrase(self, text: str, *, offer: str = "", question: str = "", staff: bool = False) -> Answer:
        answer = Answer(self._number(), question, "phrase", offer=offer, staff=staff)
        self._answers.append(answer)
        for sentence in in_sentences(text) if staff else [text]:
            self._give(answer, sentence)
        self._finish(answer)
        return answer

    def _give(self, answer: Answer, text: str) -> None:
        answer.given.append(text)
        self._do(orders.Say(answer.number, text, self._current_language(), self._speed))

    def _finish(self, answer: Answer) -> None:
        if not answer.ended:
            answer.ended = True
            self._do(orders.EndSay(answer.number))

    # Time

    def _step(self, now_ns: int) -> None:
        if self._asked is not None:
            self._step_asked(self._asked, now_ns)
        for answer in list(self._answers):
            if answer.thinking is not None and not answer.ended:
                self._step_answer(answer, answer.thinking, now_ns)

    def _step_asked(self, asked: Asked, now_ns: int) -> None:
        timing = self.timing
        spoken_ms = (now_ns - asked.began_ns) / NS_PER_MS
        if not asked.ended:
            heard = self._heard(asked.over)
            if heard is not None and heard.kind != "filler" and not asked.sure and spoken_ms >= timing.sure_ms:
                asked.sure = True
                self._do(orders.Interrupt())
            elif heard is not None and not asked.paused and not self._barge and spoken_ms >= timing.own_pause_ms:
                asked.paused = True
                self._do(orders.Pause())
            if spoken_ms > timing.longest_ms and not asked.too_long:
                asked.too_long = True
                self._recognise(asked, now_ns, now_ns)
        if asked.job and now_ns - asked.job_ns > timing.recognise_ms * NS_PER_MS:
            self._do(orders.Cancel(asked.job))
            asked.job, asked.failed = 0, True
        transcript = asked.transcript
        if asked.failed and (asked.ended or asked.too_long):
            self._decide(asked, None, now_ns)
        elif transcript is not None and asked.too_long:
            self._decide(asked, transcript, now_ns)
        elif transcript is not None and asked.ended:
            wait_ms = silence_ms(transcript.text, transcript.language, timing)
            if not transcript.text or (asked.over and intent.read(transcript.text).kind == "backchannel"):
                wait_ms = timing.resume_ms
            asked.silence_ns = asked.last_ns + wait_ms * NS_PER_MS
            if now_ns >= asked.silence_ns:
                self._decide(asked, transcript, now_ns)

    def _step_answer(self, answer: Answer, thinking: Thinking, now_ns: int) -> None:
        if self._asked is not None and not answer.audible and not answer.given:
            return  # whether the customer corrects or completes the question is not known yet
        while answer.taken < len(thinking.sentences):
            text, offer = thinking.sentences[answer.taken]
            answer.taken += 1
            answer.offer = offer or answer.offer
            self._give(answer, text)
        while thinking.actions:
            self._perform(thinking.actions.pop(0), answer.question)
        if thinking.done:
            if not answer.given:
                self._give_up(answer, self._phrases().refuse, HAND_OVER)
            self._finish(answer)
            return
        waited_ns = now_ns - thinking.committed_ns
        if not answer.given:
            if thinking.failed or waited_ns >= self.timing.deadline_ms * NS_PER_MS:
                self._give_up(answer, self._phrases().trouble, HAND_OVER)
            elif waited_ns >= self.timing.filler_ms * NS_PER_MS and not answer.filled:
                self._fill(answer)
        elif thinking.failed or self._stalled(answer, thinking, now_ns):
            self._give_up(answer, self._phrases().lost, "")

    def _stalled(self, answer: Answer, thinking: Thinking, now_ns: int) -> bool:
        """Whether the thinker hangs in mid-answer: all that it gave was heard, and no more comes."""
        if len(answer.queued) < len(answer.given) or not answer.audible:
            return False
        since_ns = max(answer.heard_until_ns(), thinking.progress_ns)
        return now_ns - since_ns >= self.timing.stall_ms * NS_PER_MS

    def _fill(self, answer: Answer) -> None:
        """A filler, in a turn of its own, before the answer."""
        answer.filled = True
        filler = Answer(self._number(), "", "filler")
        self._answers.insert(self._answers.index(answer), filler)
        self._give(filler, self._phrases().filler)
        self._finish(filler)

    def _give_up(self, answer: Answer, text: str, offer: str) -> None:
        if answer.thinking is not None and not answer.thinking.done:
            self._do(orders.Cancel(answer.thinking.job))
            answer.thinking.done = True
        answer.offer = offer
        self._give(answer, text)
        self._finish(answer)

    # The decision

    def _decide(self, asked: Asked, transcript: Transcript | None, now_ns: int) -> None:
        """The customer's turn is over: answer it, obey it, or go on as if nothing had been."""
        over = self._heard(asked.over) or asked.broken_off
        if transcript is None:
            self._ask_again(asked, now_ns)
            return
        language = transcript.language
        meant = intent.read(transcript.text, language)
        if transcript.text:
            self._do(orders.Note("customer", transcript.text))
        if over is not None and over.offer and meant.kind in ("yes", "no"):
            self._offer, over = over.offer, None  # answered before it was asked to the end
        if asked.too_long:
            self._too_long(asked, transcript)
        elif meant.kind == "nothing" or (over is not None and self._means_nothing_over(transcript, meant)):
            self._drop_asked(resume=True)
        elif transcript.unclear:
            self._ask_again(asked, now_ns)
        else:
            self._misunderstood = 0
            self._tongue = language
            self._obey(asked, meant, now_ns)

    def _means_nothing_over(self, transcript: Transcript, meant: intent.Intent) -> bool:
        """Whether sound over an answer changes nothing: a cough, an "mm-hm", the kiosk's own voice."""
        return (
            meant.kind in ("backchannel", "yes") or transcript.unclear or intent.is_echo(transcript.text, self._spoken)
        )

    def _too_long(self, asked: Asked, transcript: Transcript) -> None:
        """Somebody who talks for minutes is asked for one question; music, television and noise are not answered."""
        if transcript.text and not transcript.unclear:
            self._take_over(asked)
            self._phrase(self._phrases().too_long)
        else:
            self._drop_asked(resume=True)

    def _ask_again(self, asked: Asked, now_ns: int) -> None:
        self._take_over(asked)
        self._misunderstood += 1
        if self._misunderstood > 1:
            self._phrase(self._phrases().trouble, offer=HAND_OVER)
        else:
            self._decided(self._phrase(self._phrases().again), asked, None, now_ns)

    def _obey(self, asked: Asked, meant: intent.Intent, now_ns: int) -> None:
        offer, self._offer = self._offer, ""
        say = self._phrases()
        match meant.kind:
            case "question":
                self._answer(asked, meant, now_ns)
            case "person":
                self._take_over(asked)
                self._decided(self._phrase(say.calling, question=meant.question), asked, None, now_ns)
                self._perform(HAND_OVER, meant.question)
            case "yes" | "backchannel" if offer and intent.plain(asked.text) not in (
                "mm",
                "hm",
                "um",
                "uh",
                "er",
            ):
                self._take_over(asked)
                self._decided(self._phrase(say.calling if offer == HAND_OVER else say.all_right), asked, None, now_ns)
                self._perform(offer, "")
            case "no":
                self._take_over(asked)
                self._decided(self._phrase(say.all_right), asked, None, now_ns)
                if offer and offer != HAND_OVER:
                    self._perform(f"no_{offer}", "")
            case "goodbye":
                self._take_over(asked)
                self._decided(self._phrase(say.goodbye), asked, None, now_ns)
                self._perform(END_VISIT, "")
            case "yes" | "backchannel":
                self._drop_asked(resume=True)
            case "stop":
                self._take_over(asked)
                self._show_rest()
            case _:
                self._change(asked, meant.kind, now_ns)

    def _change(self, asked: Asked, kind: intent.Kind, now_ns: int) -> None:
        """Repeat, louder, quieter, slower, faster: what was said last is said again."""
        say = self._phrases()
        last = self._last or next((a for a in self._answers if a.kind == "answer"), None)
        self._take_over(asked)
        if kind in ("louder", "quieter"):
            before = self.gain
            self.gain = min(1.0, before * LOUDER) if kind == "louder" else max(QUIETEST, before / LOUDER)
            self._do(orders.Volume(self.gain))
            if kind == "quieter" or before >= 1.0:
                self._phrase(say.quieter if kind == "quieter" else say.loudest)
                return
        elif kind in ("slower", "faster"):
            factor = SLOWER if kind == "slower" else 1 / SLOWER
            self._speed = min(max(self._speed * factor, SPEEDS[0]), SPEEDS[1])
        if last is None or not last.given:
            self._phrase(say.louder if kind == "louder" else say.nothing_to_repeat)
            return
        again = Answer(self._number(), last.question, "phrase", offer=last.offer)
        self._answers.append(again)
        for text in last.given:
            self._give(again, text)
        self._finish(again)
        self._decided(again, asked, None, now_ns)

    def _answer(self, asked: Asked, meant: intent.Intent, now_ns: int) -> None:
        if self.instead:
            self._take_over(asked)
            self._decided(self._phrase(self.instead, offer=CONSENT), asked, None, now_ns)
            return
        question, thinking = self._joined(asked, meant), asked.thinking
        asked.thinking = None
        if meant.corrects:
            self.history.withdraw()
        for unheard in self._unheard():
            self.history.withdraw(unheard.number)
        self._take_over(asked)
        if self._is_forbidden(question):
            self._decided(self._phrase(self._phrases().forbidden), asked, None, now_ns)
            return
        if thinking is None or thinking.question != question or thinking.failed:
            if thinking is not None:
                self._do(orders.Cancel(thinking.job))
            thinking = self._think(question, self._current_language(), now_ns)
        thinking.committed_ns = now_ns
        answer = Answer(self._number(), question, thinking=thinking)
        self._answers.append(answer)
        self._last = answer
        self.history.ask(answer.number, question)
        self._do(orders.Understood(question))
        self._do(orders.Show("thinking"))
        self._decided(answer, asked, thinking, now_ns)

    def _take_over(self, asked: Asked) -> None:
        """The customer's turn counts: whatever was being said or thought ends."""
        self._asked = None
        self._forget_guess(asked)
        if asked.broken_off is not None and (thinking := asked.broken_off.thinking) is not None and not thinking.done:
            self._do(orders.Cancel(thinking.job))
        for answer in self._answers:
            if answer.thinking is not None and not answer.thinking.done:
                self._do(orders.Cancel(answer.thinking.job))
                answer.thinking.done = True
            answer.ended = answer.dropped = True
        self._answers = [answer for answer in self._answers if answer.given]
        if self._answers:
            self._do(orders.Interrupt())
        self._barge = ""

    def _joined(self, asked: Asked, meant: intent.Intent) -> str:
        """With a question that was not answered yet, both are one."""
        before = "" if meant.corrects else " ".join(answer.question for answer in self._unheard())
        return f"{before} {meant.question}".strip()

    def _unheard(self) -> Sequence[Answer]:
        return [a for a in self._answers if a.kind == "answer" and not (a.audible or a.dropped or a.continues)]

    def _decided(self, answer: Answer, asked: Asked, thinking: Thinking | None, now_ns: int) -> None:
        thought_ns = now_ns
        if thinking is not None:
            thought_ns = thinking.progress_ns if thinking.sentences else 0
        self._do(orders.Decided(answer.number, asked.last_ns, asked.silence_ns, asked.recognised_ns, thought_ns))

    def _perform(self, action: str, question: str) -> None:
        self._do(orders.Perform(action, question))
        if action == END_VISIT:
            self.history.clear()

    # Small things

    def _heard(self, number: int) -> Answer | None:
        return next((answer for answer in self._answers if answer.number == number and not answer.dropped), None)

    def _is_forbidden(self, text: str) -> bool:
        words = f" {intent.plain(text)} "
        return any(f" {intent.plain(word)} " in words for word in self.forbidden if intent.plain(word))

    def _current_language(self) -> str:
        if self.language != "auto":
            return self.language
        return self._tongue if self._tongue in PHRASES else self.default_language

    def _phrases(self) -> Phrases:
        return phrases(self._current_language())

    def _show_rest(self) -> None:
        if not self._answers and self._asked is None:
            self._do(orders.Show("idle"))

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _do(self, order: Order) -> None:
        self._out.append(order)
