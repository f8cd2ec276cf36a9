"""board.toml: hostname, console, clock. For the sections wifi and network see network.py."""

import re
from collections.abc import Callable
from typing import Any, Final

from provisioning.files import Files, check_keys
from provisioning.mistake import Mistake
from provisioning.network import static_network, wireless

KEYS: Final[dict[str, type]] = {"hostname": str, "console": bool, "ntp": list, "wifi": dict, "network": dict}
MOST_TIME_SERVERS: Final = 8


def board_files(board: dict[str, Any]) -> Files:
    """Files to store for a board.toml. Raises Mistake, which lists all mistakes."""
    check_keys(board, KEYS, "")
    files: Files = {}
    wrong = []
    for key, value in board.items():
        try:
            files |= _SETTINGS[key](value)
        except Mistake as mistake:
            wrong.append(str(mistake))
    if wrong:
        raise Mistake("\n".join(wrong))
    return files


def hostname(name: str) -> Files:
    """One lower-case label of RFC 1123. Raises Mistake."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise Mistake('hostname: lower-case letters, digits and hyphens, at most 63, such as "kiosk-7"')
    return {"hostname": f"{name}\n"}


def console(wanted: bool) -> Files:
    """A root shell on the serial line, enabled by the existence of a file."""
    return {"console": "" if wanted else None}


def ntp(servers: list[Any]) -> Files:
    """Time servers instead of Debian's; an empty list restores those. Raises Mistake."""
    if len(servers) > MOST_TIME_SERVERS:
        raise Mistake(f"ntp: at most {MOST_TIME_SERVERS} servers")
    if not all(isinstance(server, str) and re.fullmatch(r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}", server)
               for server in servers):  # fmt: skip
        raise Mistake('ntp: a list of names or addresses, such as ["time.example"]')
    return {"timesyncd.conf.d/board.conf": f"[Time]\nNTP={' '.join(servers)}\n" if servers else None}


_SETTINGS: Final[dict[str, Callable[[Any], Files]]] = {
    "hostname": hostname, "console": console, "ntp": ntp, "wifi": wireless, "network": static_network,
}  # fmt: skip
