"""A real mosquitto obeys what `mien fleet` writes: who signs in, who reads and writes what, who is revoked."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_sim.mosquitto import wait_until
from mien.enrolment.boards_csv import Wanted
from mien.enrolment.fleet import Fleet
from mien.enrolment.registry import FleetRecord
from mien.fleet.topics import Board
from rigs.broker import Peer, peer
from rigs.fleet_site import EIGHT, SEVEN, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Two boards and four people."""
    site = Site(tmp_path)
    site.enrol(SEVEN, EIGHT)
    for name, role in (("anna", "observer"), ("ben", "agent"), ("cleo", "operator")):
        site.add_user(name, role)  # type: ignore[arg-type]
    site.add_user("berlin", "agent", sites=("hamburg",))
    site.bring()
    site.broker.start()
    yield site
    site.broker.stop()


def reaches(sender: Peer, reader: Peer, topic: str) -> bool:
    """Whether a message on this topic comes through."""
    payload = topic.encode()
    reader.subscribe(topic)
    sender.publish(topic, payload)
    return _arrived(reader, payload)


def _arrived(reader: Peer, payload: bytes) -> bool:
    """Whether a payload is among what came before the answer to another request."""
    reader.subscribe("nothing")  # answered after everything that the broker had for this client before
    found = False
    while not reader.inbox.empty():
        found |= reader.inbox.get()[1] == payload
    return found


def test_a_board_signs_in_with_its_card_s_files_and_is_told_by_its_will(site: Site) -> None:
    with site.user("anna") as anna:
        anna.subscribe("mien/1/+/+/status")
        with site.board(SEVEN, will=(SEVEN.topic("status"), b'{"online": false}')) as board:
            assert board.code == 0
            board.publish(SEVEN.topic("status"), b'{"online": true}', retain=True)
            assert anna.get() == (SEVEN.topic("status"), b'{"online": true}')
            assert "as berlin/kiosk-7 " in site.broker.log
            with site.board(SEVEN):  # a second one takes its place, and the will is told
                assert board.ended.wait(10)
                assert json.loads(anna.get()[1]) == {"online": False}


def test_nobody_gets_in_without_what_belongs_to_them(site: Site, tmp_path: Path) -> None:
    port, people = site.fleet.record.board_port, site.fleet.record.people_port
    ca = site.files(SEVEN) / "ca.crt"
    other = Fleet.make(tmp_path / "other", FleetRecord(site="berlin", hosts=("127.0.0.1",)))
    stolen = other.enrol(Wanted("kiosk-7")) / "link"
    with peer(port, ca) as nobody:
        assert nobody.code is None
        assert nobody.ended.is_set()
    with peer(port, ca, pair=(stolen / "link.crt", stolen / "link.key")) as foreign:
        assert foreign.code is None
    with peer(port, ca, password=("anna", site.passwords["anna"])) as person:
        assert person.code is None
    with peer(people, ca, websockets=True) as nameless:
        assert nameless.code != 0
    with peer(people, ca, websockets=True, password=("anna", "guess")) as guess:
        assert guess.code != 0
    with peer(people, ca, websockets=True, password=("berlin/kiosk-7", "")) as posing:
        assert posing.code != 0


def test_boards_are_kept_apart(site: Site) -> None:
    with site.board(SEVEN) as seven, site.board(EIGHT) as eight, site.user("cleo") as cleo:
        assert seven.code == eight.code == cleo.code == 0
        for rest in ("status", "health", "event", "answer/cleo", "live/pose"):
            assert reaches(seven, cleo, SEVEN.topic(rest)), rest
            assert not reaches(seven, cleo, EIGHT.topic(rest)), rest
        assert reaches(cleo, seven, SEVEN.topic("command", "operator", "cleo"))
        assert not reaches(cleo, seven, EIGHT.topic("command", "operator", "cleo"))
        assert not reaches(seven, eight, EIGHT.topic("command", "operator", "cleo"))
        assert not reaches(seven, eight, SEVEN.topic("status"))
        assert not reaches(seven, seven, SEVEN.topic("command", "operator", "cleo"))


@pytest.mark.parametrize(("name", "writes", "hears"), [
    ("anna", ("watch/anna", "command/observer/anna"), False),
    ("ben", ("watch/ben", "command/observer/ben", "command/agent/ben", "speech/ben"), True),
    ("cleo", ("watch/cleo", "command/observer/cleo", "command/agent/cleo", "speech/cleo", "command/operator/cleo"),
     True),
])  # fmt: skip
def test_each_role_writes_what_it_may_under_its_own_name(
    site: Site, name: str, writes: tuple[str, ...], hears: bool
) -> None:
    every = [f"{kind}/{user}" for user in ("anna", "ben", "cleo") for kind in
             ("watch", "speech", "command/observer", "command/agent", "command/operator")]  # fmt: skip
    with site.board(SEVEN) as board, site.user(name) as person:
        assert {rest for rest in every if reaches(person, board, SEVEN.topic(rest))} == set(writes)
        for rest in ("status", "health", "event", "live/pose", "live/caption", "live/heard", f"answer/{name}"):
            assert reaches(board, person, SEVEN.topic(rest)), rest
        assert reaches(board, person, SEVEN.topic("live/ear")) is hears
        assert not reaches(board, person, SEVEN.topic("answer/other"))
        for rest in ("status", "health", "event", "live/pose", f"answer/{name}"):
            assert not reaches(person, person, SEVEN.topic(rest)), rest


def test_a_person_of_one_site_sees_no_other_even_when_called_like_it(site: Site) -> None:
    with site.board(SEVEN) as board, site.user("berlin") as berlin:
        assert berlin.code == 0
        assert not reaches(board, berlin, SEVEN.topic("status"))
        assert not reaches(berlin, board, SEVEN.topic("command", "agent", "berlin"))
        assert not reaches(berlin, board, SEVEN.topic("command", "operator", "berlin"))


def test_home_assistant_finds_the_boards_that_it_may_see(site: Site) -> None:
    site.enrol(Board("hamburg", "kiosk-1"))
    site.add_user("house", "observer", sites=("berlin",), home_assistant=True)
    site.add_user("all", "observer", home_assistant=True)
    site.reload()
    topic = "homeassistant/device/mien_berlin_kiosk-7/config"
    with site.board(SEVEN) as seven, site.board(EIGHT) as eight, site.user("house") as house, site.user("all") as every:
        assert reaches(seven, house, topic)
        assert reaches(seven, every, topic)
        assert not reaches(eight, every, topic)
        with site.board(Board("hamburg", "kiosk-1")) as elsewhere, site.user("anna") as anna:
            assert reaches(elsewhere, every, "homeassistant/device/mien_hamburg_kiosk-1/config")
            assert not reaches(elsewhere, house, "homeassistant/device/mien_hamburg_kiosk-1/config")
            assert not reaches(seven, anna, topic)


def test_a_program_signs_in_with_a_certificate(site: Site, tmp_path: Path) -> None:
    site.add_user("exporter", "observer", certificate=True)
    site.reload()
    at = shutil.copytree(site.fleet.folder / "users/exporter", tmp_path / "exporter")
    pair = (at / "user.crt", at / "user.key")
    with (
        site.board(SEVEN) as board,
        peer(site.fleet.record.board_port, at / "ca.crt", pair=pair) as exporter,
    ):
        assert exporter.code == 0
        assert reaches(board, exporter, SEVEN.topic("health"))
        assert not reaches(exporter, board, SEVEN.topic("command", "agent", "exporter"))
    site.fleet.remove_user("exporter")
    site.reload()
    with peer(site.fleet.record.board_port, at / "ca.crt", pair=pair) as exporter:
        assert exporter.code is None


def test_a_revoked_board_has_no_rights_and_never_comes_back(site: Site, tmp_path: Path) -> None:
    card = shutil.copytree(site.files(SEVEN), tmp_path / "card")
    with site.user("anna") as anna, site.board(SEVEN) as seven, site.board(EIGHT) as eight:
        seven.publish(SEVEN.topic("status"), b'{"online": true}', retain=True)
        site.fleet.revoke("kiosk-7")
        site.reload()
        assert not reaches(seven, anna, SEVEN.topic("event"))
        assert reaches(eight, anna, EIGHT.topic("event"))
        with site.user("anna", client_id="berlin/kiosk-7"):  # as `mien fleet disconnect` does
            assert seven.ended.wait(10)
        with site.board(SEVEN, card) as again:
            assert again.code is None
        assert not eight.ended.is_set()
    with site.user("cleo") as cleo:
        cleo.subscribe(SEVEN.topic("status"))
        assert not _arrived(cleo, b'{"online": true}'), "a revoked board's retained state is handed out"
    site.restart()
    with site.board(SEVEN, card) as again, site.board(EIGHT) as eight:
        assert again.code is None
        assert eight.code == 0


def test_a_removed_person_is_out_at_once(site: Site) -> None:
    with site.user("ben") as ben, site.user("anna") as anna:
        site.fleet.remove_user("ben")
        site.reload()
        assert ben.ended.wait(10)
        assert not anna.ended.is_set()
    password = site.passwords["ben"]
    with peer(site.fleet.record.people_port, site.fleet.folder / "users/anna/ca.crt", password=("ben", password),
              websockets=True) as ben:  # fmt: skip
        assert ben.code != 0


def test_a_renewed_board_signs_in_with_the_old_files_and_the_new_ones(site: Site, tmp_path: Path) -> None:
    old = shutil.copytree(site.files(SEVEN), tmp_path / "old")
    site.fleet.renew(["kiosk-7"])
    for files in (old, site.files(SEVEN)):
        with site.board(SEVEN, files) as board:
            assert board.code == 0
    assert site.fleet.revoke("kiosk-7", old_only=True) == 1
    site.reload()
    with site.board(SEVEN, old) as board:
        assert board.code is None
    with site.board(SEVEN) as board:
        assert board.code == 0


@pytest.mark.parametrize("lost", [False, True])
def test_a_second_authority_takes_over_without_a_gap(site: Site, tmp_path: Path, lost: bool) -> None:
    old = shutil.copytree(site.files(SEVEN), tmp_path / "old")
    first = site.fleet.record.authorities[0]
    if lost:
        (site.fleet.folder / "ca" / f"{first}.key").unlink()
    site.fleet.add_authority()
    site.restart()  # mosquitto 2.0 reads authorities only when it starts
    with site.board(SEVEN, old) as board:
        assert board.code == 0
    site.fleet.renew(["kiosk-7", "kiosk-8"])
    site.reload()
    for files in (old, site.files(SEVEN)):
        with site.board(SEVEN, files) as board:
            assert board.code == 0
    assert site.fleet.drop_old() == []
    site.restart()
    with site.board(SEVEN, old) as board:
        assert board.code is None
    with site.board(SEVEN) as board:
        assert board.code == 0, "the new files trust the broker's new certificate"
    assert not (site.fleet.folder / "ca" / f"{first}.crt").exists()


def test_a_message_of_two_megabytes_costs_only_its_sender_s_connection(site: Site) -> None:
    with site.board(SEVEN) as seven, site.board(EIGHT) as eight:
        seven.client.publish(SEVEN.topic("event"), bytes(2_000_000), qos=1)
        wait_until(seven.ended.is_set)
        assert not eight.ended.is_set()
