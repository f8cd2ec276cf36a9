"""mien fleet, and mien watch --fleet."""

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from mien.cli import main
from mien.cli.fleet_table import fleet_table
from mien.cli.fleet_watch import FleetView
from mien.enrolment.client_config import load_client_config
from mien.fleet.overview import Overview
from mien.fleet.status import Call, Health, Status, will
from rigs.fleet_site import EIGHT, SEVEN, Site


def mien(*arguments: object, **options: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = mien("fleet", "--folder", tmp_path / "berlin", "new", "berlin", "--broker", "broker.example")
    assert made.exit_code == 0, made.output
    return tmp_path / "berlin"


def fleet(folder: Path, *arguments: object) -> Result:
    return mien("fleet", "--folder", folder, *arguments)


def test_a_fleet_is_private(folder: Path) -> None:
    fleet(folder, "board", "kiosk-7")
    fleet(folder, "user", "anna", "--keep-password")
    everything = [folder, *folder.rglob("*")]
    assert len(everything) > 20
    assert [path for path in everything if path.stat().st_mode & 0o077] == []


def test_a_password_is_shown_once_and_stored_nowhere(folder: Path) -> None:
    made = fleet(folder, "user", "anna", "--role", "agent")
    password = made.stdout.split()[-1]
    assert len(password) > 20
    assert password not in "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    config = load_client_config(folder / "users/anna/fleet.toml")
    assert (config.broker.host, config.broker.user) == ("broker.example", "anna")
    kept = fleet(folder, "user", "ben", "--keep-password").stdout.split()[-1]
    assert (folder / "users/ben/password").read_text().strip() == kept


def test_a_batch_is_enrolled_whole_or_not_at_all(folder: Path, tmp_path: Path) -> None:
    batch = tmp_path / "boards.csv"
    batch.write_text("name,site,ear\nkiosk-1,,yes\nkiosk-2,hamburg,\nkiosk-1,,\n")
    refused = fleet(folder, "board", "--csv", batch)
    assert refused.exit_code == 2
    assert "berlin/kiosk-1 is enrolled already, or named twice" in refused.stderr
    assert not (folder / "boards").exists()
    batch.write_text("name,site,ear\nkiosk-1,,yes\nkiosk-2,hamburg,\n")
    made = fleet(folder, "board", "--csv", batch)
    assert made.exit_code == 0
    assert made.stdout.split() == [
        str(folder / f"boards/{place}/mien") for place in ("berlin/kiosk-1", "hamburg/kiosk-2")
    ]
    assert "ear = true" in (folder / "boards/berlin/kiosk-1/mien/link/link.toml").read_text()


@pytest.mark.parametrize(("text", "said"), [
    ("", "no column `name`"),
    ("name\n", "names no board"),
    ("name,colour\na,b\n", "unknown column colour"),
    ("name,name\na,b\n", "or one twice"),
    ("name,ear\na,perhaps\n", "line 2: ear is 'perhaps'; write yes or no"),
    ("name\na,b,c\n", "line 2 has more fields"),
    ("name\nKiosk 7\n", "board 'Kiosk 7': use 1 to 32"),
    ('name\n"a\n', "no CSV in UTF-8"),
])  # fmt: skip
def test_a_batch_with_a_mistake_says_where(folder: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "boards.csv").write_text(text)
    refused = fleet(folder, "board", "--csv", tmp_path / "boards.csv")
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_zips_unpack_onto_a_card(folder: Path, tmp_path: Path) -> None:
    made = fleet(folder, "board", "kiosk-7", "--zip", tmp_path / "kiosk-7.zip")
    assert made.stdout.split() == [str(tmp_path / "kiosk-7.zip")]
    assert (tmp_path / "kiosk-7.zip").stat().st_mode & 0o077 == 0
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", str(tmp_path / "kiosk-7.zip"), str(tmp_path / "card")], check=True
    )
    assert {path.name for path in (tmp_path / "card/mien/link").iterdir()} == {
        "link.toml",
        "link.crt",
        "link.key",
        "ca.crt",
    }
    assert not (folder / "boards").exists()


@pytest.mark.parametrize(("arguments", "said"), [
    (("board", "kiosk-7", "--site", "Nord"), "site 'Nord': use 1 to 32"),
    (("board",), "name one board"),
    (("board", "a" * 32, "--site", "b" * 32), "together have more than 63"),
    (("user", "Anna"), "user 'Anna': use 1 to 32"),
    (("user", "anna", "--remove"), "there is no user 'anna'"),
    (("revoke", "kiosk-9"), "there is no board 'berlin/kiosk-9'"),
    (("rotate", "kiosk-9"), "there is no board 'berlin/kiosk-9'"),
    (("new", "--drop-old-ca", "--renew-ca"), "two steps"),
    (("new", "berlin"), "there is a fleet already"),
    (("new",), "name the SITE"),
])  # fmt: skip
def test_what_is_refused_says_why(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = fleet(folder, *arguments)
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_a_folder_without_a_fleet(tmp_path: Path) -> None:
    refused = fleet(tmp_path, "board", "kiosk-7")
    assert refused.exit_code == 2
    assert "no fleet is here" in refused.stderr


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A broker, two boards and Anna, whose password is in the environment."""
    site = Site(tmp_path)
    site.enrol(SEVEN, EIGHT)
    site.add_user("anna", "observer")
    monkeypatch.setenv("MIEN_FLEET_PASSWORD", site.passwords["anna"])
    site.restart()
    yield site
    site.broker.stop()


def status(site: Site, *arguments: str) -> Result:
    return mien("fleet", "status", "--config", site.fleet.folder / "users/anna/fleet.toml", *arguments)


def test_the_status_of_a_fleet_from_its_broker(site: Site) -> None:
    assert status(site).exit_code == 0
    with site.board(SEVEN) as seven, site.board(EIGHT) as eight:
        for place, board in ((SEVEN, seven), (EIGHT, eight)):
            told = Status(online=True, level="full", ear="ok", version="0.2.0")
            board.publish(place.topic("status"), msgspec.json.encode(told), retain=True)
            board.publish(place.topic("health"), msgspec.json.encode(Health(fps=30.0)), retain=True)
        found = status(site)
        assert found.exit_code == 0, found.output
        assert "2 boards, 0 visits: all is well" in found.stdout
        eight.publish(EIGHT.topic("status"), will(), retain=True)
        found = status(site, "--json")
        assert found.exit_code == 1
        told = json.loads(found.stdout)
        assert [(row["board"], row["need"]) for row in told["boards"]] == [
            ("berlin/kiosk-8", "offline"), ("berlin/kiosk-7", "none"),
        ]  # fmt: skip
        assert told["boards"][1]["health"]["fps"] == 30.0
        watched = mien("watch", "--fleet", site.fleet.folder / "users/anna/fleet.toml", "--once", "--json")
        assert watched.exit_code == 1
        assert json.loads(watched.stdout)["summary"] == told["summary"]


def test_a_thousand_boards_come_whole(site: Site) -> None:
    with site.board(SEVEN) as seven:
        assert seven.code == 0
    lines = [f"user {SEVEN.user}"]
    for number in range(1000):
        lines.append(f"topic write mien/1/berlin/b{number}/status")
    (site.fleet.folder / "broker/acl").write_text(
        (site.fleet.folder / "broker/acl").read_text() + "\n".join(lines) + "\n"
    )
    site.reload()
    payload = msgspec.json.encode(Status(online=True, level="full", ear="ok"))
    with site.board(SEVEN) as seven:
        for number in range(1000):
            last = seven.client.publish(f"mien/1/berlin/b{number}/status", payload, qos=1, retain=True)
        last.wait_for_publish(20)
    found = json.loads(status(site, "--json").stdout)
    assert found["summary"]["boards"] == 1000


def test_who_is_not_let_in_is_told_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_FLEET_PASSWORD", "guess")
    refused = status(site)
    assert refused.exit_code == 2
    assert "does not let you in" in refused.stderr
    monkeypatch.delenv("MIEN_FLEET_PASSWORD")
    assert status(site).exit_code == 0, "the password beside fleet.toml is taken"
    (site.fleet.folder / "users/anna/password").unlink()
    assert "there is no password" in status(site).stderr


def test_a_broker_that_is_gone_or_another_s(site: Site) -> None:
    config = site.fleet.folder / "users/anna/fleet.toml"
    other = Site(site.fleet.folder.parent / "other")
    (config.parent / "ca.crt").write_bytes((other.fleet.folder / "broker/ca.crt").read_bytes())
    refused = status(site)
    assert refused.exit_code == 2
    assert "its certificate is not the fleet's" in refused.stderr
    site.broker.stop()
    gone = status(site)
    assert gone.exit_code == 3
    assert "does not answer" in gone.stderr


def test_disconnect_ends_a_board_s_connection(site: Site) -> None:
    with site.board(SEVEN) as seven:
        ended = mien("fleet", "disconnect", "berlin/kiosk-7", "--config", site.fleet.folder / "users/anna/fleet.toml")
        assert ended.exit_code == 0, ended.output
        assert seven.ended.wait(10)


def test_the_live_table_in_a_terminal(site: Site) -> None:
    """A real terminal: the table appears, and q ends it."""
    main_end, other_end = pty.openpty()
    command = [sys.executable, "-m", "mien", "watch", "--fleet", str(site.fleet.folder / "users/anna/fleet.toml")]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "30"}
    with (
        subprocess.Popen(command, stdin=other_end, stdout=other_end, stderr=other_end, env=env) as process,
        site.board(SEVEN) as seven,
    ):
        os.close(other_end)
        seven.publish(SEVEN.topic("status"), msgspec.json.encode(Status(online=True, level="silent")), retain=True)
        seen = read_until(main_end, b"level silent")
        assert b"berlin/kiosk-7" in seen
        os.write(main_end, b"q")
        read_until(main_end, None)
        assert process.wait(5) == 0
    os.close(main_end)


def read_until(descriptor: int, wanted: bytes | None) -> bytes:
    """What a terminal shows until something appears, or until its program ends."""
    seen, until_s = b"", time.monotonic() + 20
    while wanted is None or wanted not in seen:
        assert time.monotonic() < until_s, seen[-2000:]
        if not select.select([descriptor], [], [], 0.2)[0]:
            continue
        try:
            seen += os.read(descriptor, 65536)
        except OSError:  # Linux: the other end is closed
            assert wanted is None, seen[-2000:]
            break
    return seen


def drawn(overview: Overview, **options: int) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=True, color_system=None, markup=False)
    console.print(fleet_table(overview, 0.0, **options))
    return console.file.getvalue()


def test_what_a_board_says_cannot_steer_the_terminal() -> None:
    overview = Overview()
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\n[bold]x[/bold]"
    told = Status(online=True, level="full", ear=evil, version=evil, call=Call(call="c", since=0, language=evil))
    overview.take("mien/1/berlin/a/status", msgspec.json.encode(told), 0.0)
    text = drawn(overview)
    assert "\x1b" not in text.replace("\x1b[0m", "")
    assert "\x07" not in text
    assert "\u202e" not in text
    assert len(text.splitlines()) < 30


def test_a_screen_holds_what_fits_and_keys_move_it() -> None:
    view = FleetView(lines=10)
    for number in range(1000):
        told = Status(online=True, level="full" if number else "silent", ear="ok")
        view.overview.take(f"mien/1/berlin/b{number:03}/status", msgspec.json.encode(told), 0.0)
    assert drawn(view.overview, first=0, most=10).count("berlin/") == 10
    for key, first in (("down", 1), ("page down", 11), ("up", 10), ("page up", 0), ("up", 0), (None, 0)):
        view.press(key)
        assert view.first == first
    view.press("n")
    console = Console(file=io.StringIO(), width=160)
    console.print(view.render(0.0, ""))
    assert console.file.getvalue().count("berlin/") == 1
    view.press("q")
    assert view.quit


def test_the_bell_rings_once_for_each_board_that_begins_to_need_somebody() -> None:
    view = FleetView(lines=10)
    view.overview.take("mien/1/berlin/a/status", will(), 0.0)
    assert not view.rings(0.0), "off at first"
    view.press("b")
    assert not view.rings(0.0), "known already"
    view.overview.take("mien/1/berlin/b/status", will(), 0.0)
    assert view.rings(0.0)
    assert not view.rings(0.0)
