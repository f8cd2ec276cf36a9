"""An update from the server's first word to its last: power cuts, cancels, visitors, rollbacks, bad servers."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from mien.errors import StorageError
from mien.link.update.board import Bundle, Inspection
from mien.link.update.record import FILE, Record, Store
from mien.link.update.updater import REPEAT_S
from rigs.update_rig import DdiServer, partial
from rigs.updating_board import UpdatingBoard

GOOD = ["downloading", "installing", "restarting", "good"]


class Rig(UpdatingBoard):
    """A board that updates itself from our own server."""

    def __init__(self, server: DdiServer, folder: Path, **config: Any) -> None:
        self.server = server
        super().__init__(server.url, folder, **config)

    def finish(self) -> Record:
        """Until the server has no action any more."""
        for _ in range(1500):
            self.step()
            if not self.server.action and self.link.record.phase == "idle":
                return self.link.record
        raise AssertionError(f"still {self.link.record}, {self.whats}")


@pytest.fixture
def rig(server: DdiServer, tmp_path: Path) -> Rig:
    server.action = "7"
    return Rig(server, tmp_path)


def test_an_update_succeeds_only_after_the_new_slot_has_shown_a_face_and_spoken(rig: Rig) -> None:
    rig.kiosk.works = False
    rig.run("trial")
    for _ in range(50):
        rig.step()
    assert rig.server.closed_as() == []  # it runs, and has shown nothing yet
    assert rig.board.good["B"]
    rig.kiosk.works = True
    record = rig.finish()
    assert rig.server.closed_as() == ["success"]
    assert rig.stages == GOOD
    assert (rig.board.slot, rig.board.reboots) == ("B", 1)
    assert record.last
    assert record.last.outcome == "good"
    assert partial(rig.folder) == []


def test_the_server_is_told_each_stage(rig: Rig) -> None:
    rig.finish()
    told = [(execution, finished) for _, _, execution, finished in rig.server.feedback]
    assert told[0] == ("proceeding", "none")
    assert ("downloaded", "none") in told
    assert told[-1] == ("closed", "success")
    assert [finished for _, finished in told].count("success") == 1
    text = " | ".join(rig.server.details)
    for words in ("downloading 0.3.0", "installing into the other slot", "the board restarts", "it waits for a face"):
        assert words in text


def test_nobody_is_disturbed_in_mid_visit(rig: Rig) -> None:
    rig.kiosk.visitor = True
    rig.run("draining")
    for _ in range(30):
        rig.step()
    assert rig.link.record.phase == "draining"
    assert rig.kiosk.draining
    assert rig.board.bundles == []
    rig.kiosk.visitor = False
    rig.run("installing")
    rig.kiosk.visitor = True  # somebody is served all the same
    rig.run("restarting")
    for _ in range(30):
        rig.step()
    assert rig.board.reboots == 0
    rig.kiosk.visitor = False
    rig.finish()
    assert rig.server.closed_as() == ["success"]


def test_the_window_of_the_board(server: DdiServer, tmp_path: Path) -> None:
    server.action = "7"
    rig = Rig(server, tmp_path, window="02:00-05:00")
    rig.minute = 600
    rig.run("waiting")
    for _ in range(30):
        rig.step()
    assert (rig.link.record.phase, rig.kiosk.draining) == ("waiting", False)
    rig.minute = None  # the clock is not set: no time to begin
    rig.step()
    assert rig.link.record.phase == "waiting"
    rig.minute = 125
    rig.kiosk.visitor = True
    rig.run("draining")
    rig.minute = 301
    rig.step()
    assert (rig.link.record.phase, rig.kiosk.draining) == ("waiting", False)  # visitors are taken again
    rig.minute, rig.kiosk.visitor = 125, False
    rig.finish()
    assert server.closed_as() == ["success"]


@pytest.mark.parametrize(("name", "value"), [("window", "unavailable"), ("update", "skip")])
def test_the_window_of_the_server(rig: Rig, name: str, value: str) -> None:
    setattr(rig.server, name, value)
    rig.run("waiting")
    for _ in range(30):
        rig.step()
    assert rig.link.record.phase == "waiting"
    setattr(rig.server, name, {"window": "available", "update": "attempt"}[name])
    rig.finish()
    assert rig.server.closed_as() == ["success"]


def test_a_download_that_the_server_does_not_permit_yet(rig: Rig) -> None:
    rig.server.download = "skip"
    for _ in range(5):
        rig.step()
    assert rig.link.record.phase == "idle"
    assert rig.server.feedback == []


def test_a_cut_download_goes_on_where_it_was(rig: Rig) -> None:
    rig.server.faults.cut_after, rig.server.faults.cuts = 70_000, 3
    rig.finish()
    assert rig.server.closed_as() == ["success"]
    ranges = [headers.get("Range") for _, path, headers in rig.server.requests if path.startswith("/files/")]
    assert ranges == [None, "bytes=70000-", "bytes=140000-", "bytes=210000-"]


def test_a_power_cut_in_the_download_goes_on_where_it_was(rig: Rig) -> None:
    rig.server.faults.cut_after = 70_000
    rig.run("downloading")
    while partial(rig.folder) != [70_000]:
        rig.step()
    rig.board.start()
    rig.start()
    rig.finish()
    assert rig.server.closed_as() == ["success"]
    assert [h.get("Range") for _, p, h in rig.server.requests if p.startswith("/files/")] == [None, "bytes=70000-"]


def test_a_bundle_that_a_power_cut_spoilt_is_fetched_again(rig: Rig) -> None:
    rig.run("downloading")
    rig.run("waiting")
    [path] = rig.folder.glob("*.raucb")
    path.write_bytes(bytes(path.stat().st_size))  # as a file system that lost its blocks
    rig.board.start()
    rig.start()
    rig.finish()
    assert rig.server.closed_as() == ["success"]


@pytest.mark.parametrize("moment", range(15))
@pytest.mark.parametrize("lost", ["", "torn", "empty", "gone", "stale"])
def test_a_power_cut_at_any_moment_ends_in_the_same_success(
    rig: Rig, moment: int, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power is cut right after the `moment`th time the record is written; the record may be lost with it."""
    saves = 0
    save = Store.save
    kept = [Record()]

    class Cut(Exception):
        pass

    def cut(store: Store, record: Record) -> None:
        nonlocal saves
        save(store, record)
        kept.append(record)
        saves += 1
        if saves == moment + 1:
            raise Cut

    monkeypatch.setattr(Store, "save", cut)
    try:
        rig.finish()
    except Cut:
        path = rig.folder / FILE
        whole = path.read_bytes()
        match lost:
            case "torn":
                path.write_bytes(whole[: len(whole) // 2])
            case "empty":
                path.write_bytes(b"")
            case "gone":
                path.unlink()
            case "stale":
                save(Store(rig.folder), kept[max(0, len(kept) - 3)])
        rig.board.start()
        rig.start()
        rig.finish()
    assert rig.server.closed_as()[-1] == "success"
    assert rig.board.slot == "B"
    assert "failed" not in rig.stages
    assert rig.board.slots["B"] == ("0.3.0", "2")


def test_a_new_release_that_is_not_good_is_told_as_a_failure(rig: Rig) -> None:
    rig.board.spoilt = True
    record = rig.finish()
    assert rig.server.closed_as() == ["failure"]
    assert rig.stages == ["downloading", "installing", "restarting", "rolled_back"]
    assert rig.board.slot == "A"
    assert rig.link.stage == "rolled_back"
    assert record.last
    assert "previous release" in record.last.why


def test_a_new_release_without_a_voice_is_told_as_a_failure(rig: Rig) -> None:
    rig.kiosk.works = False
    rig.finish()
    assert rig.server.closed_as() == ["failure"]
    assert "there was no face seen, turn heard" in rig.whats[-1]
    assert 900 < rig.board.up_s < 1000
    assert rig.kiosk.rehearsals > 5


def test_the_evidence_is_remembered_when_the_link_restarts(rig: Rig) -> None:
    rig.board.good["B"] = False
    rig.kiosk.works = False
    rig.run("trial")
    rig.kiosk.face = True
    rig.step()
    rig.start()  # the link alone
    rig.kiosk.turn = True
    rig.finish()
    assert rig.server.closed_as() == ["success"]


def test_a_refused_bundle_turns_nobody_away(rig: Rig) -> None:
    rig.board._inspector = lambda _: Inspection(why="RAUC refuses the bundle: signature verification failed")
    rig.finish()
    assert rig.server.closed_as() == ["failure"]
    assert rig.server.details[-1] == "RAUC refuses the bundle: signature verification failed"
    assert rig.board.bundles == []
    assert partial(rig.folder) == []


@pytest.mark.parametrize("phase", ["downloading", "waiting", "draining"])
def test_cancelled_before_the_installation(rig: Rig, phase: str) -> None:
    rig.kiosk.visitor = phase == "draining"
    rig.server.update = "skip" if phase == "waiting" else "forced"
    if phase == "downloading":
        rig.server.faults.status = 503
        rig.step()
    else:
        rig.run(phase)
    rig.server.faults.status = 0
    rig.server.cancel = "9"
    rig.now_s += 400.0
    rig.finish()
    assert ("cancelAction", "9", "closed", "success") in rig.server.feedback
    assert rig.stages[-1] == "cancelled"
    assert rig.server.closed_as() == []
    assert partial(rig.folder) == []
    assert not rig.kiosk.draining


def test_cancelled_too_late(rig: Rig) -> None:
    rig.board.install_looks = 20
    rig.run("installing")
    rig.server.cancel = "9"
    rig.now_s += 400.0
    rig.finish()
    assert ("cancelAction", "9", "rejected", "none") in rig.server.feedback
    assert rig.server.closed_as() == ["success"]


def test_withdrawn_by_the_server(rig: Rig) -> None:
    rig.server.update = "skip"
    rig.run("waiting")
    rig.server.action = ""
    rig.now_s += 400.0
    rig.run("idle")
    assert rig.stages == ["downloading", "cancelled"]
    assert partial(rig.folder) == []


def test_an_action_that_just_ended_is_not_begun_again_at_once(rig: Rig) -> None:
    rig.board.fails_with = "no space"
    rig.finish()
    rig.server.action = "7"  # a server that does not know better
    before_s = rig.now_s
    while rig.now_s < before_s + REPEAT_S - 100:
        rig.step()
    assert rig.server.closed_as() == ["failure"]
    while rig.now_s < before_s + 2 * REPEAT_S:
        rig.step()
    assert rig.server.closed_as() == ["failure", "failure"]  # a person may mean it


def test_an_action_that_ended_is_not_begun_again_while_the_server_is_away(rig: Rig) -> None:
    rig.board.fails_with = "no space"
    rig.finish()
    rig.server.close()
    for _ in range(30):
        rig.step()
    assert rig.stages == ["downloading", "installing", "failed"]


def test_the_last_word_is_kept_until_the_server_hears_it(rig: Rig) -> None:
    rig.run("trial")
    rig.server.faults.status = 503
    rig.run("closed")
    for _ in range(10):
        rig.step()
    rig.start()
    assert rig.link.record.phase == "closed"
    rig.server.faults.status = 0
    rig.finish()
    assert rig.server.closed_as() == ["success"]


def test_a_server_that_forgot_the_action_ends_it(rig: Rig) -> None:
    rig.run("trial")
    rig.server.action = "8"
    rig.server.download = "skip"
    rig.run("idle")
    assert rig.stages == GOOD


def test_a_dead_server_is_asked_ever_less_often(rig: Rig) -> None:
    rig.server.close()
    asked = []
    for _ in range(60):
        before = rig.link._quiet_until_s
        rig.step()
        if rig.link._quiet_until_s != before:
            asked.append(rig.now_s)
    gaps = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert gaps[:3] == sorted(gaps[:3])
    assert max(gaps) > 100
    assert rig.link.record == Record()


def test_a_board_control_that_is_away_delays_only(rig: Rig) -> None:
    rig.board.reachable = False
    for _ in range(5):
        rig.step()
    assert rig.link.record.phase == "idle"
    rig.board.reachable = True
    rig.run("installing")
    rig.board.reachable = False
    for _ in range(5):
        rig.step()
    rig.board.reachable = True
    rig.finish()
    assert rig.server.closed_as() == ["success"]


def test_a_full_disk_moves_nothing_and_asks_the_board_for_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Store, __: Record) -> None:
        raise StorageError("full")

    rig.run("draining")
    monkeypatch.setattr(Store, "save", full)
    for _ in range(10):
        rig.step()
    assert rig.board.bundles == []
    assert rig.board.reboots == 0
    monkeypatch.undo()
    rig.finish()
    assert rig.server.closed_as() == ["success"]


def test_a_board_that_streams_stores_nothing(server: DdiServer, tmp_path: Path) -> None:
    server.action = "7"
    (tmp_path / "token").write_text("s3cret\n")
    rig = Rig(server, tmp_path, token_file="token")
    rig.board.streams = True
    rig.finish()
    assert server.closed_as() == ["success"]
    assert rig.board.bundles == [
        Bundle(url=f"{server.url}/files/mien.raucb", headers=("Authorization: TargetToken s3cret",))
    ]
    assert not [path for _, path, _ in server.requests if path.startswith("/files/")]


def test_a_stream_from_a_server_without_ranges_becomes_a_download(rig: Rig) -> None:
    rig.board.streams = True
    rig.board.fails_with = "range requests not supported"
    rig.run("downloading")
    rig.board.fails_with = ""
    rig.finish()
    assert rig.server.closed_as() == ["success"]
    assert [bool(bundle.url) for bundle in rig.board.bundles] == [True, False]


def test_attributes_are_sent_when_the_server_asks(rig: Rig) -> None:
    rig.server.wants_config, rig.server.action = True, ""
    rig.step()
    assert rig.server.attributes == {
        "hw_boardname": "mien-arm64",
        "hw_revision": "default",
        "sw_version": "0.2.0",
        "build": "1",
        "slot": "A",
        "site": "lab",
        "board": "k7",
    }


def test_an_artifact_that_is_larger_than_permitted(server: DdiServer, tmp_path: Path) -> None:
    server.action, server.size = "7", 900_000_000_000
    rig = Rig(server, tmp_path)
    rig.finish()
    assert server.closed_as() == ["failure"]
    assert "too large" in rig.whats[-1]
    assert not [path for _, path, _ in server.requests if path.startswith("/files/")]


def test_a_link_to_another_host_without_tls_closes_the_action(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.link._http, "plain", False)
    rig.server.href = "http://elsewhere.example/x.raucb"
    rig.step()
    assert rig.link.record.outcome == "failed" or rig.server.closed_as() == ["failure"]
