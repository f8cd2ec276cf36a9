"""The voice's level, by what a face reports of itself."""

import os

import pytest

from mien.core import wire
from mien.core.degradation import Event, Level
from mien.core.stats import Counters
from mien.units import NS_PER_S
from mien.voice.health import Health

FACE = 41


def test_a_face_without_motion_is_audio_only_until_it_moves_again():
    told = []
    health = Health(told.append, lambda _: None)
    health.face_level("full", FACE, 0, between_turns=False)
    assert health.level is Level.FULL
    health.face_level("audio_only", FACE, 0, between_turns=False)
    health.face_level("audio_only", FACE, 0, between_turns=False)
    assert health.level is Level.AUDIO_ONLY
    health.face_level("full", FACE, 0, between_turns=False)
    assert health.level is Level.FULL
    assert [(move.old, move.new) for move in told if isinstance(move, wire.LevelChanged)] == [
        ("audio_only", "full"),
        ("full", "audio_only"),
        ("audio_only", "full"),
    ]
    assert "motion" in told[1].why


def test_a_face_without_a_model_moves_by_the_envelope_and_silence_outranks_it():
    health = Health(lambda _: None, lambda _: None)
    health.face_level("envelope", FACE, 0, between_turns=True)
    assert health.level is Level.ENVELOPE
    health.apply(Event.SINK_LOST, "gone", between_turns=False)
    health.face_level("audio_only", FACE, 0, between_turns=False)
    assert health.level is Level.SILENT


def test_a_face_that_is_lost_again_and_again_is_trusted_later_each_time():
    health = Health(lambda _: None, lambda _: None)
    climbs = []
    for now_s in range(64):  # reports in every second second, and is lost in the others
        before = health.level
        if now_s % 2:
            health.face_lost("the face stopped reporting", now_s * NS_PER_S, between_turns=True)
        else:
            health.face_level("full", FACE, now_s * NS_PER_S, between_turns=True)
            if health.level is not before:
                climbs.append(now_s)
    assert climbs == [0, 2, 6, 12, 22, 40]
    health.face_level("full", FACE + 1, 64 * NS_PER_S, between_turns=True)
    assert health.level is Level.FULL


def test_the_report_names_the_newest_session():
    report = Health(lambda _: None, lambda _: None).report(
        7, 2, 30.04, Counters(), "1a-2", "open", None, headphones=True
    )
    assert (report.epoch, report.clients, report.session, report.level) == (7, 2, "1a-2", "audio_only")
    assert (report.pid, report.pss_mb, report.counters) == (os.getpid(), 30.0, {})


@pytest.mark.parametrize(
    ("visit", "told"),
    [(None, ("", "")), (wire.Visit(phase="consent", language="de"), ("consent", "de"))],
)
def test_the_report_tells_of_the_device_and_of_the_visit(visit, told):
    report = Health(lambda _: None, lambda _: None).report(1, 0, 1.0, Counters(), "", "lost", visit, headphones=False)
    assert (report.device, report.visit, report.language) == ("lost", *told)
