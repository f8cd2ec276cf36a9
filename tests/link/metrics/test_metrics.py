"""A board's metrics: what passes is rendered as Prometheus reads it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from mien.fleet import event
from mien.fleet.status import Avatar, Health, Status
from mien.fleet.topics import Board
from mien.link.metrics.fields import FIELDS
from mien.link.metrics.metrics import COUNTED, OTHERS, Metrics
from mien.link.metrics.tally import MOST_VALUES


def read(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each sample by its name and the values of its labels beyond the place."""
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            assert (sample.labels["site"], sample.labels["board"]) == ("lab", "k7")
            labels = tuple(value for name, value in sample.labels.items() if name not in ("site", "board"))
            found[sample.name, labels] = sample.value
    return found


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Board("lab", "k7"))


def turn(seq: int = 0, **fields: object) -> event.Turn:
    return event.Turn(
        **{"queue": "q", "seq": seq, "client": "c", "turn": "t", "reason": "completed", "heard_ms": 1500.0, **fields}
    )  # type: ignore[arg-type]


def test_status_and_health_are_told_in_base_units(metrics: Metrics) -> None:
    metrics.observe_status(
        Status(online=True, level="envelope", screen="dim", ear="no_echo_reference", update="rolled_back", volume=0.5)
    )
    metrics.observe_health(
        Health(
            offset_median_ms=-12.5,
            voice_mb=61.5,
            temperature_c=51.0,
            frames_missed=7,
            sound="lost",
            throttled=("soft",),
        )
    )
    found = read(metrics)
    assert found["mien_online", ()] == 1
    assert found["mien_level", ()] == 3
    assert found["mien_screen_on", ()] == 1
    assert found["mien_ear_state", ()] == 4
    assert found["mien_update_failed", ()] == 1
    assert found["mien_volume_ratio", ()] == 0.5
    assert found["mien_av_offset_seconds", ("50",)] == -0.0125
    assert found["mien_memory_bytes", ("voice",)] == 61_500_000
    assert found["mien_temperature_celsius", ()] == 51
    assert found["mien_frames_missed_total", ()] == 7
    assert found["mien_sound_lost", ()] == 1
    assert found["mien_throttled", ()] == 1


def test_what_a_board_cannot_tell_has_no_series(metrics: Metrics) -> None:
    metrics.observe_health(Health(fps=math.nan))
    names = {name for name, _ in read(metrics)}
    assert not names & {
        "mien_face_frames_per_second",
        "mien_temperature_celsius",
        "mien_throttled",
        "mien_volume_ratio",
    }


def test_events_are_counted(metrics: Metrics) -> None:
    metrics.observe_event(turn(latency_ms=400.0, stalls=2))
    metrics.observe_event(turn(1, latency_ms=1500.0, reason="interrupted", heard_ms=500.0))
    metrics.observe_event(turn(2, latency_ms=60_000.0))
    metrics.observe_event(event.Visit(queue="q", seq=3, visit="v", ended=False))
    metrics.observe_event(event.Visit(queue="q", seq=4, visit="v", ended=True, reason="goodbye"))
    metrics.observe_event(event.Fault(queue="q", seq=5, part="sound", failed=True))
    metrics.observe_event(event.Fault(queue="q", seq=6, part="sound", failed=False))
    metrics.observe_event(event.Update(queue="q", seq=7, action="1", stage="good"))
    metrics.observe_event(event.Commanded(queue="q", seq=8, command="say", user="u", role="agent", ok=True))
    metrics.observe_event(
        event.Commanded(queue="q", seq=9, command="say", user="u", role="agent", ok=False, code="stale")
    )
    metrics.observe_event(event.Call(queue="q", seq=10, call="c", state="open"))
    found = read(metrics)
    assert found["mien_turns_total", ("completed",)] == 2
    assert found["mien_turns_total", ("interrupted",)] == 1
    assert found["mien_heard_seconds_total", ()] == 3.5
    assert found["mien_stalls_total", ()] == 2
    assert found["mien_turn_latency_seconds_bucket", ("0.3",)] == 0
    assert found["mien_turn_latency_seconds_bucket", ("0.5",)] == 1
    assert found["mien_turn_latency_seconds_bucket", ("1.5",)] == 2
    assert found["mien_turn_latency_seconds_bucket", ("+Inf",)] == found["mien_turn_latency_seconds_count", ()] == 3
    assert found["mien_turn_latency_seconds_sum", ()] == pytest.approx(61.9)
    assert found["mien_visits_total", ("goodbye",)] == 1
    assert found["mien_faults_total", ("sound",)] == 1
    assert found["mien_updates_total", ("good",)] == 1
    assert found["mien_commands_total", ("ok",)] == found["mien_commands_total", ("stale",)] == 1
    assert found["mien_calls_total", ("open",)] == 1


def test_versions_are_labels_and_hostile_texts_stay_in_them(metrics: Metrics) -> None:
    status = Status(online=True, version='0.3"\n\\', slot="A", avatar=Avatar(name="rosa"))
    metrics.observe_status(status)
    [labels] = [labels for name, labels in read(metrics) if name == "mien_build_info"]
    assert labels == ("rosa", "", "", "", "A", '0.3"\n\\')


def test_labels_from_others_are_bounded(metrics: Metrics) -> None:
    for number in range(1000):
        metrics.observe_event(turn(number, reason=f"reason-{number}"))
    metrics.observe_event(turn(1000, reason='a"b'))
    turns = {labels: count for (name, labels), count in read(metrics).items() if name == "mien_turns_total"}
    assert len(turns) == MOST_VALUES + 1
    assert turns["other",] == 1001 - MOST_VALUES


@given(st.lists(st.tuples(st.floats(), st.one_of(st.none(), st.floats()), st.integers(-5, 5), st.text(max_size=200))))
def test_no_event_breaks_the_text(turns: list[tuple[float, float | None, int, str]]) -> None:
    metrics = Metrics(Board("lab", "k7"))
    for seq, (heard_ms, latency_ms, stalls, reason) in enumerate(turns):
        metrics.observe_event(turn(seq, heard_ms=heard_ms, latency_ms=latency_ms, stalls=stalls, reason=reason))
    found = read(metrics)
    assert sum(value for (name, _), value in found.items() if name == "mien_turns_total") == len(turns)
    assert 0 <= found["mien_heard_seconds_total", ()] < math.inf
    assert 0 <= found["mien_turn_latency_seconds_count", ()] <= len(turns)


def test_names_follow_the_convention() -> None:
    for field in FIELDS:
        assert field.metric.startswith("mien_")
        assert field.metric.endswith("_total") == (field.kind == "counter")
        assert not field.metric.endswith(("_ms", "_mb", "_percent"))
        struct = Status if field.topic == "status" else Health
        assert field.path in struct.__struct_fields__
    assert all(name.startswith("mien_") for name in (*OTHERS, *(name for name, _, _ in COUNTED)))
