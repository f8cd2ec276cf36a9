"""Knowledge files: what is read, and what a mistake is told."""

import pytest

from mien.converse.think.knowledge_file import SHIPPED, read_knowledge, sentences_of
from mien.errors import ConfigError

GOOD = """\
# A shop

Nothing of this introduction is said.

## When are you open?

- What are your hours?

We are open from nine.
Until six, that is. [the calendar](action:show_calendar)

<!-- a comment
of two lines -->
## Where is the till?

To your left.

## Synonyms

- till: checkout, cash desk
"""


def written(tmp_path, text):
    path = tmp_path / "shop.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_questions_answers_synonyms_actions(tmp_path):
    found = read_knowledge(written(tmp_path, GOOD))
    assert found.title == "A shop"
    first, second = found.entries
    assert first.questions == ["When are you open?", "What are your hours?"]
    assert first.answer == "We are open from nine. Until six, that is."
    assert first.actions == ["show_calendar"]
    assert (second.questions, second.line) == (["Where is the till?"], 14)
    assert found.unified("Is there a cash desk, please?") == "is there a till please"


def test_the_shipped_file_has_no_mistake():
    assert len(read_knowledge(SHIPPED).entries) > 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "shop.md:1: contains no question"),
        ("## Where?\n", "shop.md:1: 'Where?' has no answer"),
        ("## A?\nYes.\n## A?\nNo.\n", "shop.md:3: 'A?' is asked already in line 1"),
        ("## A?\n- a\nYes.\n", "shop.md:2: 'a' is asked already in line 1"),
        (
            "## A?\nYes. [x](http://example.org)\n",
            "shop.md:2: the link goes to 'http://example.org'; links",
        ),
        ("## A?\nYes.\n- B?\n", "shop.md:3: a wording of the question after the answer"),
        ("# T\n# U\n## A?\nYes.\n", "shop.md:2: a second title"),
        ("### A?\nYes.\n", "shop.md:1: a heading with 3 '#'"),
        ("##\nYes.\n", "shop.md:1: a question without words"),
        ("## A?\nYes.\n## Synonyms\ntill = desk\n", "shop.md:4: not a synonym; write '- toilet: restroom, loo'"),
        ("## A?\nYes.\n## Synonyms\n- a: b\n- c: b\n", "shop.md:5: 'b' is a synonym of 'a' already"),
        ("## A?\n" + "word " * 400, "nobody listens to more than 1200"),
        (b"## A?\nYes.\n\xff\n", "shop.md:3: is not UTF-8"),
    ],
)
def test_a_mistake_is_told_with_path_and_line(tmp_path, text, said):
    with pytest.raises(ConfigError) as error:
        read_knowledge(written(tmp_path, text))
    assert said in str(error.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    with pytest.raises(ConfigError) as error:
        read_knowledge(written(tmp_path, "## A?\n## B?\n### C\n"))
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["1", "2", "3"]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.md: cannot be read: No such file"):
        read_knowledge(tmp_path / "none.md")


def test_an_answer_is_said_sentence_by_sentence():
    assert list(sentences_of("Yes. No! Really?")) == ["Yes.", "No!", "Really?"]
