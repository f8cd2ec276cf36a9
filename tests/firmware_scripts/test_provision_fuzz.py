"""Cards full of anything: provisioning takes what is good, tells of the rest, and writes only lines of its own."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provisioning.board_toml import board_files
from provisioning.files import MOST_BYTES, read_toml
from provisioning.mistake import Mistake

from rigs.card import PUBLIC_KEY, SSH_START, Card

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
# What a line of each file may be, whatever was on the card.
ADDRESS = r"[0-9a-f.:]+"
LINES = {
    "hostname": r"[a-z0-9-]{1,63}",
    "console": "",
    "timesyncd.conf.d/board.conf": r"\[Time\]|NTP=[A-Za-z0-9:][A-Za-z0-9.: -]*",
    "network/10-board.network": r"\[Match\]|Name=en\* eth\* usb\* wl\*||\[Network\]|"
    rf"Address={ADDRESS}/\d+|Gateway={ADDRESS}|DNS={ADDRESS}(%[A-Za-z0-9_.-]{{1,15}})?",
    "wpa_supplicant.conf": r"country=[A-Z]{2}|network=\{|\tssid=[0-9a-f]{2,64}|\tscan_ssid=1|"
    r"\tkey_mgmt=(NONE|WPA-PSK WPA-PSK-SHA256)|\tieee80211w=1|\tpsk=[0-9a-f]{64}|\}",
}
KEY_LINES = r'# A CurveZMQ certificate, imported from the card|curve|    (public|secret)-key = "[!-~]{40}"'

NAMES = st.one_of(
    st.sampled_from(["board.toml", "mien.toml", "keys/voice.key", "keys/voice.key_secret", "keys/allowed/agent/a.key",
                     "keys/allowed/observer/b.key", "keys", "a/b/c/d/e", "MISTAKES.txt", ".filler"]),
    st.binary(min_size=1, max_size=12).map(lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_"))),
).filter(lambda name: name not in (".", "..") and name != "authorized_keys")  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
GOOD = ["192.168.1.20/24", "192.168.1.1", "fe80::1%eth0", "DE", "kiosk-7", "12345678"]
ODD = ["fe80::1%eth0\\nDNS=1.1.1.1", "fe80::1%eth0\\nDNS=1.1.1.1/64", "\\u0000", "kiosk\\n"]
VALUES = st.recursive(
    st.one_of(
        st.sampled_from([*GOOD, *ODD]).map('"{}"'.format), TEXTS.map("'{}'".format), TEXTS.map('"{}"'.format),
        st.integers().map(str), st.sampled_from(["true", "false", "9" * 5_000, "[" * 3_000]),
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"), max_leaves=4)  # fmt: skip
KEYS = st.one_of(st.sampled_from(
    ["hostname", "console", "ntp", "wifi.ssid", "wifi.passphrase", "wifi.country", "network.address", "network.gateway",
     "network.dns", "[wifi]\nssid", "[[network]]\naddress", "public-key", "secret-key"]), TEXTS)  # fmt: skip
TABLES = st.lists(st.tuples(KEYS, VALUES).map(" = ".join), max_size=5).map("\n".join).map(str.encode)
CONTENTS = st.one_of(
    TABLES, st.binary(max_size=200), st.sampled_from([f'public-key = "{KEY}"'.encode(), b"#" * (MOST_BYTES + 1)])
)


@contextmanager
def filled(files: dict[str, bytes]) -> Iterator[Card]:
    """A card with a good authorized_keys and whatever of `files` a file system takes."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        card = Card(Path(folder))
        card.free_bytes = [5, 5]
        card.put("authorized_keys", PUBLIC_KEY)
        for name, content in files.items():
            try:
                card.put(name, content)
            except OSError:  # a folder of this name, or a file in the place of a folder
                continue
        yield card


def check_what_was_written(card: Card) -> None:
    for path in card.etc.rglob("*"):
        name = path.relative_to(card.etc).as_posix()
        if path.is_dir() or name in ("ssh/authorized_keys", "mien/mien.toml"):
            continue
        made_here = name in ("mien/keys/voice.key", "mien/keys/voice.key_secret") and "ZeroMQ CURVE" in path.read_text()
        if not made_here:
            text = path.read_text(encoding="utf-8")
            allowed = re.compile(LINES.get(name, KEY_LINES))
            assert all(allowed.fullmatch(line) for line in text.removesuffix("\n").split("\n")), (name, text)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, CONTENTS, max_size=4))
def test_whatever_is_on_the_card_what_is_good_is_taken_and_the_rest_is_told(files: dict[str, bytes]) -> None:
    with filled(files) as card:
        status = card.main()
        assert (card.etc / "ssh/authorized_keys").read_text() == PUBLIC_KEY
        assert not (card.mien / "authorized_keys").exists()
        assert SSH_START in card.commands
        assert status == (1 if card.note else 0)
        check_what_was_written(card)
        note = card.note
        assert card.main() == status
        assert card.note == note


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TABLES)
def test_a_table_is_good_or_has_mistakes(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "board.toml"
    path.write_bytes(text)
    with suppress(Mistake):
        assert set(board_files(read_toml(path))) <= set(LINES)
