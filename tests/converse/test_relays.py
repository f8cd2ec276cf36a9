"""What agents relay to mien converse: what is said when, what is kept, what is declined."""

import pytest

from converse.stepped import Stepped
from mien.client import RelayDone, Relayed
from mien.converse import events, orders
from mien.converse.history import STAFF_NOTE, STAFF_SAID, WHISPERS_KEPT, Exchange, History
from mien.converse.relays import MOST_WAITING, Relays
from mien.converse.think.base import Question
from mien.converse.think.retrieval import KnowledgeThinker


def text(kind, words, number="r1"):
    return Relayed(kind=kind, text=words, sender="Ada", id=number)


class Kiosk(Stepped):
    """A conversation with what is relayed to it. done: the answers, id -> outcome."""

    def __init__(self, **relays):
        super().__init__()
        self.relays = Relays(**relays)
        self.done = {}

    def take(self, event):
        new = super().take(event)
        for order in new:
            if isinstance(order, orders.Announced):
                self.tell(self.relays.over(order.label, order.heard))
        return new

    def tell(self, new):
        for one in new:
            if isinstance(one, RelayDone):
                self.done[one.id] = one.outcome
            else:
                self.take(one)

    def relay(self, kind, words, number="r1"):
        self.tell(self.relays.take(text(kind, words, number), self.conversation.history))


def test_a_text_is_said_at_once_in_sentences_and_reported_when_it_was_heard():
    kiosk = Kiosk()
    kiosk.relay("say", "Your table is ready. Dr. Smith waits.")
    assert kiosk.said() == ["Your table is ready.", "Dr. Smith waits."]
    assert kiosk.done == {}
    kiosk.over(kiosk.speak(), 1e9)
    assert kiosk.done == {"r1": "said"}
    assert kiosk.history() == [(STAFF_SAID, "Your table is ready. Dr. Smith waits.")]
    assert [note.who for note in kiosk.all(orders.Note)] == ["mien"]


def test_it_ends_what_mien_says_and_what_mien_thinks_about():
    kiosk = Kiosk()
    kiosk.utter("Tell me everything about it")
    kiosk.decide()
    kiosk.think("One.", "Two.", done=False)
    answer = kiosk.speak()
    kiosk.relay("say", "Please leave the building.")
    assert kiosk.all(orders.Interrupt)
    assert kiosk.said()[-1] == "Please leave the building."
    kiosk.over(answer, 900, interrupted=True)
    kiosk.over(kiosk.speak(), 1e9)
    assert kiosk.done == {"r1": "said"}
    assert not kiosk.conversation.busy


def test_a_second_text_follows_the_first_and_does_not_cut_it():
    kiosk = Kiosk()
    kiosk.relay("say", "One moment.", "r1")
    first = kiosk.speak()
    kiosk.relay("say", "Somebody is coming.", "r2")
    assert kiosk.all(orders.Interrupt) == []
    kiosk.over(first, 1e9)
    kiosk.over(kiosk.last(orders.Say).answer, 1e9)
    assert kiosk.done == {"r1": "said", "r2": "said"}


def test_a_text_that_is_cut_off_is_reported_so():
    kiosk = Kiosk()
    kiosk.relay("say", "One two three four.")
    kiosk.over(kiosk.speak(), 500, interrupted=True)
    assert kiosk.done == {"r1": "cut"}


def test_while_an_agent_holds_the_floor_texts_wait_and_too_many_are_declined():
    kiosk = Kiosk()
    kiosk.tell(kiosk.relays.floor(held=True))
    for number in range(MOST_WAITING + 1):
        kiosk.relay("say", f"Text {number}.", str(number))
    assert kiosk.said() == []
    assert kiosk.done == {str(MOST_WAITING): "unused"}
    kiosk.tell(kiosk.relays.floor(held=False))
    assert kiosk.said() == [f"Text {number}." for number in range(MOST_WAITING)]


def test_a_text_without_anything_to_say_is_declined():
    kiosk = Kiosk()
    kiosk.relay("say", " *** ")
    assert kiosk.done == {"r1": "unused"}
    assert not kiosk.conversation.busy


@pytest.mark.parametrize(("thinks", "outcome"), [(True, "kept"), (False, "unused")])
def test_a_whisper_enters_the_next_prompt_where_there_is_one_and_nothing_else(thinks, outcome):
    kiosk = Kiosk(thinks=thinks)
    kiosk.relay("whisper", "She has a ticket.")
    assert kiosk.done == {"r1": outcome}
    assert kiosk.orders == []
    kiosk.utter("How much is it?")
    kiosk.decide()
    asked = kiosk.last(orders.Think)
    assert asked.whispers == (("She has a ticket.",) if thinks else ())
    assert "ticket" not in repr((asked.history, kiosk.said(), kiosk.all(orders.Note)))


def test_a_note_is_kept_as_that_of_a_floor_until_the_visit_ends():
    kiosk = Kiosk(thinks=True)
    kiosk.relay("note", "The ticket was refunded.")
    kiosk.relay("whisper", "Be kind.", "r2")
    assert kiosk.done == {"r1": "kept", "r2": "kept"}
    assert kiosk.history() == [(STAFF_NOTE, "The ticket was refunded.")]
    kiosk.take(events.Forget())
    assert kiosk.history() == []
    assert kiosk.conversation.history.whispers == []


def test_whispers_take_no_more_room_than_the_newest():
    history = History()
    for number in range(3 * WHISPERS_KEPT):
        history.whisper(str(number))
    assert history.whispers == [str(number) for number in range(2 * WHISPERS_KEPT, 3 * WHISPERS_KEPT)]


def test_a_correction_withdraws_the_visitors_question_and_not_the_staffs_note():
    history = History()
    history.ask(1, "Where is the station?")
    history.note("She is in a hurry.")
    history.withdraw()
    assert history.snapshot() == (Exchange(STAFF_NOTE, "She is in a hurry.", staff=True),)


def test_a_short_question_continues_the_visitors_own_and_not_what_staff_said():
    thinker = KnowledgeThinker(model=False)
    thinker.load()
    price = Exchange("How much is a ticket?", "Nothing of it was heard.")
    said = Exchange(STAFF_SAID, "The toilets are closed.", staff=True)
    alone = thinker.best(Question("and for children?", history=(price,)))
    between = thinker.best(Question("and for children?", history=(price, said)))
    assert alone is not None
    assert between == alone
