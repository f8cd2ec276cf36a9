"""From the voice's messages to status and events."""

from typing import Any

import msgspec
import pytest

from mien.client import Disconnected
from mien.core import wire
from mien.fleet import event, status
from mien.link.call_keeper import CallKeeper
from mien.link.floor_keeper import FloorKeeper
from mien.link.health_maker import HealthMaker
from mien.link.reporter import CAPTIONS_KEPT, FACELESS_REPORTS, Reporter
from mien.link.status_keeper import StatusKeeper

NOW = 1_800_000_000.0
OUTCOME = wire.Outcome(
    client="agent",
    turn="t1",
    played_ms=1500.0,
    interrupted=False,
    reason="played",
    words_heard=3,
    last_word="bye",
    latency_ms=61.5,
    stalls=2,
)
HEALTH = wire.HealthReport(level="full", clients=2, voice_pss_mb=30.0, counters={"turns_stalled": 2}, face_fps=30.0)
LIMITS = wire.Limits(
    max_chunk_bytes=1, max_header_bytes=1, max_buffer_ms=1, max_turn_ms=1, max_turns=1, turn_idle_timeout_ms=1
)
WELCOME = wire.Welcome(session="s-1", protocol=1, version="1", capabilities=(), rates_hz=(16000,), limits=LIMITS)


class Rig:
    def __init__(self, tmp_path: Any, *, said: bool = True) -> None:
        self.events: list[event.EventBase] = []
        self.keeper = StatusKeeper(status.Status(online=True))
        self.health = HealthMaker(tmp_path, lambda: 20.0, root=tmp_path)
        self.floor = FloorKeeper()
        self.calls = CallKeeper(self.events.append, said=said, make_id=lambda: f"call-{len(self.events)}")
        self.reporter = Reporter(
            keeper=self.keeper,
            health=self.health,
            calls=self.calls,
            floor=self.floor,
            tell=self.events.append,
            utc=lambda: NOW,
            said=said,
        )

    def hear(self, *messages: Any) -> "Rig":
        for message in messages:
            self.reporter.hear(message)
        return self

    def told(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.events if isinstance(each, kind)]


@pytest.fixture
def rig(tmp_path: Any) -> Rig:
    return Rig(tmp_path)


def test_a_turn_is_told_with_what_was_said_where_that_is_allowed(rig: Rig) -> None:
    rig.hear(
        wire.Said(client="agent", turn="t1", text="Good"),
        wire.Said(client="agent", turn="t1", text="morning", append=True),
        OUTCOME,
        OUTCOME,
    )
    first, second = rig.told(event.Turn)
    assert (first.turn, first.reason, first.heard_ms, first.text) == ("t1", "played", 1500.0, "Good morning")
    assert second.text is None  # told once


def test_what_was_said_stays_on_the_board_otherwise(tmp_path: Any) -> None:
    rig = Rig(tmp_path, said=False)
    rig.hear(
        wire.Said(client="agent", turn="t1", text="secret"),
        OUTCOME,
        wire.Call(question="secret", conversation=(wire.Spoken("customer", "secret"),)),
        wire.Floor(holder="ann", why="taken"),
        wire.Floor(holder="", why="released", note="secret"),
    )
    assert "secret" not in repr(rig.events)
    assert "secret" not in repr(rig.keeper.now)


def test_captions_are_bounded(rig: Rig) -> None:
    for number in range(3 * CAPTIONS_KEPT):
        rig.hear(wire.Said(client="agent", turn=f"t{number}", text="x"))
    rig.hear(msgspec.structs.replace(OUTCOME, turn="t0"))
    assert rig.told(event.Turn)[0].text is None
    assert len(rig.reporter._captions) == CAPTIONS_KEPT


def test_a_lost_voice_is_a_fault_once_and_its_news_are_void(rig: Rig) -> None:
    rig.hear(WELCOME, HEALTH)
    assert (rig.keeper.now.session, rig.keeper.now.level) == ("s-1", "full")
    rig.hear(Disconnected(why="gone"))
    rig.reporter.voice_lost("still gone")
    assert rig.keeper.now.level == "no_voice"
    assert rig.keeper.now.session == ""
    assert rig.health.health(NOW).fps is None
    rig.hear(WELCOME)
    faults = [(each.part, each.failed) for each in rig.told(event.Fault) if each.part == "voice"]
    assert faults == [("voice", True), ("voice", False)]


def test_a_level_is_told_when_it_changes(rig: Rig) -> None:
    rig.hear(HEALTH, HEALTH, wire.LevelChanged(old="full", new="audio_only", why="the face is gone"))
    rig.hear(msgspec.structs.replace(HEALTH, level="audio_only"))
    assert [each.level for each in rig.told(event.Level)] == ["full", "audio_only"]


def test_a_face_that_stays_away_is_a_fault_and_one_that_starts_is_none(rig: Rig) -> None:
    faceless = msgspec.structs.replace(HEALTH, level="audio_only")
    rig.hear(*[faceless] * (FACELESS_REPORTS - 1), HEALTH)
    assert rig.told(event.Fault) == []
    rig.hear(*[faceless] * (FACELESS_REPORTS + 5))
    assert [(each.part, each.failed) for each in rig.told(event.Fault)] == [("face", True)]
    rig.hear(HEALTH)
    assert [(each.part, each.failed) for each in rig.told(event.Fault)] == [("face", True), ("face", False)]


def test_a_lost_sound_card_is_a_fault(rig: Rig) -> None:
    lost = msgspec.structs.replace(HEALTH, device="lost")
    rig.hear(lost, lost, HEALTH)
    assert [(each.part, each.failed) for each in rig.told(event.Fault)] == [("sound", True), ("sound", False)]


def test_a_call_has_a_name_and_an_end(rig: Rig) -> None:
    rig.hear(wire.Call(question="where?", language="en", waited_ms=2000.0))
    call = rig.keeper.now.call
    assert call is not None
    assert (call.since, call.language, call.question) == (NOW - 2, "en", "where?")
    rig.hear(wire.Call(question="where, please?", language="en", waited_ms=5000.0))
    assert rig.keeper.now.call is not None
    assert (rig.keeper.now.call.call, rig.keeper.now.call.question) == (call.call, "where, please?")
    rig.reporter.answered_call("ann", True, 60)
    assert rig.keeper.now.call.accepted_by == "ann"
    rig.hear(wire.Call(open=False))
    assert rig.keeper.now.call is None
    assert [(each.call, each.state, each.by) for each in rig.told(event.Call)] == [
        (call.call, "open", ""),
        (call.call, "accepted", "ann"),
        (call.call, "withdrawn", ""),
    ]


def test_a_user_s_floor_ends_with_the_voice_s_word(rig: Rig) -> None:
    rig.floor.taken("ann", 0)
    rig.reporter.took_floor("ann")
    rig.hear(wire.Floor(holder="link", why="taken", yours=True))
    assert rig.keeper.now.floor == status.Floor(holder="ann", since=NOW)
    rig.hear(wire.Floor(holder="", why="idle_timeout"))
    assert rig.keeper.now.floor is None
    assert rig.floor.holder == ""
    assert [(each.holder, each.why) for each in rig.told(event.FloorChanged)] == [
        ("ann", "taken"),
        ("", "idle_timeout"),
    ]


def test_an_agent_of_the_house_holds_the_floor_by_its_own_name(rig: Rig) -> None:
    rig.hear(wire.Floor(holder="desk", why="taken"))
    assert rig.keeper.now.floor == status.Floor(holder="desk", since=NOW)
    rig.hear(wire.Floor(holder="", why="released", note="done"))
    assert rig.keeper.now.floor is None
    assert [(each.holder, each.why) for each in rig.told(event.FloorChanged)] == [("desk", "taken"), ("", "released")]


def test_an_ear_is_told_with_its_faults(rig: Rig) -> None:
    rig.hear(wire.Ear(state="no_card"), wire.Ear(state="no_card"), wire.Ear(state="ok"))
    assert rig.keeper.now.ear == "ok"
    assert [(each.part, each.failed) for each in rig.told(event.Fault)] == [("ear", True), ("ear", False)]


def test_phase_and_speaker_follow_the_voice(rig: Rig) -> None:
    said = wire.Status(
        phase="speaking", client="agent", turn="t", played_ms=1.0, state="idle", emotion="neutral", floor=""
    )
    rig.hear(said)
    assert (rig.keeper.now.phase, rig.keeper.now.speaker) == ("speaking", "agent")
    rig.hear(msgspec.structs.replace(said, phase="a new one"))
    assert rig.keeper.now.phase == "idle"


def test_health_tells_turns_and_what_the_voice_tells(rig: Rig) -> None:
    rig.hear(HEALTH, OUTCOME, OUTCOME)
    for latency_ms in (100.0, 200.0, 300.0):
        rig.health.latency(latency_ms)
    health = rig.health.health(NOW, queue_events=4)
    assert (health.turns, health.heard_s, health.stalls, health.fps) == (2, 3.0, 2, 30.0)
    assert (health.latency_p50_ms, health.queue_events, health.link_mb) == (200.0, 4, 20.0)
    assert health.temperature_c is None  # no such file here: null, not 0
    assert msgspec.convert(msgspec.to_builtins(health), status.Health) == health


def test_what_became_of_a_relayed_text_is_told_without_the_text(rig: Rig) -> None:
    rig.hear(wire.RelayDone(id="r1", outcome="unused", why="answers come from a file"))
    (told,) = rig.told(event.Relayed)
    assert (told.relay, told.outcome, told.why) == ("r1", "unused", "answers come from a file")


def test_a_turn_tells_how_soon_it_was_heard_and_how_often_it_ran_dry(rig: Rig) -> None:
    rig.hear(OUTCOME)
    (told,) = rig.told(event.Turn)
    assert (told.latency_ms, told.stalls) == (61.5, 2)
