"""A conversation on a manual clock, with a customer, a thinker and a voice that do what the test says."""

from mien.converse import events, orders
from mien.converse.conversation import Conversation
from mien.converse.hear.base import Transcript

MS = 1_000_000


class Stepped:
    """said: the sentences given to the voice, by answer. orders: all of them, in order."""

    def __init__(self, **settings):
        self.conversation = Conversation(**settings)
        self.now_ns = 10**12
        self.orders = []

    # Time

    def take(self, event):
        new = self.conversation.take(event, self.now_ns)
        self.orders += new
        return new

    def wait(self, ms):
        """Time passes in ticks of 20 ms."""
        new = []
        for _ in range(ms // 20):
            self.now_ns += 20 * MS
            new += self.take(events.Tick())
        return new

    # The customer

    def begin(self):
        self.take(events.UserBegan(self.now_ns - 100 * MS))

    def utter(self, text, *, ms=800, unclear=False, language="en", recognise=True):
        """One utterance up to the ear's end of it, 300 ms after the last sound, recognised meanwhile."""
        self.begin()
        self.wait(ms)
        self.fall_silent(text, unclear=unclear, language=language, recognise=recognise)

    def fall_silent(self, text, *, unclear=False, language="en", recognise=True):
        last_ns = self.now_ns
        self.wait(160)
        self.take(events.Quiet(last_ns))
        if recognise:
            self.recognise(text, unclear=unclear, language=language)
        self.wait(140)
        self.take(events.UserEnded(last_ns))

    def recognise(self, text, *, unclear=False, language="en"):
        job = self.last(orders.Recognise).job
        self.take(events.Recognised(job, Transcript(text, language, unclear)))

    def decide(self):
        """The silence lasts until the turn is decided."""
        for _ in range(200):
            if not self.conversation.asking:
                return
            self.wait(20)
        raise AssertionError("the customer's turn was never decided")

    # The thinker

    def think(self, *sentences, done=True, actions=(), offer=""):
        job = self.last(orders.Think).job
        for text in sentences:
            self.take(events.Thought(job, text, offer))
        for action in actions:
            self.take(events.Acted(job, action))
        if done:
            self.take(events.ThoughtAll(job))

    # The voice

    def speak(self, answer=None, *, ms_each=1000, opened=True):
        """The voice has every sentence of an answer, a second each, and its beginning is heard."""
        answer = answer or self.last(orders.Say).answer
        end_ms = 0
        for say in self.all(orders.Say):
            if say.answer == answer:
                words = say.text.split()
                step = ms_each / len(words)
                timed = tuple(
                    (word, round(end_ms + n * step), round(end_ms + (n + 1) * step)) for n, word in enumerate(words)
                )
                end_ms += ms_each
                self.take(events.Queued(answer, say.text, timed, end_ms))
        if opened:
            self.take(events.Opened(answer, self.now_ns))
        return answer

    def over(self, answer, heard_ms, *, interrupted=False):
        self.take(events.TurnOver(answer, heard_ms, interrupted))

    def ask(self, text, *answer):
        """A question, its answer, heard to the end."""
        self.utter(text)
        self.decide()
        self.think(*answer)
        number = self.speak()
        self.over(number, 1e9)
        return number

    # What came of it

    def all(self, kind):
        return [order for order in self.orders if isinstance(order, kind)]

    def last(self, kind):
        found = self.all(kind)
        assert found, f"no {kind.__name__} was ordered"
        return found[-1]

    def said(self, since=0):
        return [order.text for order in self.orders[since:] if isinstance(order, orders.Say)]

    def history(self):
        return [(exchange.question, exchange.heard) for exchange in self.conversation.history.snapshot()]
