"""What a card's files become, and what is said of those that are wrong."""

import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mien.transport.keys import KeyFolder

SCRIPT = Path(__file__).resolve().parents[2] / "firmware_scripts" / "overlay" / "usr/lib/mien/provision"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvYXJkYm9hcmRib2FyZGJvYXJkYm9hcmRib2FyZGJvYXI= somebody"


def load() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("mien_provision", str(SCRIPT))
    spec = importlib.util.spec_from_loader("mien_provision", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mien_provision"] = module  # dataclasses look their module up
    loader.exec_module(module)
    return module


provision = load()


class Card:
    """A card's first partition and a board's data, in a folder; commands are written down and answered."""

    def __init__(self, folder: Path) -> None:
        self.mien = folder / "firmware" / "mien"
        self.etc = folder / "data" / "etc"
        self.mien.mkdir(parents=True)
        self.commands: list[list[str]] = []
        self.refuses: dict[str, str] = {}  # command -> what it says on stderr
        self.board = provision.Board(firmware=folder / "firmware", data=folder / "data", screen=folder / "tty",
                                     run=self._run)

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        self.commands.append(command)
        said = self.refuses.get(command[0], "")
        return subprocess.CompletedProcess(command, 2 if said else 0, "", said)

    def put(self, name: str, text: str) -> None:
        path = self.mien / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def provision(self) -> tuple[list[str], dict[str, str]]:
        result: tuple[list[str], dict[str, str]] = provision.provision(self.board)
        return result


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def test_a_board_is_set_up_and_the_card_holds_no_secret_afterwards(card: Card) -> None:
    card.put("board.toml", 'hostname = "kiosk-7"\nconsole = true\nntp = ["time.example"]\n'
                           '[wifi]\nssid = "Café"\npassphrase = "correct horse"\ncountry = "DE"\n')
    taken, mistakes = card.provision()
    assert mistakes == {}
    assert set(taken) == {"hostname", "console", "timesyncd.conf.d/board.conf", "wpa_supplicant.conf"}
    assert (card.etc / "hostname").read_text() == "kiosk-7\n"
    assert "NTP=time.example" in (card.etc / "timesyncd.conf.d/board.conf").read_text()
    assert [path.name for path in card.mien.iterdir()] == ["TAKEN.txt"]
    assert "correct horse" not in (card.etc / "wpa_supplicant.conf").read_text()


def test_the_wireless_key_is_the_standard_one() -> None:
    # IEEE 802.11i, H.4.3: the test vector for passphrase "password" and SSID "IEEE".
    text = provision.wireless({"ssid": "IEEE", "passphrase": "password", "country": "US"})
    assert "psk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e" in text
    assert f"ssid={b'IEEE'.hex()}" in text


def test_secrets_are_for_root_alone(card: Card) -> None:
    card.put("board.toml", '[wifi]\nssid = "a"\npassphrase = "12345678"\ncountry = "DE"\n')
    card.provision()
    assert (card.etc / "wpa_supplicant.conf").stat().st_mode & 0o777 == 0o600


def test_an_open_network_has_no_key() -> None:
    text = provision.wireless({"ssid": "Hall", "country": "DE"})
    assert "key_mgmt=NONE" in text
    assert "psk" not in text


def test_a_fixed_address(card: Card) -> None:
    card.put("board.toml", '[network]\naddress = "192.168.1.20/24"\ngateway = "192.168.1.1"\ndns = ["192.168.1.1"]\n')
    card.provision()
    lines = (card.etc / "network/10-board.network").read_text().splitlines()
    assert lines[-3:] == ["Address=192.168.1.20/24", "Gateway=192.168.1.1", "DNS=192.168.1.1"]


@pytest.mark.parametrize(("text", "said"), [
    ("hostname = kiosk", "not valid TOML"),
    ('hostname = "Kiosk 7"', "hostname: small letters"),
    ('hostnam = "kiosk"', "hostnam: no such key; the keys here are hostname"),
    ('console = "yes"', "console: must be true or false"),
    ('[wifi]\nssid = "a"\npassphrase = "short"\ncountry = "DE"', "wifi.passphrase: 8 to 63"),
    ('[wifi]\nssid = "a"\npassphrase = "12345678"', "wifi.country: two capital letters"),
    ('[network]\naddress = "192.168.1.20"', "network.address: the prefix is missing"),
    ('[network]\naddress = "192.168.1.20/24"\ndns = ["router"]', "network.dns: 'router' is no address"),
    ('ntp = ["a b"]', "ntp: a list of names"),
])
def test_a_mistake_changes_nothing_and_is_explained_on_the_card(card: Card, text: str, said: str) -> None:
    card.put("board.toml", text)
    taken, mistakes = card.provision()
    assert taken == []
    assert said in mistakes["board.toml"]
    assert said in (card.mien / "MISTAKES.txt").read_text()
    assert (card.mien / "board.toml").read_text() == text
    assert not card.etc.exists()


def test_the_note_goes_when_the_mistake_is_mended(card: Card) -> None:
    card.put("board.toml", "hostname = kiosk")
    card.provision()
    card.put("board.toml", 'hostname = "kiosk"')
    card.provision()
    assert not (card.mien / "MISTAKES.txt").exists()


def test_one_bad_file_does_not_keep_the_others_back(card: Card) -> None:
    card.put("board.toml", "hostname = kiosk")
    card.put("authorized_keys", PUBLIC_KEY + "\n")
    taken, mistakes = card.provision()
    assert taken == ["ssh/authorized_keys"]
    assert list(mistakes) == ["board.toml"]


def test_mien_itself_judges_its_configuration(card: Card) -> None:
    card.put("mien.toml", "[face]\nfsp = 25\n")
    card.refuses["mien"] = f"{card.mien / 'mien.toml'}: face.fsp: no such key; did you mean 'fps'?"
    _, mistakes = card.provision()
    assert mistakes == {"mien.toml": "face.fsp: no such key; did you mean 'fps'?"}
    assert card.commands[0] == ["mien", "check-config", "--file-only", str(card.mien / "mien.toml")]


def test_a_private_key_is_recognised(card: Card) -> None:
    card.put("authorized_keys", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
    _, mistakes = card.provision()
    assert "private key" in mistakes["authorized_keys"]


def test_a_folder_that_mien_keys_filled_is_taken_over(card: Card, tmp_path: Path) -> None:
    desk = KeyFolder(card.mien / "keys")
    desk.make_voice_pair()
    desk.make_client("stack", "speaker", tmp_path)
    made = {key.name: key.public for key in desk.allowed()}
    pair = desk.voice_pair()
    assert card.provision()[1] == {}
    board = KeyFolder(card.etc / "mien/keys")
    assert board.voice_pair() == pair
    assert {key.name: key.public for key in board.allowed()} == made
    assert (card.etc / "mien/keys/voice.key_secret").stat().st_mode & 0o007 == 0
    assert [path.name for path in card.mien.iterdir()] == ["TAKEN.txt"]


def test_a_board_without_a_pair_makes_one_and_tells_its_public_key(card: Card, tmp_path: Path) -> None:
    KeyFolder(tmp_path / "desk").make_client("stack", "agent", tmp_path)
    card.put("keys/allowed/agent/stack.key", (tmp_path / "desk/allowed/agent/stack.key").read_text())
    taken, mistakes = card.provision()
    assert mistakes == {}
    assert "mien/keys/voice.key_secret" in taken
    pair = KeyFolder(card.etc / "mien/keys").voice_pair()
    assert pair is not None
    public = (card.mien / "voice.key").read_text()
    assert pair[0].decode() in public
    assert pair[1].decode() not in public
    assert card.provision() == ([], {})  # the note to the clients is no mistake at the next start


@pytest.mark.parametrize(("name", "said"), [
    ("keys/allowed/boss/stack.key", "not a place for a key"),
    ("keys/allowed/agent/stack.key_secret", "not a place for a key"),
    ("keys/allowed/agent/secret.key", "this is a secret key"),
    ("keys/allowed/agent/odd.key", "not a key file"),
])
def test_a_key_in_the_wrong_place_is_named(card: Card, tmp_path: Path, name: str, said: str) -> None:
    secret = KeyFolder(tmp_path / "desk").make_client("stack", "agent", tmp_path)
    card.put(name, "0123" if "odd" in name else secret.read_text())
    assert said in card.provision()[1][name]
    assert not (card.etc / "mien").exists()


def test_an_unknown_file_is_named(card: Card) -> None:
    card.put("wifi.txt", "x")
    assert "not a file that is known here" in card.provision()[1]["wifi.txt"]


@pytest.mark.parametrize(("name", "command"), [
    ("mien/mien.toml", ["systemctl", "--no-block", "try-restart", "mien.target"]),
    ("ssh/authorized_keys", ["systemctl", "--no-block", "start", "ssh.service"]),
    ("network/10-board.network", ["networkctl", "reload"]),
])
def test_the_running_system_follows(card: Card, name: str, command: list[str]) -> None:
    provision.apply(card.board, [name])
    assert card.commands == [command]


def test_mistakes_are_shown_while_the_face_leaves_the_screen_alone(card: Card, monkeypatch: Any) -> None:
    monkeypatch.setattr(provision.time, "sleep", lambda _: card.commands.append(["sleep"]))
    provision.show_mistakes(card.board, {"board.toml": "hostname: wrong"})
    assert "hostname: wrong" in (card.board.screen).read_text()
    assert [command[-2:] for command in card.commands] == [["stop", "mien.target"], ["sleep"], ["start", "mien.target"]]


def test_what_is_wiped_was_overwritten_first(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("passphrase")
    with secret.open("rb") as still_open:
        provision.wipe(secret)
        assert still_open.read() == b"\0" * len("passphrase")
    assert not secret.exists()


def test_free_space_is_filled_with_zeros_and_given_back(tmp_path: Path, monkeypatch: Any) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(provision.shutil, "disk_usage", lambda _: type("Usage", (), {"free": (1 << 20) + 5})())
    monkeypatch.setattr(provision.os, "fsync", lambda _: written.append((tmp_path / ".filler").read_bytes()))
    provision.wipe_free_space(tmp_path)
    assert written == [bytes((1 << 20) + 5)]
    assert list(tmp_path.iterdir()) == []
