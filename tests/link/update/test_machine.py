"""The life of an update, stepped by hand."""

from typing import Any

import pytest
from msgspec.structs import replace

from mien.link.update.board import BoardState, Inspection, Install
from mien.link.update.ddi import Artifact, Cancel, Deployment
from mien.link.update.machine import EARLY, MAX_STARTS, MAX_TRIES, Limits, Seen, advance, idle, stage, tag
from mien.link.update.record import Last, Phase, Record

ARTIFACT = Artifact(href="https://x/y.raucb", size=1000, sha256="a" * 64)
OFFER = Deployment(action="7", version="0.3.0", artifact=ARTIFACT)
OLD = BoardState(boot="b1", up_s=100.0, slot="A", version="0.2.0", build="1", good=True)
NEW = BoardState(boot="b2", up_s=20.0, slot="B", version="0.3.0", build="2", good=False)
NEW_GOOD = replace(NEW, good=True)
SOUND = Inspection(version="0.3.0", build="2")
LIMITS = Limits(max_bytes=10_000, good_within_s=900.0)


def see(board: BoardState | None = OLD, **known: Any) -> Seen:
    return Seen(**{"board": board, "offer": OFFER, "limits": LIMITS, **known})


def at(phase: Phase, **more: Any) -> Record:
    return Record(
        **{
            "phase": phase,
            "action": "7",
            "version": "0.3.0",
            "artifact": ARTIFACT,
            "boot": "b1",
            "slot": "A",
            "tries": 1,
            "installs": 1,
            **more,
        }
    )


def test_a_whole_update_step_by_step() -> None:
    record = advance(Record(), see())
    assert record.phase == "downloading"
    assert advance(record, see()) == record
    record = advance(record, see(fetched=True))
    assert record.phase == "waiting"
    assert advance(record, see(fetched=True)) == record  # not inspected yet
    assert advance(record, see(fetched=True, inspection=SOUND, window=False)) == record
    record = advance(record, see(fetched=True, inspection=SOUND))
    assert record.phase == "draining"
    assert advance(record, see(fetched=True, inspection=SOUND)) == record  # somebody is being served
    record = advance(record, see(fetched=True, inspection=SOUND, drained=True))
    assert (record.phase, record.boot, record.slot, tag(record)) == ("installing", "b1", "A", "7.1")
    running = replace(OLD, install=Install(tag="7.1", state="running"))
    assert advance(record, see(running)) == record
    record = advance(record, see(replace(OLD, install=Install(tag="7.1", state="done"))))
    assert record.phase == "restarting"
    assert advance(record, see(OLD)) == record
    record = advance(record, see(NEW))
    assert (record.phase, record.boot) == ("trial", "b2")
    assert advance(record, see(NEW)) == record
    record = advance(record, see(NEW, face=True))
    assert (record.face, record.turn) == (True, False)
    record = advance(record, see(NEW, turn=True))
    assert (record.face, record.turn) == (True, True)
    assert advance(record, see(NEW)) == record  # not marked good yet
    record = advance(record, see(NEW_GOOD))
    assert (record.phase, record.outcome) == ("closed", "good")
    assert record.last == Last(action="7", version="0.3.0", outcome="good")
    assert advance(record, see(NEW_GOOD)) == record


@pytest.mark.parametrize("missing", ["good", "face", "turn"])
def test_success_needs_the_slot_marked_good_a_face_and_a_turn(missing: str) -> None:
    record = at("trial", boot="b2", face=missing != "face", turn=missing != "turn")
    board = replace(NEW, good=missing != "good")
    assert advance(record, see(board)) == record
    late = advance(record, see(replace(board, up_s=901.0)))
    assert (late.phase, late.outcome) == ("closed", "failed")
    assert {"good": "marked good", "face": "face seen", "turn": "turn heard"}[missing] in late.why


@pytest.mark.parametrize("phase", EARLY)
def test_cancelled_and_withdrawn_actions_end_before_the_installation(phase: Phase) -> None:
    for known in ({"cancel": Cancel(id="9", stop="7")}, {"offer": None}):
        ended = advance(at(phase), see(fetched=True, inspection=SOUND, drained=True, **known))
        assert ended.phase == "idle"
        assert ended.last
        assert ended.last.outcome == "cancelled"
        assert stage(ended) == ""


@pytest.mark.parametrize("phase", ["installing", "restarting", "trial"])
def test_an_installation_is_not_cancelled(phase: Phase) -> None:
    record = at(phase)
    assert (
        advance(record, see(OLD if phase != "trial" else replace(NEW, boot="b1"), cancel=Cancel(id="9", stop="7")))
        == record
    )
    assert advance(record, see(OLD if phase != "trial" else replace(NEW, boot="b1"), offer=None)) == record


@pytest.mark.parametrize("phase", EARLY)
def test_another_action_or_another_bundle_takes_over(phase: Phase) -> None:
    other = replace(OFFER, action="8")
    assert advance(at(phase), see(offer=other)).phase == "idle"
    changed = replace(OFFER, artifact=replace(ARTIFACT, sha256="b" * 64))
    assert advance(at(phase), see(offer=changed)).phase == "idle"
    assert advance(Record(), see(offer=other)).action == "8"


def test_a_link_that_was_renewed_is_taken_over() -> None:
    renewed = replace(OFFER, artifact=replace(ARTIFACT, href="https://x/y.raucb?token=2"))
    record = advance(at("downloading"), see(offer=renewed))
    assert (record.phase, record.artifact) == ("downloading", renewed.artifact)


def test_a_request_to_cancel_what_has_not_begun_begins_nothing() -> None:
    assert advance(Record(), see(cancel=Cancel(id="9", stop="7"))) == Record()


def test_a_bundle_that_is_too_large_is_never_fetched() -> None:
    record = advance(Record(), see(offer=replace(OFFER, artifact=replace(ARTIFACT, size=10_001))))
    assert (record.phase, record.outcome) == ("closed", "failed")
    assert "too large" in record.why


def test_nothing_begins_while_the_server_says_skip_or_the_board_does_not_answer() -> None:
    assert advance(Record(), see(offer=replace(OFFER, may_download=False))) == Record()
    assert advance(Record(), see(board=None)) == Record()
    assert advance(Record(), see(offer="unknown")) == Record()


def test_a_board_that_streams_fetches_nothing() -> None:
    record = advance(Record(), see(replace(OLD, streams=True)))
    assert (record.phase, record.stream) == ("waiting", True)
    assert advance(record, see(inspection=SOUND)).phase == "draining"


def test_a_server_without_byte_ranges_makes_it_a_download() -> None:
    failed = replace(OLD, install=Install(tag="7.1", state="failed", why="range requests not supported"))
    record = advance(at("installing", stream=True), see(failed))
    assert (record.phase, record.stream) == ("downloading", False)


def test_a_refused_bundle_disturbs_nobody() -> None:
    record = advance(at("waiting"), see(fetched=True, inspection=Inspection(why="signature")))
    assert (record.phase, record.outcome, record.why) == ("closed", "failed", "signature")


def test_a_bundle_that_is_gone_is_fetched_again() -> None:
    assert advance(at("waiting"), see()).phase == "downloading"
    assert advance(at("draining"), see(drained=True, inspection=SOUND)).phase == "waiting"


@pytest.mark.parametrize(
    "known", [{"window": False}, {"offer": replace(OFFER, may_install=False)}, {"offer": "unknown"}]
)
def test_a_window_that_shuts_lets_visitors_in_again(known: dict[str, Any]) -> None:
    seen = see(fetched=True, inspection=SOUND, drained=True, **known)
    assert advance(at("draining"), seen).phase == "waiting"
    assert advance(at("waiting"), seen) == at("waiting")


def test_an_installation_that_fails_is_told_with_its_reason() -> None:
    failed = replace(OLD, install=Install(tag="7.1", state="failed", why="no space"))
    record = advance(at("installing"), see(failed))
    assert (record.outcome, record.why) == ("failed", "no space")
    stale = replace(failed, install=replace(failed.install, tag="7.0"))
    assert advance(at("installing"), see(stale)) == at("installing")  # of an earlier attempt


def test_the_same_action_again_is_another_installation() -> None:
    """A person may force an action that failed, and the board still remembers how the first attempt ended."""
    failed = replace(OLD, install=Install(tag="7.1", state="failed", why="no space"))
    record = idle(advance(at("installing"), see(failed)))
    record = replace(advance(record, see(failed)), phase="draining")
    record = advance(record, see(failed, fetched=True, inspection=SOUND, drained=True))
    assert (record.phase, tag(record)) == ("installing", "7.2")
    assert advance(record, see(failed)) == record


def test_a_power_cut_in_the_installation_repeats_it_a_few_times() -> None:
    cut = replace(OLD, boot="b2")
    record = advance(at("installing"), see(cut))
    assert record.phase == "waiting"
    for number in range(2, MAX_TRIES + 1):
        record = advance(replace(record, phase="draining"), see(cut, fetched=True, inspection=SOUND, drained=True))
        assert record.tries == number
        cut = replace(cut, boot=f"b{number + 1}")
        record = advance(record, see(cut))
    assert (record.phase, record.outcome) == ("closed", "failed")


def test_a_power_cut_after_the_installation_is_a_start_of_the_new_slot() -> None:
    assert advance(at("installing"), see(NEW)).phase == "trial"


@pytest.mark.parametrize("phase", ["restarting", "trial"])
def test_a_board_that_went_back_is_told(phase: Phase) -> None:
    record = advance(at(phase, boot="b1" if phase == "restarting" else "b2"), see(replace(OLD, boot="b5")))
    assert (record.phase, record.outcome) == ("closed", "rolled_back")
    assert stage(record) == "rolled_back"


def test_each_start_of_the_new_slot_must_show_everything_anew_and_they_are_counted() -> None:
    record = at("trial", boot="b2", face=True, turn=True)
    again = advance(record, see(replace(NEW_GOOD, boot="b3")))
    assert (again.phase, again.face, again.turn, again.tries) == ("trial", False, False, 2)
    for number in range(MAX_STARTS):
        again = advance(again, see(replace(NEW, boot=f"b{number + 4}")))
    assert (again.phase, again.outcome) == ("closed", "failed")


def test_an_update_that_is_installed_already_is_tried_without_installing_it_again() -> None:
    """The record was lost in a power cut, and the server still offers the action."""
    record = advance(at("waiting", boot="", slot=""), see(NEW_GOOD, fetched=True, inspection=SOUND))
    assert (record.phase, record.slot) == ("trial", "")
    record = advance(record, see(NEW_GOOD, face=True, turn=True))
    assert advance(record, see(NEW_GOOD)).outcome == "good"


def test_the_same_version_without_a_build_proves_nothing() -> None:
    unknown = replace(OLD, version="0.3.0", build="")
    seen = see(unknown, fetched=True, inspection=Inspection(version="0.3.0"))
    assert advance(at("waiting"), seen).phase == "draining"


def test_a_board_that_does_not_answer_changes_nothing() -> None:
    for phase in ("waiting", "installing", "restarting", "trial"):
        record = at(phase)  # type: ignore[arg-type]
        assert advance(record, see(None, fetched=True, inspection=SOUND)) == record


def test_how_the_last_one_failed_is_told_until_the_next_begins() -> None:
    failed = Record(last=Last(action="7", version="0.3.0", outcome="failed"))
    assert stage(failed) == "failed"
    assert stage(advance(failed, see())) == "downloading"
    assert stage(Record(last=Last(action="7", version="0.3.0", outcome="good"))) == ""
