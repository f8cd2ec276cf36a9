"""Items, answers and tools of a realtime conversation, without a service."""

import asyncio
import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.adapters.realtime.answers import MOST_FAILURES, Answers, delay_s
from mien.adapters.realtime.items import Item, Items
from mien.adapters.realtime.tools import Tools, load_tools
from mien.errors import ConfigError


@given(
    received=st.integers(0, 10_000_000),
    played=st.floats(0, 1e6),
    barge_in=st.one_of(st.none(), st.floats(0, 1e6)),
)
def test_a_truncation_lies_within_what_was_received_and_what_was_heard(received, played, barge_in):
    heard = Item("i", 24000, received).heard(played, cut=True, reason="interrupted", barge_in_ms=barge_in)
    assert 0 <= heard.end_ms <= received // 2 * 1000 / 24000
    assert heard.end_ms <= (played if barge_in is None else barge_in)
    assert heard.played_ms <= heard.received_ms


def test_an_item_that_is_over_stays_over():
    items = Items(24000)
    item = items.find("a")
    item.received_bytes = 4
    assert items.close(item)
    assert not items.close(item)
    assert items.find("a") is None
    assert items.find("b").name == "b"


def test_ending_everything_ends_each_item_once_and_closes_those_without_sound():
    items = Items(24000)
    items.find("silent")
    items.find("spoken").received_bytes = 2
    assert {item.name for item in items.end("")} == {"silent", "spoken"}
    assert items.end("") == []
    assert [item.name for item in items] == ["spoken"]
    assert items.find("spoken") is None


def make(*steps):
    answers = Answers()
    for step in steps:
        step(answers)
    return answers


BEGUN = Answers.begun


def done(answers, *, cancelled=False, failed=False, retryable=True, wait_s=None, now_s=10.0):
    answers.done(now_s, cancelled=cancelled, failed=failed, retryable=retryable, wait_s=wait_s)


def called(answers):
    answers.tool_called("c")


def returned(answers, now_s=10.0):
    answers.tool_returned("c", now_s)


def test_an_answer_is_asked_for_after_a_tool_has_returned():
    answers = make(BEGUN, called, done)
    assert not answers.is_due(10)
    returned(answers)
    assert answers.is_due(10)
    assert not answers.is_due(10), "once"


def test_a_tool_that_returns_before_its_answer_is_done_waits_for_that():
    answers = make(BEGUN, called, returned)
    assert not answers.is_due(10)
    done(answers)
    assert answers.is_due(10)


@pytest.mark.parametrize(
    "steps",
    [
        (BEGUN, called, done, Answers.user_started, returned),
        (BEGUN, called, done, returned, Answers.user_started),
        (BEGUN, called, returned, lambda answers: done(answers, cancelled=True)),
        (BEGUN, called, done, returned, BEGUN),
        (),
    ],
)
def test_it_is_not_asked_for_when_the_customer_is_answered_anyway(steps):
    answers = make(*steps)
    answers.user_stopped()
    assert not answers.is_due(100)


def test_a_tool_that_returns_into_the_next_answer_is_answered_after_it():
    answers = make(BEGUN, called, done, Answers.user_started, Answers.user_stopped, BEGUN, returned)
    assert not answers.is_due(10)
    done(answers)
    assert answers.is_due(10)


def test_a_failed_answer_is_asked_for_after_a_growing_wait_and_not_for_ever():
    answers, now_s, waits = Answers(), 0.0, []
    for _ in range(MOST_FAILURES):
        answers.begun()
        done(answers, failed=True, now_s=now_s)
        waits.append(answers.due_s - now_s)
        assert not answers.is_due(answers.due_s - 0.01)
        now_s = answers.due_s
        assert answers.is_due(now_s)
    answers.begun()
    done(answers, failed=True, now_s=now_s)
    assert answers.due_s is None
    assert waits == [0.5, 1, 2, 4, 8]


def test_the_wait_is_at_least_what_the_service_asks_for():
    assert delay_s(1, 7) == 7
    assert delay_s(8, 7) == 30
    assert delay_s(1, 1e9) == 300


def test_a_refused_request_waits_for_the_answer_that_is_being_made():
    answers = make(BEGUN, called, done, returned)
    assert answers.is_due(10)
    answers.refused()
    assert answers.working
    done(answers)
    assert not answers.working


def tool(
    name: str, count: int = 1, loud: bool = False, sizes: list[int] | None = None, kind: typing.Literal["a", "b"] = "a"
):
    """What it does."""
    return name * count if not (loud and sizes) else kind


def test_a_function_is_described_by_its_signature():
    (schema,) = Tools([tool]).schemas()
    assert schema == {
        "name": "tool",
        "description": "What it does.",
        "parameters": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "count": {"type": "integer"},
                "loud": {"type": "boolean"},
                "sizes": {"type": "array", "items": {"type": "integer"}},
                "kind": {"type": "string", "enum": ["a", "b"]},
            },
            "required": ["name"],
        },
    }
    assert asyncio.run(Tools([tool]).call("tool", '{"name": "x", "count": 2}')) == '"xx"'


@pytest.mark.parametrize("arguments", ["[1]", "{", '{"nom": 1}', "3", "null"])
def test_wrong_arguments_are_told_to_the_model(arguments):
    assert "error" in json.loads(asyncio.run(Tools([tool]).call("tool", arguments)))


def test_a_tool_that_raises_or_hangs_is_told_to_the_model():
    async def hang():
        await asyncio.sleep(60)

    def fail():
        raise RuntimeError("no paper")

    hung = asyncio.run(Tools([hang], timeout_s=0.01).call("hang", ""))
    assert json.loads(hung) == {"error": "hang did not answer within 0.01 s"}
    assert json.loads(asyncio.run(Tools([fail]).call("fail", ""))) == {"error": "fail failed: RuntimeError: no paper"}


def test_a_parameter_that_cannot_be_described_is_refused():
    def wrong(where: dict) -> None: ...

    def packed(*names: str) -> None: ...

    with pytest.raises(ConfigError, match=r"wrong\.where"):
        Tools([wrong])
    with pytest.raises(ConfigError, match="names"):
        Tools([packed])


def test_a_file_gives_its_own_public_functions(tmp_path):
    path = tmp_path / "desk.py"
    path.write_text("from json import dumps\ndef _own(): ...\ndef greet(name: str):\n    'Greet.'\n    return name\n")
    assert [schema["name"] for schema in load_tools(path).schemas()] == ["greet"]


@pytest.mark.parametrize(
    ("text", "words"), [("x = 1", "no public function"), ("1/0", "ZeroDivisionError"), (None, "no such")]
)
def test_a_file_without_tools_says_so(tmp_path, text, words):
    path = tmp_path / "desk.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_tools(path)
