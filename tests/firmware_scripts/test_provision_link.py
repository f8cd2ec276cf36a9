"""The folder link on the card: a board's place in a fleet."""

import shutil
import subprocess
from pathlib import Path

import pytest
from provisioning.link_files import NAMES

from mien.enrolment.boards_csv import Wanted
from mien.enrolment.fleet import Fleet
from mien.enrolment.registry import FleetRecord
from mien.link.config import load_link_config
from rigs.card import Card

RESTART = ["systemctl", "--no-block", "restart", "mien-link"]
TARGET = ["systemctl", "--no-block", "try-restart", "mien.target"]
NOTHING = "nothing of this folder was imported, because its files belong together"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet.make(tmp_path / "fleet", FleetRecord(site="berlin", hosts=("broker.example",)))


def bring(card: Card, fleet: Fleet, name: str = "kiosk-7") -> Path:
    """A board's files on the card, as somebody copies them. Returns where they came from."""
    made = fleet.enrol(Wanted(name)) / "link"
    shutil.copytree(made, card.mien / "link")
    return made


def test_what_mien_fleet_board_makes_is_taken_and_the_key_leaves_the_card(card: Card, fleet: Fleet) -> None:
    made = bring(card, fleet)
    wanted = {path.name: path.read_text() for path in made.iterdir()}
    assert card.main() == 0
    stored = card.etc / "mien/link"
    assert {path.name: path.read_text() for path in stored.iterdir()} == wanted
    assert load_link_config(stored / "link.toml").place.user == "berlin/kiosk-7"
    assert (stored / "link.key").stat().st_mode & 0o777 == 0o640
    assert (stored / "link.crt").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in card.mien.iterdir()] == ["TAKEN.txt"]
    assert card.free_bytes == [], "free space was overwritten"
    assert RESTART in card.commands
    assert TARGET not in card.commands, "speech does not end for what only the link reads"


def test_a_board_without_mien_link_is_no_mistake(card: Card, fleet: Fleet) -> None:
    bring(card, fleet)
    card.refuses["systemctl"] = "Unit mien-link.service not found."
    assert card.main() == 0


def test_a_renewed_certificate_comes_without_the_rest(card: Card, fleet: Fleet) -> None:
    bring(card, fleet)
    card.provision()
    made = fleet.renew(["kiosk-7"])["kiosk-7"] / "link"
    for name in ("link.crt", "link.key"):
        card.put(f"link/{name}", (made / name).read_bytes())
    card.free_bytes = [5]
    assert card.provision().mistakes == {}
    assert (card.etc / "mien/link/link.key").read_bytes() == (made / "link.key").read_bytes()


@pytest.mark.parametrize("name", ["link.crt", "link.key"])
def test_half_a_renewed_pair_changes_nothing(card: Card, fleet: Fleet, name: str) -> None:
    bring(card, fleet)
    card.provision()
    before = {path.name: path.read_bytes() for path in (card.etc / "mien/link").iterdir()}
    made = fleet.renew(["kiosk-7"])["kiosk-7"] / "link"
    card.put(f"link/{name}", (made / name).read_bytes())
    assert card.provision().mistakes == {"link": "the key is not the one of the certificate"}
    assert {path.name: path.read_bytes() for path in (card.etc / "mien/link").iterdir()} == before
    assert (card.mien / "link" / name).exists()


@pytest.mark.parametrize(("name", "content", "said"), [
    ("link.toml", "board = 1", "link.toml: Expected `object`, got `int` - at `$.board`"),
    ("link.toml", "[board]\nsite = 'Berlin'\nname = 'a'\n[broker]\nhost = 'b'\n", "site 'Berlin': use 1 to 32"),
    ("link.toml", "[board]\nsite = 'berlin'\nname = 'kiosk-7'\n[broker]\nhost = 'b'\ncertificate = 'link.crt'\n",
     "broker.certificate and broker.key go together"),
    ("link.toml", "[board]\nsite = 'berlin'\nname = 'kiosk-8'\n[broker]\nhost = 'b'\ncertificate = 'link.crt'\n"
     "key = 'link.key'\n", "is the certificate of 'berlin/kiosk-7', but link.toml is that of 'berlin/kiosk-8'"),
    ("link.toml", "[board]\nsite = 'berlin'\nname = 'kiosk-7'\n[broker]\nhost = 'b'\nca = '/etc/shadow'\n",
     "broker.ca = '/etc/shadow': name one of"),
    ("link.toml", "[board]\nsite = 'berlin'\nname = 'kiosk-7'\n[broker]\nhost = 'b'\npassword_file = 'password'\n",
     "password is missing, here and on the board"),
])  # fmt: skip
def test_files_that_do_not_fit_are_refused_together(
    card: Card, fleet: Fleet, name: str, content: str, said: str
) -> None:
    bring(card, fleet)
    card.put(f"link/{name}", content)
    assert said in card.provision().mistakes["link"]
    assert not (card.etc / "mien").exists()
    assert len(list((card.mien / "link").iterdir())) == 4


@pytest.mark.parametrize(("name", "content", "said"), [
    ("link.crt", "hello", "holds no certificate"),
    ("link.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged certificate"),
    ("ca.crt", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "only certificates belong here"),
    ("link.key", "hello", "no private key in PEM"),
    ("link.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "a passphrase"),
    ("link.key", b"\xff\xfe", "not UTF-8"),
    ("link.key", b"#" * 100_000, "larger than 64 KiB"),
    ("password", "two\nlines\n", "one line of at most 512"),
    ("password", "", "one line of at most 512"),
    ("other.txt", "x", "unknown file: the folder link holds link.toml"),
    ("link/link.toml", "x", "unknown file: the folder link holds link.toml"),
])  # fmt: skip
def test_a_file_that_is_none_keeps_the_others_on_the_card(
    card: Card, fleet: Fleet, name: str, content: str | bytes, said: str
) -> None:
    bring(card, fleet)
    card.put("board.toml", 'hostname = "kiosk-7"')
    card.put(f"link/{name}", content)
    report = card.provision()
    assert said in report.mistakes[f"link/{name}"]
    assert report.mistakes["link"] == NOTHING
    assert report.taken == ["hostname"], "other settings are taken all the same"
    assert not (card.etc / "mien").exists()
    assert (card.mien / "link/link.toml").exists()


def test_a_key_that_is_damaged_is_told_without_quoting_it(card: Card, fleet: Fleet) -> None:
    made = bring(card, fleet)
    lines = (made / "link.key").read_text().splitlines()
    lines[1] = lines[1][::-1]
    card.put("link/link.key", "\n".join(lines))
    said = card.provision().mistakes["link"]
    assert "certificate and key cannot be used" in said
    assert lines[1] not in said


def test_a_key_with_a_passphrase_in_the_old_form_asks_nobody(card: Card, fleet: Fleet) -> None:
    bring(card, fleet)
    key = card.mien / "link/link.key"
    subprocess.run(["openssl", "ec", "-in", str(key), "-aes128", "-passout", "pass:x", "-out", str(key)], check=True,
                   capture_output=True)  # fmt: skip
    assert "has a passphrase" in card.provision().mistakes["link/link.key"]


def test_a_password_in_place_of_a_certificate(card: Card) -> None:
    card.put("link/link.toml", "[board]\nsite = 'berlin'\nname = 'kiosk-7'\n[broker]\nhost = 'b'\nca = ''\n"
                               "user = 'berlin/kiosk-7'\npassword_file = 'password'\n")  # fmt: skip
    card.put("link/password", " correct horse\r\n")
    assert card.main() == 0
    assert (card.etc / "mien/link/password").read_text() == "correct horse\n"
    assert (card.etc / "mien/link/password").stat().st_mode & 0o777 == 0o640


def test_text_around_a_certificate_is_left_out(card: Card, fleet: Fleet) -> None:
    made = bring(card, fleet)
    pem = (made / "link.crt").read_text()
    card.put("link/link.crt", "Bag Attributes\r\n  x: y\r\n" + pem.replace("\n", "\r\n"))
    assert card.provision().mistakes == {}
    assert (card.etc / "mien/link/link.crt").read_text() == pem


def test_an_empty_board_needs_link_toml(card: Card, fleet: Fleet) -> None:
    bring(card, fleet)
    (card.mien / "link/link.toml").unlink()
    assert "link.toml is missing, here and on the board" in card.provision().mistakes["link"]


def test_every_name_is_in_the_card_s_readme_or_rare() -> None:
    readme = (Path(__file__).parents[2] / "firmware_scripts/boot/README.txt").read_text()
    assert all(name in readme for name in NAMES if name not in ("password", "update-token", "update-ca.crt"))
