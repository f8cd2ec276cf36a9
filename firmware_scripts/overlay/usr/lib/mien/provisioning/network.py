"""Translates board.toml's sections wifi and network for wpa_supplicant and systemd-networkd.

No value is copied verbatim: names are written as hex digits, addresses in canonical form.
"""

import hashlib
import ipaddress
import re
from typing import Any, Final

from provisioning.files import Files, check_keys
from provisioning.mistake import Mistake

WIFI_KEYS: Final[dict[str, type]] = {"ssid": str, "passphrase": str, "country": str}
NETWORK_KEYS: Final[dict[str, type]] = {"address": str, "gateway": str, "dns": list}
_INTERFACE: Final = re.compile(r"[A-Za-z0-9_.-]{1,15}")


def wireless(wifi: dict[str, Any]) -> Files:
    """wpa_supplicant's configuration, with the derived key instead of the passphrase. Raises Mistake."""
    check_keys(wifi, WIFI_KEYS, "wifi.")
    ssid, passphrase, country = wifi.get("ssid", ""), wifi.get("passphrase"), wifi.get("country", "")
    if not 1 <= len(ssid.encode()) <= 32:
        raise Mistake("wifi.ssid: the network's name, 1 to 32 bytes")
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise Mistake('wifi.country: two capital letters, such as "DE"; determines the permitted channels')
    key = "\tkey_mgmt=NONE\n" if passphrase is None else _wpa_key(ssid, passphrase)
    network = f"network={{\n\tssid={ssid.encode().hex()}\n\tscan_ssid=1\n{key}}}\n"
    return {"wpa_supplicant.conf": f"country={country}\n{network}"}


def _wpa_key(ssid: str, passphrase: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]{8,63}", passphrase):
        raise Mistake("wifi.passphrase: 8 to 63 ASCII characters; leave the line out for an open network")
    # IEEE 802.11i, H.4: the key is PBKDF2 of the passphrase, salted with the name
    psk = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), 4096, 32).hex()
    return f"\tkey_mgmt=WPA-PSK WPA-PSK-SHA256\n\tieee80211w=1\n\tpsk={psk}\n"


def static_network(network: dict[str, Any]) -> Files:
    """systemd-networkd's configuration for a fixed address. Raises Mistake."""
    check_keys(network, NETWORK_KEYS, "network.")
    address = _own_address(network.get("address", ""))
    lines = ["[Match]", "Name=en* eth* usb* wl*", "", "[Network]", f"Address={address}"]
    if "gateway" in network:
        lines.append(f"Gateway={_address('gateway', network['gateway'])}")
    lines += [f"DNS={_address('dns', server, scoped=True)}" for server in network.get("dns", [])]
    return {"network/10-board.network": "\n".join(lines) + "\n"}


def _own_address(text: str) -> str:
    try:
        own = ipaddress.ip_interface(text)
    except ValueError:
        raise Mistake('network.address: an address with its prefix, such as "192.168.1.20/24"') from None
    if "/" not in text:
        raise Mistake("network.address: the prefix is missing, such as /24")
    _refuse_scope("address", own, text)
    ends = (own.network.network_address, own.network.broadcast_address)
    of_the_network = own.network.prefixlen < 31 and own.ip in ends
    if of_the_network or own.ip.is_unspecified or own.ip.is_multicast or own.ip.is_loopback:
        raise Mistake(f"network.address: {own.ip} cannot be a board's address")
    return own.with_prefixlen


def _address(key: str, text: object, *, scoped: bool = False) -> str:
    """An address in canonical form. scoped: it may name an interface, as in fe80::1%eth0. Raises Mistake."""
    try:
        if not isinstance(text, str):  # ip_address(5) is 0.0.0.5
            raise ValueError
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Mistake(f"network.{key}: '{text}' is not an address") from None
    if not scoped:
        _refuse_scope(key, address, text)
    scope = getattr(address, "scope_id", None)
    # Python accepts anything as an interface name, newlines included.
    if scope is not None and not _INTERFACE.fullmatch(scope):
        raise Mistake(f"network.{key}: '{text}' is not an address")
    return str(address)


def _refuse_scope(key: str, address: object, text: str) -> None:
    if getattr(address, "scope_id", None) is not None:
        raise Mistake(f"network.{key}: '{text}' must not name an interface: remove the % and what follows")
