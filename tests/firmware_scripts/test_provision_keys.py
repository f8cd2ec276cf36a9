"""Keys on the card: who may log in, and who may connect."""

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zmq.auth
from provisioning import takeover
from provisioning.zmq_keys import is_key

from mien.transport.keys import KeyFolder
from rigs.card import PUBLIC_KEY, Card

BLOB = PUBLIC_KEY.split()[1]


@pytest.mark.parametrize("text", [
    PUBLIC_KEY,
    f"\ufeff# mine\r\n\r\n  # indented\r\n{PUBLIC_KEY}\r\n",
    f'from="192.0.2.0/24",command="echo \\"hi\\"" {PUBLIC_KEY}',
    f"\t{PUBLIC_KEY}\n{PUBLIC_KEY} again",
    f"ssh-ed25519 {BLOB}",
])  # fmt: skip
def test_public_keys_are_taken_as_they_are(card: Card, text: str) -> None:
    path = card.put("authorized_keys", text)
    report = card.provision()
    assert report.mistakes == {}
    assert (card.etc / "ssh/authorized_keys").read_text() == text.removeprefix("\ufeff").replace("\r\n", "\n")
    assert card.commands == [["ssh-keygen", "-l", "-f", str(path)]]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_what_ssh_keygen_makes_is_a_key(card: Card, tmp_path: Path, kind: str) -> None:
    made = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a b", "-f", str(tmp_path / "id")]
    subprocess.run(made, check=True, timeout=60)
    card.put("authorized_keys", (tmp_path / "id.pub").read_bytes())
    assert card.provision().mistakes == {}


@pytest.mark.parametrize(("text", "said"), [
    ("", "contains no key"),
    ("# nobody\n\n", "contains no key"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "line 1: this is a private key"),
    (f"{PUBLIC_KEY}\nssh-ed25519 {BLOB[:-8]} cut\n", "line 2: not a public key"),
    (f"ssh-ed25519 {BLOB[:-1]}", "line 1: not a public key"),
    (f"ssh-ed25519 {BLOB}!", "line 1: not a public key"),
    (f"ssh-ed25519 {BLOB[:-4]}", "line 1: not a public key"),
    (f"ssh-rsa {BLOB}", "line 1: not a public key"),
    (f"ssh-dss {BLOB}", "line 1: not a public key"),
    ("ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519").decode(), "line 1: not a public key"),
    ("ssh-ed25519", "line 1: not a public key"),
    (BLOB, "line 1: not a public key"),
    (f"{PUBLIC_KEY}\n\nsomebody\n", "line 3: not a public key"),
    (f"{PUBLIC_KEY}\x0c\n", "line 1: not a public key"),
    (f"{PUBLIC_KEY}\0\n", "line 1: not a public key"),
    (f"# a comment\x0b{PUBLIC_KEY}", "contains no key"),
])  # fmt: skip
def test_what_is_no_public_key_is_named_by_its_line(card: Card, text: str, said: str) -> None:
    card.put("authorized_keys", text)
    report = card.provision()
    assert said in report.mistakes["authorized_keys"]
    assert not card.etc.exists()


def test_ssh_keygen_has_the_last_word(card: Card) -> None:
    card.put("authorized_keys", PUBLIC_KEY)
    card.refuses["ssh-keygen"] = "is not a public key file"
    assert card.provision().mistakes == {"authorized_keys": "ssh-keygen finds no valid key"}


def test_a_folder_that_mien_keys_filled_is_taken_over(card: Card, tmp_path: Path) -> None:
    desk = KeyFolder(card.mien / "keys")
    desk.make_voice_pair()
    for role in ("speaker", "agent", "observer"):
        desk.make_client(f"a_{role}.1-2", role, tmp_path)
    made = {key.user_id: key.public for key in desk.allowed()}
    pair = desk.voice_pair()
    assert card.main() == 0
    board = KeyFolder(card.etc / "mien/keys")
    assert board.voice_pair() == pair
    assert {key.user_id: key.public for key in board.allowed()} == made
    assert len(made) == 3
    assert (card.etc / "mien/keys/voice.key_secret").stat().st_mode & 0o777 == 0o640
    assert (card.etc / "mien/keys/voice.key").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in card.mien.iterdir()] == ["TAKEN.txt"]


def allow(card: Card, tmp_path: Path, name: str = "stack") -> bytes:
    """A client's public key on the card. Returns it."""
    KeyFolder(tmp_path / name).make_client(name, "agent", tmp_path)
    made = tmp_path / name / f"allowed/agent/{name}.key"
    card.put(f"keys/allowed/agent/{name}.key", made.read_text())
    return zmq.auth.load_certificate(made)[0]


def test_a_board_without_a_pair_makes_one_and_tells_its_public_key(card: Card, tmp_path: Path) -> None:
    allow(card, tmp_path)
    report = card.provision()
    assert report.mistakes == {}
    assert "mien/keys/voice.key_secret" in report.taken
    pair = KeyFolder(card.etc / "mien/keys").voice_pair()
    assert pair is not None
    public = (card.mien / "voice.key").read_text()
    assert pair[0].decode() in public
    assert pair[1].decode() not in public
    assert card.main() == 0  # the note to the clients is no mistake at the next start
    assert KeyFolder(card.etc / "mien/keys").voice_pair() == pair


def test_a_pair_is_there_for_good_before_its_public_key_goes_out(card: Card, tmp_path: Path, monkeypatch: Any) -> None:
    synced: list[tuple[str, bool]] = []
    monkeypatch.setattr(takeover, "sync", lambda path: synced.append((path.name, (card.mien / "voice.key").exists())))
    allow(card, tmp_path)
    card.provision()
    assert synced == [("voice.key", False), ("voice.key_secret", False)]


def test_a_pair_that_cannot_be_made_costs_the_clients_nothing(card: Card, tmp_path: Path, monkeypatch: Any) -> None:
    allow(card, tmp_path)
    monkeypatch.setitem(sys.modules, "mien.transport.keys", None)
    report = card.provision()
    assert report.taken == ["mien/keys/allowed/agent/stack.key"]
    assert report.mistakes["keys"].startswith("the voice's key pair could not be made: ModuleNotFoundError")


def test_a_public_key_that_cannot_be_put_on_the_card_is_told(card: Card, tmp_path: Path) -> None:
    allow(card, tmp_path)
    (card.mien / "voice.key").mkdir()
    report = card.provision()
    assert "could not be copied here; it is in " in report.mistakes["voice.key"]
    assert "mien/keys/voice.key_secret" in report.taken


@pytest.mark.parametrize(("name", "said"), [
    ("keys/allowed/boss/stack.key", "not a valid path"),
    ("keys/allowed/agent/stack.key_secret", "not a valid path"),
    ("keys/allowed/agent/stack.key\n", "not a valid path"),
    ("keys/allowed/agent/-stack.key", "not a valid path"),
    ("keys/allowed/agent/st ack.key", "not a valid path"),
    ("keys/allowed/agent/stäck.key", "not a valid path"),
    (f"keys/allowed/agent/{'s' * 65}.key", "not a valid path"),
    ("keys/other.key", "not a valid path"),
    ("keys/voice.key", "this is a secret key"),
    ("keys/allowed/agent/secret.key", "this is a secret key"),
    ("keys/allowed/agent/odd.key", "not a key file"),
])  # fmt: skip
def test_a_key_in_the_wrong_place_is_named(card: Card, tmp_path: Path, name: str, said: str) -> None:
    secret = KeyFolder(tmp_path / "desk").make_client("stack", "agent", tmp_path)
    card.put(name, "0123" if "odd" in name else secret.read_text())
    assert said in card.provision().mistakes[name]
    assert not (card.etc / "mien").exists()


def test_a_name_has_up_to_64_characters(card: Card, tmp_path: Path) -> None:
    allow(card, tmp_path, "s" * 64)
    assert card.provision().mistakes == {}


def test_the_voice_s_secret_key_has_a_secret_in_it(card: Card, tmp_path: Path) -> None:
    KeyFolder(tmp_path).make_voice_pair()
    card.put("keys/voice.key_secret", (tmp_path / "voice.key").read_bytes())
    assert "contains no secret key" in card.provision().mistakes["keys/voice.key_secret"]


GOOD = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"  # of RFC 26's examples


@pytest.mark.parametrize("key", [GOOD, "0" * 40, "%nSc0" * 8])
def test_32_bytes_in_z85_are_a_key(key: str) -> None:
    assert is_key(key)
    assert len(zmq.utils.z85.decode(key)) == 32


@pytest.mark.parametrize("key", [
    "", GOOD[:-1], GOOD + "0", GOOD[:35], GOOD[:-1] + "~", GOOD[:-1] + " ", GOOD[:-1] + "\n", GOOD[:-1] + "é", "#" * 40,
    "0" * 35 + "%nSc1", "%nSc1" + "0" * 35,
])  # fmt: skip
def test_anything_else_is_no_key(key: str) -> None:
    assert not is_key(key)


@pytest.mark.parametrize("lines", [
    f'public-key = "{GOOD[:-1]}"', f'public-key = "{GOOD}0"', f'public-key = "{"#" * 40}"', f"public-key = {GOOD}",
    f'public-key = "{GOOD}" x', f'public-key "{GOOD}"', "public-key =", f'public-key = "{GOOD[:-1]}~"',
    f'public-key = "{GOOD}"\n    public-key = "short"', f'public-key = "short"\n    public-key = "{GOOD}"',
    f'public-key = "{GOOD}"\n    public-key = "{GOOD}"',
])  # fmt: skip
def test_one_damaged_key_is_named_and_the_others_are_taken(card: Card, tmp_path: Path, lines: str) -> None:
    good = allow(card, tmp_path, "good")
    card.put("keys/allowed/agent/bad.key", f"metadata\ncurve\n    {lines}\n")
    report = card.provision()
    assert list(report.mistakes) == ["keys/allowed/agent/bad.key"]
    assert "make a new one with `mien keys make`" in report.mistakes["keys/allowed/agent/bad.key"]
    assert GOOD not in card.note
    assert [key.public for key in KeyFolder(card.etc / "mien/keys").allowed()] == [good]


def test_only_the_keys_of_a_file_are_taken_over(card: Card) -> None:
    card.put("keys/allowed/agent/a.key", f'#  what\nmetadata\n    x = "y"\ncurve\n\tpublic-key="{GOOD}"  \n[Service]\n')
    assert card.provision().mistakes == {}
    text = (card.etc / "mien/keys/allowed/agent/a.key").read_text()
    assert text == f'# A CurveZMQ certificate, imported from the card\ncurve\n    public-key = "{GOOD}"\n'
