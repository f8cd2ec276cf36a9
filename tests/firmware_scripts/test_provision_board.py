"""board.toml, value by value: what reaches a file, and what does not."""

from pathlib import Path
from typing import Any

import pytest
from provisioning.board_toml import board_files
from provisioning.files import read_toml
from provisioning.mistake import Mistake, plain, plain_name
from provisioning.network import static_network, wireless

WIFI = {"ssid": "a", "country": "DE"}
WIRED = {"address": "192.168.1.20/24"}


def mistake(board: dict[str, Any]) -> str:
    with pytest.raises(Mistake) as raised:
        board_files(board)
    return str(raised.value)


@pytest.mark.parametrize("name", ["a", "7", "kiosk-7", "a" * 63, "a" + "-" * 61 + "b"])
def test_a_hostname_is_one_label(name: str) -> None:
    assert board_files({"hostname": name}) == {"hostname": f"{name}\n"}


@pytest.mark.parametrize("name", ["", "a" * 64, "Kiosk", "kiosk 7", "-a", "a-", "a.b", "kiosk\n", "a\nx", "ä", "a_b"])
def test_another_hostname_is_refused(name: str) -> None:
    assert mistake({"hostname": name}).startswith("hostname: lower-case letters")


@pytest.mark.parametrize("servers", [["time.example"], ["192.0.2.1", "2001:db8::1", "a"], ["a"] * 8, ["a" * 253]])
def test_time_servers_are_names_or_addresses(servers: list[str]) -> None:
    assert board_files({"ntp": servers}) == {"timesyncd.conf.d/board.conf": f"[Time]\nNTP={' '.join(servers)}\n"}


@pytest.mark.parametrize("server", ["a b", "a\n", "a\nFallbackNTP=b", "", "-a", "%m", "zeit.mü", "a" * 254, 5, ["a"]])
def test_another_time_server_is_refused(server: object) -> None:
    assert mistake({"ntp": ["time.example", server]}).startswith("ntp: a list of names")


def test_nine_time_servers_are_too_many() -> None:
    assert mistake({"ntp": ["a"] * 9}) == "ntp: at most 8 servers"


def test_an_empty_list_of_time_servers_brings_debian_s_back() -> None:
    assert board_files({"ntp": []}) == {"timesyncd.conf.d/board.conf": None}


def test_the_console_is_a_file_that_is_there_or_not() -> None:
    assert board_files({"console": True}) == {"console": ""}
    assert board_files({"console": False}) == {"console": None}


@pytest.mark.parametrize(("board", "said"), [
    ({"hostnam": "kiosk"}, "hostnam: unknown key; known keys are hostname, console, ntp, wifi, network"),
    ({"hostname": 7}, "hostname: must be a text in quotes"),
    ({"console": 1}, "console: must be true or false"),
    ({"ntp": "a"}, "ntp: must be a list in [ ]"),
    ({"wifi": "a"}, "wifi: must be a section"),
    ({"wifi": {"sid": "a"}}, "wifi.sid: unknown key; known keys are ssid, passphrase, country"),
    ({"wifi": {"ssid": 1}}, "wifi.ssid: must be a text in quotes"),
    ({"network": {"dns": "192.0.2.1"}}, "network.dns: must be a list in [ ]"),
    ({"network": {"adress": "a"}}, "network.adress: unknown key; known keys are address, gateway, dns"),
])  # fmt: skip
def test_a_key_has_its_name_and_its_type(board: dict[str, Any], said: str) -> None:
    assert mistake(board) == said


def test_everything_that_is_wrong_is_named_at_once() -> None:
    assert [line.split(":")[0] for line in mistake({"a": 1, "console": 2}).split("\n")] == ["a", "console"]
    wrong = mistake({"hostname": "A", "ntp": ["time.example"], "wifi": {}, "network": {}})
    assert [line.split(":")[0] for line in wrong.split("\n")] == ["hostname", "wifi.ssid", "network.address"]


def test_the_wireless_key_is_the_standard_one() -> None:
    # IEEE 802.11i, H.4.3: the test vector for passphrase "password" and SSID "IEEE".
    text = wireless({"ssid": "IEEE", "passphrase": "password", "country": "US"})["wpa_supplicant.conf"]
    assert text == (
        "country=US\nnetwork={\n\tssid=49454545\n\tscan_ssid=1\n\tkey_mgmt=WPA-PSK WPA-PSK-SHA256\n\tieee80211w=1\n"
        "\tpsk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e\n}\n"
    )


def test_an_open_network_has_no_key() -> None:
    text = wireless({"ssid": "Hall", "country": "DE"})["wpa_supplicant.conf"]
    assert text == "country=DE\nnetwork={\n\tssid=48616c6c\n\tscan_ssid=1\n\tkey_mgmt=NONE\n}\n"


@pytest.mark.parametrize("ssid", ["a", "x" * 32, "é" * 16, 'a"\n}\nnetwork={'])
def test_a_network_s_name_is_counted_in_bytes_and_written_in_hex(ssid: str) -> None:
    text = wireless({**WIFI, "ssid": ssid})["wpa_supplicant.conf"]
    assert text is not None
    assert text.count("\n") == 6
    assert f"\tssid={ssid.encode().hex()}\n" in text


@pytest.mark.parametrize("ssid", ["", "x" * 33, "é" * 17])
def test_a_network_s_name_has_1_to_32_bytes(ssid: str) -> None:
    assert mistake({"wifi": {**WIFI, "ssid": ssid}}) == "wifi.ssid: the network's name, 1 to 32 bytes"


@pytest.mark.parametrize("passphrase", ["x" * 8, "x" * 63, " ~~~~~~ "])
def test_a_passphrase_is_8_to_63_printable_ascii_characters(passphrase: str) -> None:
    assert passphrase not in str(wireless({**WIFI, "passphrase": passphrase}))


@pytest.mark.parametrize("passphrase", ["", "x" * 7, "x" * 64, "pässword", "password\n", "pass\x1fword", "pass\x7fw"])
def test_another_passphrase_is_refused_and_not_quoted(passphrase: str) -> None:
    assert mistake({"wifi": {**WIFI, "passphrase": passphrase}}) == (
        "wifi.passphrase: 8 to 63 ASCII characters; leave the line out for an open network"
    )


@pytest.mark.parametrize("country", ["", "D", "DEU", "de", "DE\n", "D1", "ÄÖ"])
def test_a_country_is_two_capital_letters(country: str) -> None:
    assert mistake({"wifi": {**WIFI, "country": country}}).startswith("wifi.country: two capital letters")


@pytest.mark.parametrize(("network", "lines"), [
    (WIRED, ["Address=192.168.1.20/24"]),
    ({"address": "192.168.1.20/255.255.255.0"}, ["Address=192.168.1.20/24"]),
    ({"address": "2001:DB8:0::20/64", "gateway": "FE80::1"}, ["Address=2001:db8::20/64", "Gateway=fe80::1"]),
    ({"address": "2001:db8::ffff:ffff:ffff:ffff/64"}, ["Address=2001:db8::ffff:ffff:ffff:ffff/64"]),
    ({"address": "10.0.0.0/31"}, ["Address=10.0.0.0/31"]),
    ({"address": "10.0.0.1/32"}, ["Address=10.0.0.1/32"]),
    ({**WIRED, "gateway": "192.168.1.1", "dns": ["192.168.1.1", "2001:db8::1", "fe80::1%eth0"]},
     ["Address=192.168.1.20/24", "Gateway=192.168.1.1", "DNS=192.168.1.1", "DNS=2001:db8::1", "DNS=fe80::1%eth0"]),
    ({**WIRED, "dns": []}, ["Address=192.168.1.20/24"]),
])  # fmt: skip
def test_a_fixed_address(network: dict[str, Any], lines: list[str]) -> None:
    text = static_network(network)["network/10-board.network"]
    assert text == "\n".join(["[Match]", "Name=en* eth* usb* wl*", "", "[Network]", *lines]) + "\n"


@pytest.mark.parametrize(("address", "said"), [
    (None, "an address with its prefix"),
    ("", "an address with its prefix"),
    ("router", "an address with its prefix"),
    ("192.168.1.20/33", "an address with its prefix"),
    ("192.168.1.20/24\n", "an address with its prefix"),
    ("192.168.1.20/24\nDNS=192.0.2.1", "an address with its prefix"),
    ("192.168.1.20", "the prefix is missing"),
    ("192.168.1.0/24", "192.168.1.0 cannot be a board's address"),
    ("192.168.1.255/24", "192.168.1.255 cannot be a board's address"),
    ("192.168.1.3/30", "192.168.1.3 cannot be a board's address"),
    ("0.0.0.0/0", "cannot be a board's address"),
    ("127.0.0.1/8", "cannot be a board's address"),
    ("224.0.0.1/4", "cannot be a board's address"),
    ("::/64", "cannot be a board's address"),
    ("fe80::1%eth0/64", "must not name an interface"),
    ("fe80::1%eth0\nDNS=192.0.2.1/64", "must not name an interface"),
])  # fmt: skip
def test_another_address_is_refused(address: str | None, said: str) -> None:
    found = mistake({"network": {} if address is None else {"address": address}})
    assert found.startswith("network.address: ")
    assert said in found


@pytest.mark.parametrize("gateway", ["", "router", "192.168.1.1/24", "192.168.1.1\n", "fe80::1\n", "192.168.1.256"])
def test_a_gateway_is_an_address(gateway: str) -> None:
    assert mistake({"network": {**WIRED, "gateway": gateway}}) == f"network.gateway: '{gateway}' is not an address"


@pytest.mark.parametrize("gateway", ["fe80::1%eth0", "fe80::1%eth0\nDNS=192.0.2.1", "fe80::1%\n[Match]"])
def test_a_gateway_names_no_interface(gateway: str) -> None:
    assert "network.gateway: " in mistake({"network": {**WIRED, "gateway": gateway}})
    assert "must not name an interface" in mistake({"network": {**WIRED, "gateway": gateway}})


@pytest.mark.parametrize("server", [
    "", "router", 5, True, ["192.0.2.1"], "192.0.2.1\n", "fe80::1%eth0\nDNS=192.0.2.1", "fe80::1%eth0\n", "fe80::1%a b",
    "fe80::1%eth0#x", "fe80::1%" + "e" * 16, "fe80::1%\x85", "fe80::1%é",
])  # fmt: skip
def test_a_name_server_is_an_address_and_its_interface_a_name(server: object) -> None:
    assert mistake({"network": {**WIRED, "dns": ["192.0.2.1", server]}}) == f"network.dns: '{server}' is not an address"


def test_an_interface_has_up_to_15_characters() -> None:
    text = static_network({**WIRED, "dns": ["fe80::1%" + "e" * 15]})["network/10-board.network"]
    assert text is not None
    assert text.endswith("DNS=fe80::1%" + "e" * 15 + "\n")


@pytest.mark.parametrize(("content", "said"), [
    (b"hostname = kiosk", "not valid TOML: Invalid value (at line 1, column 12)"),
    (b"x = " + b"[" * 5_000, "not valid TOML: brackets nested too deeply"),
    (b"x = " + b"9" * 5_000, "not valid TOML: Exceeds the limit (4300 digits) for integer string conversion"),
    (b"#\xff", "not UTF-8 (byte 2): save it as a text file in UTF-8"),
    (b"#" * 65_537, "larger than 64 KiB, the limit for files here"),
])  # fmt: skip
def test_a_file_that_is_no_table_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "board.toml").write_bytes(content)
    with pytest.raises(Mistake) as raised:
        read_toml(tmp_path / "board.toml")
    assert str(raised.value).startswith(said)


def test_a_file_may_be_as_large_as_that_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_bytes(b"\xef\xbb\xbfconsole = true\r\n" + b"#" * (65_536 - 19))
    assert read_toml(tmp_path / "board.toml") == {"console": True}


def test_what_is_quoted_moves_no_cursor_and_fills_no_screen() -> None:
    assert plain("a\x1b[2J\tb\r\u202e\udcffé\nc") == "a\\x1b[2J\\tb\\r\\u202e\\udcffé\nc"
    assert plain("x" * 600) == "x" * 600
    assert plain("x" * 601) == "x" * 600 + " ..."
    assert plain_name("caf\udce9\n") == "caf\\xe9\\n"
