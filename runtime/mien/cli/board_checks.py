"""The checks of `mien doctor` that only apply to a board, one function a row."""

from collections.abc import Callable
from pathlib import Path

from mien.cli.checks import Finding, Verdict
from mien.host import board

WARM_C, HOT_C = 70.0, 80.0
"""A Pi throttles from 80 degrees Celsius (raspberrypi.com, "Frequency management and thermal control")."""

SERVICE_ACCOUNTS = (("mien-face", "dri", "video"), ("mien-voice", "snd", "audio"), ("mien-ear", "snd", "audio"))
"""Account, directory in /dev, and the group with access to it (systemd/mien.sysusers.conf)."""


def check_board(root: Path) -> Finding:
    """The board's model."""
    return Finding(name="board", verdict="good", detail=board.board_model(root) or "model unknown")


def check_screen(root: Path) -> Finding:
    """The graphics card and its connected screens."""
    if not board.graphics_cards(root):
        return Finding(
            name="screen",
            verdict="poor",
            detail="no graphics card (/dev/dri/card*)",
            remedy="on a Pi: is the card's config.txt the shipped one? `journalctl -k | grep -i drm`",
        )
    screens = board.screens(root)
    connected = [f"{screen.name} {screen.mode}".strip() for screen in screens if screen.connected]
    if connected:
        return Finding(name="screen", verdict="good", detail=", ".join(connected))
    names = ", ".join(screen.name for screen in screens) or "no connector"
    return Finding(
        name="screen",
        verdict="bad",
        detail=f"nothing is connected ({names})",
        remedy="plug the screen in and switch it on; the face retries at least every four seconds. A screen without "
        "EDID needs video=HDMI-A-1:1280x720@60D on the kernel command line",
    )


def check_cards(root: Path) -> Finding:
    """The sound cards, by their ALSA names."""
    cards = board.sound_cards(root)
    if cards and board.sound_devices(root):
        return Finding(name="sound cards", verdict="good", detail="; ".join(cards))
    return Finding(
        name="sound cards",
        verdict="poor",
        detail="no sound card for playback",
        remedy="plug in a USB sound card, or use the screen's sound (HDMI)",
    )


def check_permissions(root: Path) -> Finding:
    """Whether the service accounts may access their devices."""
    accounts = [row for row in SERVICE_ACCOUNTS if board.has_account(row[0], root)]
    if not accounts:
        return Finding(name="permissions", verdict="good", detail="the services are not installed on this machine")
    locked = [
        (user, path, group)
        for user, folder, group in accounts
        for path in (board.graphics_cards(root) if folder == "dri" else board.sound_devices(root))
        if not board.may_use(user, path, root)
    ]
    if not locked:
        return Finding(
            name="permissions",
            verdict="good",
            detail=f"{', '.join(row[0] for row in accounts)} may use their devices",
        )
    user, path, group = locked[0]
    return Finding(
        name="permissions",
        verdict="bad",
        detail=f"{user} may not use /{path.relative_to(root)}",
        remedy=f"usermod -aG {group} {user}, then restart mien.target",
    )


def check_power(root: Path) -> Finding:
    """The Pi's warnings about under-voltage and throttling."""
    power = board.power(root)
    if power is None:
        return Finding(name="power", verdict="good", detail="not measured: not a Raspberry Pi")
    if not power.now and not power.since_boot:
        return Finding(name="power", verdict="good", detail=f"no warning since boot ({power.source})")
    said = [f"{what} now" for what in power.now]
    said += [f"{what} since boot" for what in power.since_boot if what not in power.now]
    volts = "under-voltage" in (*power.now, *power.since_boot)
    return Finding(
        name="power",
        verdict="bad" if power.now else "poor",
        detail=f"{', '.join(said)} ({power.source})",
        remedy="use the Pi's own power supply, or a shorter and thicker cable"
        if volts
        else "cool the board: it is throttled",
    )


def check_heat(root: Path) -> Finding:
    """The temperature of the hottest sensor."""
    hottest_c = board.hottest_c(root)
    if hottest_c is None:
        return Finding(name="heat", verdict="good", detail="no sensor")
    verdict: Verdict = "good" if hottest_c < WARM_C else "poor" if hottest_c < HOT_C else "bad"
    return Finding(
        name="heat",
        verdict=verdict,
        detail=f"{hottest_c:.0f} degrees Celsius",
        remedy="" if verdict == "good" else f"cool the board: it throttles from {HOT_C:.0f} degrees",
    )


def check_time(root: Path) -> Finding:
    """The wall clock: update certificates and log times need it, speech does not."""
    was_set = board.clock_was_set(root)
    if was_set is None:
        return Finding(name="time", verdict="good", detail="systemd-timesyncd does not run on this machine")
    return Finding(
        name="time",
        verdict="good" if was_set else "poor",
        detail="set by a time server" if was_set else "not set by a time server since boot",
        remedy="" if was_set else "run `timedatectl timesync-status`; to use another server, set ntp in board.toml",
    )


BOARD_CHECKS: tuple[Callable[[Path], Finding], ...] = (
    check_board,
    check_screen,
    check_cards,
    check_permissions,
    check_power,
    check_heat,
    check_time,
)
