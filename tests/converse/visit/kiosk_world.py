"""A kiosk without machines: the real conversation and visit; engines, voice and people on a manual clock."""

import heapq
import random
from itertools import count

from mien.converse import events, orders
from mien.converse.conversation import Conversation
from mien.converse.hear.base import Transcript
from mien.converse.visit import signals
from mien.converse.visit.host import VisitHost
from mien.converse.visit.life import Visit
from mien.converse.visit.times import Times

MS = 1_000_000
S = 1000 * MS
TICK_NS = 100 * MS
MS_PER_LETTER = 60


class World:
    """knows(text): the answer to a question, None for a refusal. calls: (time, open). shown: buttons, id -> text."""

    def __init__(self, *, seed=1, times=None, knows=lambda text: f"This is about {text}", language="en", **host):
        self.random = random.Random(seed)
        self.now_ns = 10**12
        self.knows = knows
        self.qr, self.draws_qr = "", False
        self.shown, self.shows, self.calls, self.records, self.said, self.notes = {}, 0, [], [], [], []
        self.news = []  # of the visit, as supervisors get it
        names = count(1)
        self.conversation = Conversation(language=language)
        self.visit = Visit(times=times or Times())
        self.host = VisitHost(
            self.visit,
            self.conversation,
            self.show,
            self.called,
            self.records_add,
            report=self.news.append,
            new_id=lambda: f"v{next(names)}",
            **host,
        )
        self.sounding = False
        self._queue, self._order = [], count()
        self._turns = {}  # answer -> its sentences that wait, in order of their first one
        self._ended = set()
        self._playing = None
        self._words = ""
        self._cancelled = set()
        self._jobs = {}

    # What the visit does to the world

    def show(self, items, qr):
        self.shown, self.qr = dict(items), qr
        if self.draws_qr:
            self.later(30, lambda: self.tell(self.host.offered(qr=bool(qr))))
        self.shows += 1

    def called(self, open_):
        self.calls.append((self.now_ns, open_))

    def records_add(self, record):
        assert self._playing is None, "a visit was reset in mid-speech"
        assert not self.sounding, "a visit was reset while the visitor spoke"
        self.records.append(record)

    # Time

    def wait(self, seconds):
        until_ns = self.now_ns + round(seconds * S)
        while self.now_ns < until_ns:
            self.now_ns += TICK_NS
            while self._queue and self._queue[0][0] <= self.now_ns:
                heapq.heappop(self._queue)[2]()
            self.play()
            if self.conversation.busy:
                self.give(events.Tick())
            self.signal(signals.Tick())

    def later(self, ms, do):
        heapq.heappush(self._queue, (self.now_ns + round(ms * MS), next(self._order), do))

    # Into the machines

    def signal(self, signal):
        self.tell(self.host.take(signal, self.now_ns))

    def tell(self, new):
        for event in new:
            self.give(event)

    def give(self, event):
        for order in self.conversation.take(event, self.now_ns):
            self.carry_out(order)
            self.tell(self.host.after(order, self.now_ns))
        self.tell(self.host.follow(self.now_ns))

    def carry_out(self, order):
        match order:
            case orders.Recognise():
                text = self._words
                self.later(150, lambda: self.recognised(order.job, text))
            case orders.Think():
                self.later(self.random.uniform(50, 900), lambda: self.thought(order))
            case orders.Cancel():
                self._cancelled.add(order.job)
            case orders.Say():
                self._turns.setdefault(order.answer, []).append(order.text)
            case orders.EndSay():
                self._ended.add(order.answer)
            case orders.Interrupt():
                self.later(20, self.interrupt)
            case orders.Note():
                self.notes.append((order.who, order.text))

    def recognised(self, job, text):
        if job not in self._cancelled:
            self.give(events.Recognised(job, Transcript(text, self.conversation.spoken_language, False)))

    def thought(self, order):
        if order.job in self._cancelled:
            return
        answer = self.knows(order.question)
        if answer is not None:
            self.give(events.Thought(order.job, answer))
        self.give(events.ThoughtAll(order.job))

    # The voice

    def play(self):
        if self._playing is None and self._turns:
            answer, texts = next(iter(self._turns.items()))
            if answer in self._ended:
                end_ms = 0
                for text in texts:
                    words = tuple((word, end_ms, end_ms + 100) for word in text.split())
                    end_ms += MS_PER_LETTER * len(text)
                    self.give(events.Queued(answer, text, words, end_ms))
                self._playing = (answer, self.now_ns, end_ms)
                self.said += texts
                self.give(events.Opened(answer, self.now_ns))
        elif self._playing is not None:
            answer, began_ns, length_ms = self._playing
            if self.now_ns - began_ns >= length_ms * MS:
                self._over(answer, length_ms, interrupted=False)

    def interrupt(self):
        if self._playing is not None:
            answer, began_ns, _ = self._playing
            self._over(answer, (self.now_ns - began_ns) / MS, interrupted=True)
        for answer in [answer for answer in self._turns if answer in self._ended]:
            known = any(one.number == answer and one.dropped for one in self.conversation._answers)
            if known:
                self._over(answer, 0, interrupted=True)

    def _over(self, answer, heard_ms, *, interrupted):
        self._playing = None if self._playing and self._playing[0] == answer else self._playing
        self._turns.pop(answer, None)
        self.give(events.TurnOver(answer, heard_ms, interrupted))

    @property
    def speaking(self):
        return self._playing is not None

    # People

    def says(self, text, *, seconds=1.5, recognised=True):
        """One utterance; the ear's hangover is part of it."""
        self._words = text if recognised else ""
        self.sounding = True
        self.give(events.UserBegan(self.now_ns - 100 * MS))
        self.signal(signals.Sound(True))
        self.wait(seconds)
        last_ns = self.now_ns
        self.wait(0.3)
        self.sounding = False
        self.give(events.UserEnded(last_ns))
        self.signal(signals.Sound(False))

    def touches(self, text, by="touch"):
        """Touch the button with this text."""
        name = next(name for name, shown in self.shown.items() if shown == text)
        self.tell(self.host.choose(name, by, self.now_ns))

    def until(self, condition, what, *, seconds=120):
        for _ in range(seconds * 10):
            if condition():
                return
            self.wait(0.1)
        raise AssertionError(f"{what} did not come: {self.visit.state}, {self.said}, {self.notes[-4:]}")
