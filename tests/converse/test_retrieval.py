"""Answers from a knowledge file, by words alone or with vectors that a test makes."""

import numpy as np
import pytest

from mien.converse.history import Exchange
from mien.converse.think.base import Question
from mien.converse.think.retrieval import KnowledgeThinker

FILE = """\
## When are you open?
From nine to six.
## Where is the toilet?
Behind the stairs. Mind the step.
[map](action:show_map)
## How much is a ticket?
Twelve euros.
## Is there a lift?
Next to the entrance.
## Synonyms
- toilet: loo
- lift: elevator
"""


@pytest.fixture
def thinker(tmp_path):
    path = tmp_path / "k.md"
    path.write_text(FILE)
    made = KnowledgeThinker(str(path), model=False)
    made.load()
    return made


def answer(thinker, text, history=(), language="en"):
    return list(thinker.think(Question(text, language, history)))


def test_an_answer_comes_sentence_by_sentence_with_its_action(thinker):
    parts = answer(thinker, "Where do I find the loo, please?")
    assert [part.text for part in parts] == ["Behind the stairs.", "Mind the step.", ""]
    assert parts[-1].action == "show_map"


def test_what_is_not_known_is_refused_with_an_offer(thinker):
    (part,) = answer(thinker, "Who is the king of Spain?")
    assert part.text == "I'm sorry, I don't know that. Shall I call somebody?"
    assert part.offer == "hand_over"


def test_the_refusal_is_in_the_customer_s_language(thinker):
    assert answer(thinker, "Wer ist der König von Spanien?", language="de")[0].text.startswith("Das weiß ich")


def test_a_short_question_may_continue_the_one_before(thinker):
    history = (Exchange("Where is the toilet?", "Behind the stairs."),)
    assert answer(thinker, "And the elevator?", history)[0].text == "Next to the entrance."
    refused = answer(thinker, "And why?", (Exchange("Where is the toilet?", "Behind the stairs. Mind the step."),))
    assert refused[0].offer == "hand_over", "the same answer a second time is none"


class Vectors:
    """A vector for each word that matters; the rest of the space is common to all, as with e5."""

    WORDS = ("open", "toilet", "ticket", "lift", "washroom")

    def questions(self, texts):
        return np.stack([self._of(text) for text in texts])

    passages = questions

    def kept(self, kind, texts, make):
        return make(texts)

    def _of(self, text):
        same = {"washroom": "toilet"}
        vector = np.zeros(len(self.WORDS) + 1, np.float32)
        vector[-1] = 3.0
        for word in self.WORDS:
            if word in text.lower():
                vector[self.WORDS.index(same.get(word, word))] = 1.0
        return vector / np.linalg.norm(vector)


def test_meaning_finds_what_words_do_not(tmp_path):
    path = tmp_path / "k.md"
    path.write_text(FILE)
    made = KnowledgeThinker(str(path))
    made.load(Vectors())
    assert answer(made, "I look for the washroom")[0].text == "Behind the stairs."
    assert answer(made, "I look for my aunt")[0].offer == "hand_over"


def test_a_question_in_the_file_s_own_words_needs_no_model(tmp_path):
    path = tmp_path / "k.md"
    path.write_text(FILE)
    made, model = KnowledgeThinker(str(path)), Vectors()
    made.load(model)
    model.questions = None  # whoever asks it fails
    assert answer(made, "how much is a TICKET")[0].text == "Twelve euros."
    with pytest.raises(TypeError):
        answer(made, "How much is it?")
