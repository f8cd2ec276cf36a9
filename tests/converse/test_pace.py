"""A machine that is too slow for a stage: what is done instead, and that the operator is told."""

import asyncio

import numpy as np
import pytest

from mien.config import ConverseConfig
from mien.converse import stages
from mien.converse.pace import Recognition, faster_recognition, searches_by_words, speech_instead
from mien.converse.speak.base import Sound
from mien.converse.stages import Hearing, Speaking, Thinking, fastest

BASE = Recognition("whisper", "base")
TINY = Recognition("whisper", "tiny.en")


def hasty(choice: Recognition) -> Recognition:
    return Recognition(choice.engine, choice.model, hasty=True)


@pytest.mark.parametrize(
    ("now", "taken_s", "smaller", "url", "then"),
    [
        (BASE, 0.2, True, True, None),
        (BASE, 0.21, True, True, hasty(BASE)),
        (hasty(BASE), 0.8, True, True, None),
        (hasty(BASE), 0.81, True, True, hasty(TINY)),
        (hasty(BASE), 0.81, False, True, Recognition("url", "base")),
        (hasty(BASE), 0.81, False, False, None),
        (hasty(TINY), 5.0, True, False, None),
        (hasty(TINY), 0.81, True, True, Recognition("url", "tiny.en")),
        (hasty(Recognition("whisper", "/models/mine")), 2.0, True, False, None),
        (Recognition("url", "base"), 9.0, True, True, None),
    ],
)
def test_recognition_gets_faster_step_by_step(now, taken_s, smaller, url, then):
    assert faster_recognition(now, taken_s, smaller=smaller, url=url) == then


def test_a_slow_search_goes_by_words():
    assert not searches_by_words(0.4)
    assert searches_by_words(0.41)


@pytest.mark.parametrize(
    ("taken_s", "sound_s", "url", "program", "instead"),
    [
        (0.3, 1.5, True, True, ""),
        (0.9, 1.5, True, True, "url"),
        (0.9, 1.5, False, True, "program"),
        (0.9, 1.5, False, False, "nothing"),
        (0.7, 0.8, False, True, "program"),  # it would not keep up with a longer answer
    ],
)
def test_what_speaks_in_place_of_a_slow_synthesiser(taken_s, sound_s, url, program, instead):
    assert speech_instead(taken_s, sound_s, url=url, program=program) == instead


@pytest.mark.parametrize(
    ("measured", "least_s", "left"),
    [([0.3, 9.0], 0.3, [9.0]), ([2.0, 0.7, 9.0], 0.7, [9.0]), ([2.0, 1.1, 1.4, 9.0], 1.1, [9.0])],
)
def test_a_machine_that_is_busy_for_a_moment_is_measured_again(measured, least_s, left):
    async def measure():
        return measured.pop(0)

    assert asyncio.run(fastest(measure, 0.8)) == least_s
    assert measured == left


class FakeProcess:
    """An engine that answers at once, and remembers how it was made."""

    def __init__(self, name, first, **_):
        self.name, self.first = name, first
        self.started = self.closed = False
        self.allowed = 0.0

    async def start(self):
        self.started = True

    async def close(self):
        self.closed = True

    def allow(self, timeout_s):
        self.allowed = timeout_s

    async def ask(self, header, payload=b""):
        if "text" in header:
            yield {"rate_hz": 16000, "said_by": self.name}, np.full(16000, 3000, "<i2").tobytes()
        else:
            yield {"text": "The exit is behind you."}, b""


@pytest.fixture
def clock(monkeypatch):
    """Stands still, but for what a test adds at each reading."""
    times = iter(())

    def set_durations(*seconds, slow_s=0.8):
        nonlocal times
        edges = []
        for one in seconds:  # what is too slow is measured three times
            edges += [100.0, 100.0 + one] * (3 if one > slow_s else 1)
        times = iter(edges)

    class Time:
        @staticmethod
        def monotonic():
            return next(times)

    monkeypatch.setattr(stages, "time", Time)
    monkeypatch.setattr(stages, "EngineProcess", FakeProcess)
    return set_durations


@pytest.fixture
def hearing(clock, monkeypatch, tmp_path):
    async def recognise(*_):
        return None

    monkeypatch.setattr(Hearing, "recognise", recognise)

    def measured(durations, smaller=True, **keys):
        clock(*durations)
        monkeypatch.setattr(stages, "installed", lambda model: smaller and model == "tiny.en")
        made, told = Hearing(ConverseConfig(**keys), tmp_path), []
        return made, asyncio.run(made.measure(told.append)), told

    return measured


def test_a_fast_machine_keeps_its_model_and_tells_nothing(hearing):
    made, taken_s, told = hearing([0.1], hear_model="base")
    assert (made.choice, told) == (BASE, [])
    assert taken_s == pytest.approx(0.1)


def test_base_that_is_too_slow_gives_way_to_tiny_en(hearing):
    made, _, told = hearing([2.0, 1.4, 0.6], hear_model="base")
    assert made.choice == hasty(TINY)
    assert made.process.first["options"]["model"] == "tiny.en"
    assert made.process.started
    assert made.process.allowed == pytest.approx(3 * 0.6)
    assert told == ["recognition takes 2.0 s on this machine: Whisper tiny.en recognises in place of base, in 0.6 s"]


@pytest.mark.parametrize("keys", [{"language": "auto"}, {"language": "de"}])
def test_a_model_of_one_language_never_replaces_one_of_several(hearing, keys):
    made, _, told = hearing([2.0, 1.4], hear_model="base", **keys)
    assert made.choice == hasty(BASE)
    assert "answers come late" in told[0]


def test_a_server_that_is_configured_recognises_where_nothing_here_is_fast_enough(hearing):
    made, taken_s, told = hearing([2.5, 1.9], hear_url="http://localhost:8000/v1")
    assert made.choice.engine == "url"
    assert made.process.first["options"] == {"url": "http://localhost:8000/v1", "key_file": ""}
    assert taken_s == 0.0
    assert told == ["recognition takes 2.5 s on this machine: http://localhost:8000/v1 recognises instead"]


def test_without_a_server_no_sound_leaves_the_machine(hearing):
    made, _, told = hearing([2.5, 1.9])
    assert made.choice == hasty(TINY)
    assert "name a server in converse.hear_url" in told[0]


@pytest.mark.parametrize(("taken_s", "words"), [(0.1, False), (0.9, True)])
def test_a_search_that_is_too_slow_goes_on_without_its_model(clock, tmp_path, taken_s, words):
    clock(taken_s, slow_s=0.4)
    made, told = Thinking(ConverseConfig(), tmp_path), []
    before = made.process
    asyncio.run(made.measure(told.append))
    assert made.process.first["options"]["model"] is not words
    assert before.closed is words
    assert bool(told) is words


def said_by(speaking, text, monkeypatch):
    """Who speaks a sentence."""
    voices = []
    ask = FakeProcess.ask

    async def asked(self, header, payload=b""):
        voices.append(self.name)
        async for part in ask(self, header, payload):
            yield part

    monkeypatch.setattr(FakeProcess, "ask", asked)

    async def speak():
        async for _ in speaking.speak(text, "en", 1.0):
            pass

    asyncio.run(speak())
    return voices


@pytest.fixture
def speaking(clock, monkeypatch, tmp_path):
    def measured(taken_s, program=True, **keys):
        clock(taken_s)
        monkeypatch.setattr(
            stages.shutil, "which", lambda name: "/usr/bin/flite" if program and name == "flite" else None
        )
        made, told = Speaking(ConverseConfig(speak="piper", **keys), tmp_path), []
        asyncio.run(made.measure(told.append))
        return made, told

    return measured


def test_a_synthesiser_that_is_fast_enough_speaks_everything(speaking, monkeypatch):
    made, told = speaking(0.3)
    assert told == []
    assert said_by(made, "Good morning.", monkeypatch) == ["Piper"]


def test_flite_says_what_is_not_prepared_where_piper_is_too_slow(speaking, monkeypatch):
    made, told = speaking(2.1)
    assert told == [
        "piper takes 2.1 s for a short sentence on this machine: "
        "flite says what `mien converse prepare` has not prepared"
    ]
    made._cache.put("Prepared.", "en", 1.0, Sound(b"\x01\x02" * 100, 22050, (("Prepared.", 0, 400),)))
    assert said_by(made, "Prepared.", monkeypatch) == []
    assert said_by(made, "Good morning.", monkeypatch) == ["the spare synthesiser"]
    assert made._cache.get("Good morning.", "en", 1.0) is None, "another's speech is not Piper's"


def test_a_server_speaks_where_one_is_configured(speaking, monkeypatch):
    made, told = speaking(2.1, speak_url="http://localhost:8000/v1")
    assert "http://localhost:8000/v1 says" in told[0]
    assert said_by(made, "Good morning.", monkeypatch) == ["the synthesiser url"]


def test_with_nothing_else_the_operator_is_told_the_remedy(speaking, monkeypatch):
    made, told = speaking(2.1, program=False)
    assert "apt-get install espeak-ng" in told[0]
    assert said_by(made, "Good morning.", monkeypatch) == ["Piper"]
