"""Applies changed settings to running services. At boot, mien's services start only afterwards."""

from typing import Final

from provisioning.board import Board
from provisioning.card import told
from provisioning.takeover import Report

SCREEN_S: Final = 30
SCREEN_MISTAKES: Final = 6
_SYSTEMCTL: Final = ["systemctl", "--no-block"]
# Prefix of an imported path -> command that applies it. The unit sets the hostname.
_LINK: Final = "mien/link/"
_FOLLOWERS: Final = (
    ("ssh/", [*_SYSTEMCTL, "start", "ssh.service"]),
    ("network/", ["networkctl", "reload"]),
    ("wpa_supplicant.conf", [*_SYSTEMCTL, "try-restart", "wpa_supplicant@wlan0.service"]),
    ("wpa_supplicant.conf", [*_SYSTEMCTL, "start", "wpa_supplicant@wlan0.service"]),
    ("timesyncd.conf.d/", [*_SYSTEMCTL, "try-restart", "systemd-timesyncd.service"]),
    ("console", [*_SYSTEMCTL, "restart", "console-getty.service"]),
    ("mien/", [*_SYSTEMCTL, "try-restart", "mien.target"]),
    (_LINK, [*_SYSTEMCTL, "restart", "mien-link"]),
)
# networkctl needs D-Bus, which may not run yet although networkd has already read the old settings.
_INSTEAD: Final = {"networkctl": [*_SYSTEMCTL, "try-restart", "systemd-networkd.service"]}


def apply(board: Board, report: Report) -> None:
    """Notify all services whose settings were imported. A failure does not affect the others."""
    for beginning, command in _FOLLOWERS:
        if any(_concerns(beginning, name) for name in report.taken):
            with report.told(" ".join(command), "could not be applied to the running system; restart the board"):
                failed = board.run(command).returncode
                if failed and command[0] in _INSTEAD:
                    board.run(_INSTEAD[command[0]])


def _concerns(beginning: str, name: str) -> bool:
    """Whether an imported path matters to a follower: speech does not end for what only the link reads."""
    return name.startswith(beginning) and (beginning == _LINK or not name.startswith(_LINK))


def show_mistakes(board: Board, report: Report) -> None:
    """Show the mistakes on the screen while the face does not use it."""
    lines = ["", "", "The settings on this card have mistakes:"]
    for block in told(report.mistakes, SCREEN_MISTAKES):
        lines += ["", *block]
    lines += ["", "Details: mien/MISTAKES.txt on the card, or journalctl -u mien-provision"]
    board.run(["systemctl", "stop", "mien.target"])
    try:
        board.screen.write_bytes(("\033[2J\033[H" + "\r\n".join(f"  {line}" for line in lines) + "\r\n").encode())
        board.sleep(SCREEN_S)
    finally:
        board.run([*_SYSTEMCTL, "start", "mien.target"])
