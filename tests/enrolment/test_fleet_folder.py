"""The fleet's folder over the years: what is due, what a check finds, what survives a mistake."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mien.enrolment import certificates, storage
from mien.enrolment.boards_csv import Wanted
from mien.enrolment.check import Finding, check
from mien.enrolment.fleet import AUTHORITY_DAYS, BOARD_DAYS, SERVER_DAYS, Fleet
from mien.enrolment.passwords import hashed, is_right, make_password
from mien.enrolment.registry import FleetRecord, load
from mien.errors import ConfigError, FleetError, StorageError


class Clock:
    """UTC that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fleet(tmp_path: Path, clock: Clock) -> Fleet:
    fleet = Fleet.make(tmp_path / "fleet", FleetRecord(site="berlin", hosts=("broker.example", "192.0.2.7")), clock)
    fleet.enrol_all([Wanted("kiosk-7"), Wanted("kiosk-8", "hamburg")])
    return fleet


def reopened(fleet: Fleet, clock: Clock) -> Fleet:
    return Fleet(fleet.folder, clock)


def found(fleet: Fleet, clock: Clock, level: str) -> list[str]:
    return [each.what for each in check(fleet, clock.now) if each.level == level]


def test_everything_is_in_the_registry_for_the_next_command(fleet: Fleet, clock: Clock) -> None:
    fleet.add_user("anna", "agent", sites=("berlin",))
    fleet.revoke("kiosk-7")
    assert reopened(fleet, clock).record == fleet.record
    assert set(fleet.record.boards) == {"hamburg/kiosk-8"}
    assert [each.name for each in fleet.record.revoked] == ["berlin/kiosk-7"]


def test_openssl_agrees(fleet: Fleet, tmp_path: Path) -> None:
    """Chain, purposes, names and revocation list, seen by another program."""
    made = shutil.copytree(fleet.folder / "boards/berlin/kiosk-7/mien/link", tmp_path / "card")
    broker = fleet.folder / "broker"

    def openssl(*arguments: object) -> str:
        ran = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
        return ran.stdout + ran.stderr

    now = ("-attime", int(fleet.record.boards["berlin/kiosk-7"].certificates[0].issued) + 60)
    verify = ("verify", "-x509_strict", *now, "-CAfile", broker / "ca.crt")
    assert "OK" in openssl(*verify, "-purpose", "sslclient", made / "link.crt")
    assert "OK" not in openssl(*verify, "-purpose", "sslserver", made / "link.crt")
    for host in (("-verify_hostname", "broker.example"), ("-verify_ip", "192.0.2.7")):
        assert "OK" in openssl(*verify, "-purpose", "sslserver", *host, broker / "server.crt")
    assert "OK" not in openssl(*verify, "-verify_hostname", "other.example", broker / "server.crt")
    assert "CN = berlin/kiosk-7" in openssl("x509", "-in", made / "link.crt", "-noout", "-subject")
    fleet.revoke("kiosk-7")
    listed = (*verify, "-crl_check", "-CRLfile", broker / "crl.pem")
    assert "certificate revoked" in openssl(*listed, made / "link.crt")
    assert "OK" in openssl(*listed, fleet.folder / "boards/hamburg/kiosk-8/mien/link/link.crt")


def test_a_fresh_fleet_needs_nothing(fleet: Fleet, clock: Clock) -> None:
    assert [each for each in check(fleet, clock.now) if each.level != "note"] == []
    assert found(fleet, clock, "note") == [f"the keys of 2 boards are still in {fleet.folder / 'boards'}"]


def test_what_ends_soon_is_due_and_renewed_in_time(fleet: Fleet, clock: Clock) -> None:
    clock.pass_days(BOARD_DAYS - 80)
    assert fleet.due(90) == ["berlin/kiosk-7", "hamburg/kiosk-8"]
    assert found(fleet, clock, "due") == [
        "the certificate of board berlin/kiosk-7 ends in 80 days",
        "the certificate of board hamburg/kiosk-8 ends in 80 days",
    ]  # fmt: skip
    assert set(fleet.renew(fleet.due(90))) == {"berlin/kiosk-7", "hamburg/kiosk-8"}
    assert fleet.due(90) == []
    assert len(fleet.record.boards["berlin/kiosk-7"].certificates) == 2, "the old one is valid beside the new one"
    clock.pass_days(81)
    fleet.renew(["kiosk-7"])
    assert len(fleet.record.boards["berlin/kiosk-7"].certificates) == 2, "the first has expired"


def test_the_broker_s_certificate_is_renewed_too(fleet: Fleet, clock: Clock) -> None:
    clock.pass_days(SERVER_DAYS - 30)
    assert "the broker's certificate ends on 2030-12-31" in found(fleet, clock, "due")
    assert fleet.due(90)[0] == "broker"
    fleet.renew(["broker"])
    assert "broker" not in fleet.due(90)


def test_an_authority_is_due_two_years_before_and_nothing_outlives_it(fleet: Fleet, clock: Clock) -> None:
    clock.pass_days(AUTHORITY_DAYS - 700)
    assert any("the authority" in what for what in found(fleet, clock, "due"))
    fleet.renew(["kiosk-7"])
    ends = certificates.expiry(fleet.newest.certificate).timestamp()
    assert fleet.record.boards["berlin/kiosk-7"].certificates[-1].expires == ends
    clock.pass_days(701)
    with pytest.raises(FleetError, match="expired on"):
        fleet.renew(["kiosk-7"])


def test_a_second_authority_waits_for_all_boards(fleet: Fleet, clock: Clock) -> None:
    old = fleet.record.authorities[0]
    new = fleet.add_authority()
    assert fleet.record.server is not None
    assert fleet.record.server.authority == old, "boards in the field do not know the new one"
    with pytest.raises(ConfigError, match="two authorities"):
        fleet.add_authority()
    fleet.renew(["kiosk-7"])
    with pytest.raises(ConfigError, match=r"1 still have .*hamburg/kiosk-8"):
        fleet.drop_old()
    assert reopened(fleet, clock).record.authorities == [old, new]
    assert fleet.drop_old(force=True) == ["hamburg/kiosk-8"]
    assert fleet.record.server.authority == new
    assert found(fleet, clock, "bad") == ["board hamburg/kiosk-8 has no certificate"]
    fleet.renew(["hamburg/kiosk-8"])
    assert found(fleet, clock, "bad") == []


def test_a_lost_key_of_the_authority_stops_what_needs_it_and_says_the_way_out(fleet: Fleet, clock: Clock) -> None:
    old = fleet.record.authorities[0]
    (fleet.folder / "ca" / f"{old}.key").unlink()
    assert found(fleet, clock, "bad") == [f"the key of the authority {old} is not here"]
    with pytest.raises(ConfigError, match="--renew-ca"):
        fleet.enrol(Wanted("kiosk-9"))
    fleet = reopened(fleet, clock)
    with pytest.raises(FleetError, match="cannot be put on its revocation list; it has no rights"):
        fleet.revoke("kiosk-7")
    assert "user berlin/kiosk-7" not in (fleet.folder / "broker/acl").read_text()
    assert any("are not on the list" in what for what in found(fleet, clock, "bad"))
    fleet.add_authority()
    fleet.renew(["hamburg/kiosk-8"])
    fleet.drop_old()
    assert found(fleet, clock, "bad") == []


@pytest.mark.parametrize(("harm", "said"), [
    (lambda folder: (folder / "broker/acl").write_text("topic #\n"), "broker/acl is missing, or is not what"),
    (lambda folder: (folder / "broker/passwd").unlink(), "broker/passwd is missing, or is not what"),
    (lambda folder: (folder / "broker/server.key").unlink(), "the broker's certificate cannot be used"),
    (lambda folder: (folder / "broker/server.key").write_text("x"), "the broker's certificate cannot be used"),
    (lambda folder: (folder / "fleet.json").chmod(0o640), "fleet.json can be read by others"),
    (lambda folder: (folder / "ca").chmod(0o755), "ca can be read by others"),
    (lambda folder: next((folder / "ca").glob("*.crl")).write_text("x"), "no revocation list"),
    (lambda folder: next((folder / "ca").glob("*.crt")).unlink(), ".crt: No such file"),
])  # fmt: skip
def test_a_check_finds_what_was_harmed(fleet: Fleet, clock: Clock, harm: object, said: str) -> None:
    harm(fleet.folder)  # type: ignore[operator]
    assert any(said in what for what in found(fleet, clock, "bad"))


def test_the_next_command_repairs_what_follows_from_the_registry(fleet: Fleet, clock: Clock) -> None:
    next((fleet.folder / "ca").glob("*.crl")).write_text("x")
    (fleet.folder / "broker/acl").unlink()
    reopened(fleet, clock).renew([])
    assert found(fleet, clock, "bad") == []


def test_a_folder_that_was_not_made_to_its_end_says_so(fleet: Fleet) -> None:
    fleet.record.authorities = []
    with pytest.raises(ConfigError, match="was not made to its end"):
        fleet.enrol(Wanted("kiosk-9"))


def test_what_belonged_to_somebody_who_is_gone_is_deleted(fleet: Fleet) -> None:
    fleet.add_user("anna", "agent", keep_password=True)
    fleet.remove_user("anna")
    fleet.revoke("kiosk-7")
    assert not (fleet.folder / "users/anna").exists()
    assert not (fleet.folder / "boards/berlin/kiosk-7").exists()


def test_another_s_key_or_host_is_found(fleet: Fleet, clock: Clock, tmp_path: Path) -> None:
    other = Fleet.make(tmp_path / "other", FleetRecord(site="berlin", hosts=("broker.example",)), clock)
    for name in ("server.crt", "server.key"):
        (fleet.folder / "broker" / name).write_bytes((other.folder / "broker" / name).read_bytes())
    assert found(fleet, clock, "bad") == [
        "no trusted authority issued the broker's certificate", "the broker's certificate is not for 192.0.2.7",
    ]  # fmt: skip


def test_the_worst_comes_first(fleet: Fleet, clock: Clock) -> None:
    clock.pass_days(BOARD_DAYS - 10)
    (fleet.folder / "broker/acl").unlink()
    levels = [each.level for each in check(fleet, clock.now)]
    assert levels == sorted(levels, key=("bad", "due", "note").index)
    assert all(isinstance(each, Finding) and each.remedy for each in check(fleet, clock.now))


def test_a_newer_list_is_newer_even_within_a_second(fleet: Fleet) -> None:
    first = fleet.newest
    one = certificates.revocation_list(first, ["1"], datetime(2026, 1, 1, tzinfo=UTC), None)
    two = certificates.revocation_list(first, ["1", "2"], datetime(2026, 1, 1, tzinfo=UTC), one)
    assert certificates.revoked_in(two) == {f"{number:040x}" for number in (1, 2)}
    assert two != one


def test_a_full_disk_changes_nothing(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = load(fleet.folder)
    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        fleet.enrol(Wanted("kiosk-9"))
    assert load(fleet.folder) == before
    assert list(fleet.folder.rglob("*.part")) == []


def test_two_commands_at_a_time_are_one_too_many(fleet: Fleet) -> None:
    with (
        storage.locked(fleet.folder),
        pytest.raises(ConfigError, match="another `mien fleet` works here"),
        storage.locked(fleet.folder),
    ):
        pass


def test_passwords_are_long_and_mosquitto_s_tool_would_know_them() -> None:
    password = make_password()
    assert len(password) == 27
    assert password != make_password()
    assert is_right(password, hashed(password))
    assert not is_right(password + "x", hashed(password))
    for other in ("", "$6$a$b", "$7$x$eA==$eA==", "$7$1$*$*"):
        assert not is_right(password, other)


def test_mosquitto_passwd_makes_what_we_read(tmp_path: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(tmp_path / "passwd"), "anna", "correct horse"], check=True)
    line = (tmp_path / "passwd").read_text().strip()
    assert is_right("correct horse", line.partition(":")[2])
