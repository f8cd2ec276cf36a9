"""Lets what runs already follow. At a start, mien's services wait until this has ended."""

from typing import Final

from provisioning.board import Board
from provisioning.card import told
from provisioning.takeover import Report

SCREEN_S: Final = 30
SCREEN_MISTAKES: Final = 6
_SYSTEMCTL: Final = ["systemctl", "--no-block"]
# What was taken (the beginning of its path) -> who is told. The hostname is set by the unit.
_FOLLOWERS: Final = (
    ("ssh/", [*_SYSTEMCTL, "start", "ssh.service"]),
    ("network/", ["networkctl", "reload"]),
    ("wpa_supplicant.conf", [*_SYSTEMCTL, "try-restart", "wpa_supplicant@wlan0.service"]),
    ("wpa_supplicant.conf", [*_SYSTEMCTL, "start", "wpa_supplicant@wlan0.service"]),
    ("timesyncd.conf.d/", [*_SYSTEMCTL, "try-restart", "systemd-timesyncd.service"]),
    ("console", [*_SYSTEMCTL, "restart", "console-getty.service"]),
    ("mien/", [*_SYSTEMCTL, "try-restart", "mien.target"]),
)
# networkctl speaks through D-Bus, which may not run yet; by then networkd may have read the old settings.
_INSTEAD: Final = {"networkctl": [*_SYSTEMCTL, "try-restart", "systemd-networkd.service"]}


def apply(board: Board, report: Report) -> None:
    """Tell everybody whose settings were taken. One who cannot be told keeps nobody else from hearing of it."""
    for beginning, command in _FOLLOWERS:
        if any(name.startswith(beginning) for name in report.taken):
            with report.told(" ".join(command), "the board could not be told; start it again"):
                failed = board.run(command).returncode
                if failed and command[0] in _INSTEAD:
                    board.run(_INSTEAD[command[0]])


def show_mistakes(board: Board, report: Report) -> None:
    """On the screen, while the face leaves it alone."""
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
