"""The units that only the image has, under systemd's own linters, and what each one keeps of root's powers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
OVERLAY = REPOSITORY / "firmware_scripts/overlay"
UNITS = OVERLAY / "usr/lib/systemd/system"
SYSTEM_UNITS = Path("/usr/lib/systemd/system")
EXPOSURE = {"mien-provision": 1.5, "mien-update-stick": 1.5, "mien-grow": 1.5, "mien-health": 1.5}
# systemd 252 gives a command with a + its own mount namespace where the unit's others have one (a remount is lost).
OUTSIDE = "/usr/bin/nsenter --mount=/proc/1/ns/mnt"
CAPABILITIES = {"mien-grow": "CAP_SYS_ADMIN CAP_SYS_RESOURCE"}  # the others have none


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def values(unit: str, key: str) -> list[str]:
    """Every value of a directive of a unit, in order."""
    return re.findall(rf"^{key}=(.*)$", (UNITS / f"{unit}.service").read_text(), re.MULTILINE)


def test_these_are_all() -> None:
    assert {path.stem for path in UNITS.glob("*.service")} == set(EXPOSURE)


@pytest.mark.parametrize("unit", EXPOSURE)
def test_exposure_stays_low(unit: str) -> None:
    limit = f"--threshold={round(EXPOSURE[unit] * 10)}"
    found = run("systemd-analyze", "security", "--offline=true", limit, "--no-pager", str(UNITS / f"{unit}.service"))
    assert found.returncode == 0, found.stdout[-400:]


def test_systemd_accepts_them_beside_its_own_and_mien_s(tmp_path: Path) -> None:
    shutil.copytree(SYSTEM_UNITS, tmp_path / "usr/lib/systemd/system", symlinks=True)
    shutil.copytree(OVERLAY / "usr/lib/mien", tmp_path / "usr/lib/mien")
    for name in ("lib", "bin"):
        (tmp_path / name).symlink_to(f"usr/{name}")
    (tmp_path / "usr/bin").mkdir()
    for name in ("mien-voice", "mien-face", "mien-link", "mien-board-control", "systemctl", "nsenter", "hostname"):
        (tmp_path / "usr/bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "usr/bin" / name).chmod(0o755)
    assert run("sh", str(REPOSITORY / "systemd/install.sh"), str(tmp_path)).returncode == 0
    for path in UNITS.glob("*.service"):
        shutil.copy(path, tmp_path / "usr/lib/systemd/system")
    units = [f"{unit}.service" for unit in EXPOSURE]
    found = run("systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", *units)
    assert (found.stderr, found.returncode) == ("", 0)


@pytest.mark.parametrize("unit", EXPOSURE)
def test_a_unit_has_the_capabilities_that_it_needs_and_no_others(unit: str) -> None:
    assert values(unit, "CapabilityBoundingSet") == [CAPABILITIES.get(unit, "")]
    assert values(unit, "NoNewPrivileges") == ["yes"]


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("mien-provision", "/data/etc /boot/firmware"),
        ("mien-update-stick", "/data/lib/rauc"),
        ("mien-grow", "/data"),
        ("mien-health", "/data/lib/rauc /run/lock"),
    ],
)
def test_a_unit_writes_where_it_has_to_and_nowhere_else(unit: str, written: str) -> None:
    assert values(unit, "ProtectSystem") == ["strict"]
    assert values(unit, "ReadWritePaths") == [written]


@pytest.mark.parametrize(
    ("unit", "devices"),
    [
        ("mien-provision", ["/dev/tty1 rw"]),
        ("mien-update-stick", ["/dev/tty1 rw"]),
        ("mien-grow", ["/dev/mien/disk rw", "/dev/mien/data rw"]),
        ("mien-health", ["/dev/mien/disk r"]),
    ],
)
def test_a_unit_reaches_the_devices_that_it_needs_and_no_network(unit: str, devices: list[str]) -> None:
    assert values(unit, "DevicePolicy") == ["closed"]
    assert values(unit, "DeviceAllow") == devices
    assert values(unit, "PrivateNetwork") == ["yes"]
    assert values(unit, "RestrictAddressFamilies") == ["AF_UNIX"]


def test_settings_are_taken_over_once_there_is_a_folder_for_the_keys() -> None:
    # tmpfiles makes it with the voice's group; stored before, the voice's secret key would be root's alone.
    assert "/etc/mien/keys 2750 root mien-voice" in (REPOSITORY / "systemd/mien.tmpfiles.conf").read_text()
    for key in ("After", "Wants"):
        assert values("mien-provision", key) == ["systemd-tmpfiles-setup.service"]
    assert values("mien-provision", "RequiresMountsFor") == ["/boot/firmware"]


def test_the_card_is_writable_only_while_settings_are_taken_over_however_that_ends() -> None:
    # "+": outside the sandbox. "-": a card that cannot be written is told of by the program.
    assert values("mien-provision", "ExecStartPre") == [f"-+{OUTSIDE} /usr/bin/mount -o remount,rw /boot/firmware"]
    assert values("mien-provision", "ExecStopPost") == [
        f"-+{OUTSIDE} /usr/bin/mount -o remount,ro /boot/firmware",
        "-+/usr/bin/hostname -F /data/etc/hostname",
    ]
    assert "/dev/mien/firmware /boot/firmware  vfat  ro," in (OVERLAY / "etc/fstab").read_text()


def test_rauc_sees_the_stick_too_and_it_is_let_go_of_however_it_ends() -> None:
    assert values("mien-update-stick", "ExecStartPre") == [f"+{OUTSIDE} /usr/lib/mien/mount-stick"]
    assert values("mien-update-stick", "ExecStopPost") == [f"-+{OUTSIDE} /usr/bin/umount /run/mien-update"]


def test_a_stick_is_looked_at_in_what_time_is_left() -> None:
    keys = ("Nice", "CPUSchedulingPolicy", "IOSchedulingClass", "CPUWeight", "IOWeight")
    assert [values("mien-update-stick", key) for key in keys] == [["19"], ["idle"], ["idle"], ["1"], ["1"]]
    installing = (UNITS / "rauc.service.d/10-mien.conf").read_text()
    assert "\nCPUWeight=20\nIOWeight=20\n" in installing


def test_health_hears_the_bus_as_a_member_of_its_group() -> None:
    assert values("mien-health", "SupplementaryGroups") == ["mien"]
