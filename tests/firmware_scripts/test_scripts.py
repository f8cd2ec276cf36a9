"""The scripts under shellcheck, agreement among the files that name one disk, and dry runs with acted commands."""

import lzma
import os
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from rigs.acted import act

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "firmware_scripts"
OVERLAY = SCRIPTS / "overlay"


def shell_scripts() -> list[Path]:
    """Every file whose first line names a shell, and the sourced ones."""
    folders = (SCRIPTS, REPOSITORY / "systemd")
    files = [path for folder in folders for path in sorted(folder.rglob("*"))]
    return [
        path
        for path in files
        if path.is_file()
        if path.suffix == ".sh" or re.match(rb"#!(/bin/sh|/usr/bin/env bash)", path.read_bytes()[:30])
    ]


def settings() -> dict[str, str]:
    """settings.sh as a shell sees it."""
    places = 'OFFSETS="${ENV_OFFSETS[*]}"'
    script = f"REPOSITORY={REPOSITORY}; . {SCRIPTS}/settings.sh; {places}; set -o posix; set"
    listed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=20).stdout
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in listed.splitlines())}


def test_there_are_scripts_to_check() -> None:
    names = {path.name for path in shell_scripts()}
    assert {
        "build-image",
        "build-bundle",
        "flash",
        "lib.sh",
        "10-rootfs.sh",
        "mien-data",
        "mien-settings",
        "failure-note",
        "update-stick",
        "mount-stick",
    } <= names


def test_shellcheck_has_nothing_to_say() -> None:
    found = subprocess.run(
        ["shellcheck", *map(str, shell_scripts())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=REPOSITORY,
    )
    assert found.stdout == ""
    assert found.returncode == 0


def test_steps_are_numbered_titled_and_listed_in_order() -> None:
    listed = subprocess.run([SCRIPTS / "build-image", "--list"], capture_output=True, text=True, check=True, timeout=20)
    steps = listed.stdout.split()
    assert steps == sorted(steps)
    for step in steps:
        lines = (SCRIPTS / "steps" / step).read_text().splitlines()
        assert re.match(r"\d\d-[a-z]+\.sh$", step)
        assert lines[1].startswith("# ")
        assert lines[2] == "set -euo pipefail" or "set -euo pipefail" in lines[2:5]


def test_the_kernel_keeps_the_drivers_of_every_pi() -> None:
    listed = (SCRIPTS / "useless-modules.txt").read_text().split()
    kept = (
        "drivers/net/ethernet/broadcom/genet",  # Pi 4
        "drivers/net/ethernet/cadence",  # Pi 5
        "drivers/net/wireless/broadcom",
        "drivers/gpu/drm/vc4",
        "drivers/gpu/drm/v3d",
        "drivers/mmc/host",
        "drivers/misc/rp1",
        "drivers/block/nbd.ko.xz",  # streamed updates
        "sound/soc/bcm",
    )
    for path in kept:
        folders = [path, *(str(parent) for parent in Path(path).parents)]
        same_depth = [(pattern, folder) for pattern in listed for folder in folders if matches(folder, pattern)]
        assert not same_depth, path


def matches(path: str, pattern: str) -> bool:
    """Whether a shell's pattern matches a path: part by part, because no asterisk matches a slash."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def test_no_script_names_a_mirror_or_a_loop_device() -> None:
    for path in sorted(SCRIPTS.rglob("*")):
        if path.is_file() and path.suffix not in (".md", ".pyc"):
            text = path.read_text()
            assert not re.search(r"https?://|losetup|/dev/loop", text), path


def test_everybody_means_the_same_disk() -> None:
    disk = settings()["DISK_ID"]
    assert bytes.fromhex(disk) == b"mien"
    assert set(re.findall(r"[0-9a-f]{8}(?=-0)", (SCRIPTS / "boot/boot.cmd").read_text())) == {disk}
    for path in (path for path in OVERLAY.rglob("*") if path.is_file()):
        assert disk not in path.read_text(errors="replace"), path  # the board finds the disk by where it started from


def test_everybody_finds_the_environment_at_the_same_place() -> None:
    known = settings()
    offsets = known["OFFSETS"].split()
    rows = [line.split() for line in (OVERLAY / "etc/fw_env.config").read_text().splitlines() if line[:1] == "/"]
    assert rows == [["/dev/mien/disk", offset, known["ENV_BYTES"]] for offset in offsets]
    boot = (SCRIPTS / "boot/boot.cmd").read_text()
    blocks = [re.search(rf"block_{index} (0x[0-9a-f]+)", boot) for index in range(2)]
    assert [int(block.group(1), 16) * 512 for block in blocks if block] == [int(offset, 16) for offset in offsets]
    size = int(known["ENV_BYTES"], 16)
    assert f"setenv blocks {size // 512:#x}" in boot
    assert f"setenv bytes {size - 5:#x}" in boot  # the checksum and the counter take five
    assert max(int(offset, 16) for offset in offsets) + size <= int(known["FIRST_PARTITION_MIB"]) << 20


def test_a_kernel_and_its_initrd_do_not_overlap() -> None:
    boot = (SCRIPTS / "boot/boot.cmd").read_text()
    above = re.search(r"^setexpr initrd \$\{kernel_addr_r\} \+ (0x[0-9a-f]+)$", boot, re.MULTILINE)
    assert above
    most_mib = re.search(r'"\$kernel_mib" -le (\d+) ', (SCRIPTS / "steps/40-filesystems.sh").read_text())
    assert most_mib
    assert (int(most_mib[1]) + 1 + 2) << 20 <= int(above[1], 16)  # rounded down; moved up by 2 MiB
    assert int(above[1], 16) <= 256 << 20  # a Zero 2 W has 512 MiB, with U-Boot and the device tree at their end
    assert "booti ${kernel_addr_r} ${initrd}:${filesize} " in boot
    assert "ramdisk_addr_r" not in boot


def test_the_bundle_fits_the_board() -> None:
    compatible = settings()["COMPATIBLE"]
    assert f"compatible={compatible}\n" in (OVERLAY / "etc/rauc/system.conf").read_text()


def test_every_program_that_a_unit_starts_is_there() -> None:
    for unit in (OVERLAY / "usr/lib/systemd/system").rglob("*.*"):
        if unit.is_file():
            for program in re.findall(r"^Exec\w+=(/usr/lib/mien/\S+)", unit.read_text(), re.MULTILINE):
                assert os.access(OVERLAY / program.lstrip("/"), os.X_OK), f"{unit.name}: {program}"


@pytest.mark.parametrize(("new", "allowed"), [("0.3.0", True), ("0.2.0", True), ("0.1.9", False), ("", False)])
def test_an_older_release_is_refused(tmp_path: Path, new: str, allowed: bool) -> None:
    (tmp_path / "manifest.raucm").write_text(f"[update]\nversion={new}\n")
    release = tmp_path / "release"
    release.write_text("NAME=mien\nVERSION_ID=0.2.0\n")
    script = (OVERLAY / "usr/lib/mien/before-update").read_text().replace("/etc/mien-release", str(release))
    found = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, "RAUC_BUNDLE_MOUNT_POINT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (found.returncode == 0) is allowed
    assert allowed or "this board runs 0.2.0" in found.stdout


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("README.txt", False),
        ("TAKEN.txt", False),
        ("voice.key", False),
        (".hidden", False),
        ("board.toml", True),
        ("MISTAKES.txt", True),
        ("keys/voice.key", True),
        ("stray.txt", True),
    ],
)
def test_a_card_without_new_settings_starts_no_provisioning(tmp_path: Path, name: str, new: bool) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / name).write_text("x")
    asked = subprocess.run(["sh", OVERLAY / "usr/lib/mien/has-new-settings", tmp_path], timeout=20, check=False)
    assert (asked.returncode == 0) is new


def test_the_services_wait_for_the_settings_and_nothing_else_starts_them() -> None:
    unit = (OVERLAY / "usr/lib/systemd/system/mien-provision.service").read_text()
    assert "[Install]" not in unit
    for service in ("voice", "face"):
        text = (REPOSITORY / f"systemd/mien-{service}.service").read_text()
        assert re.search(r"^After=.* mien-provision\.service$", text, re.MULTILINE)
        assert not re.search(r"^(Wants|Requires)=.*mien-provision", text, re.MULTILINE)


def test_the_initrd_has_the_drivers_of_a_pi_s_card_and_what_feeds_it() -> None:
    modules = (OVERLAY / "etc/initramfs-tools/modules").read_text().split()
    # bcm2711-rpi-4-b.dts: the card's vmmc-supply is a regulator-fixed, its vqmmc-supply a regulator-gpio.
    assert {"sdhci_iproc", "bcm2835", "fixed", "gpio_regulator", "ext4", "virtio_blk"} <= set(modules)
    # bcm2712-rpi-5-b.dts: the same supplies, switched by pins of a controller of its own.
    assert {"sdhci_brcmstb", "gpio_brcmstb", "pinctrl_brcmstb_bcm2712"} <= set(modules)


def flash(
    tmp_path: Path, device: str, disks: str, mounts: str = "", *, bytes_: int = 32_000_000_000, name: str = "a.img"
) -> "subprocess.CompletedProcess[str]":
    """flash, of an image of 3 MB, with lsblk acted: `disks` are its rows (NAME TYPE RM HOTPLUG SIZE MODEL), `mounts`
    what is mounted, `bytes_` the device's size."""
    image = tmp_path / name
    image.write_bytes(lzma.compress(bytes(3_000_000)) if name.endswith(".xz") else bytes(3_000_000))
    told = f'case "$*" in *MOUNTPOINTS*) echo "{mounts}" ;; *--bytes*) echo {bytes_} ;; *) echo "{disks}" ;; esac'
    environment = act(tmp_path, lsblk=told)
    return subprocess.run(
        [SCRIPTS / "flash", image, *([device] if device else [])],
        env=environment,
        input="no\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_flash_lists_removable_disks_only(tmp_path: Path) -> None:
    disks = "\n".join(
        (
            "/dev/sda disk 0 0 1T System",
            "/dev/sdb disk 1 1 32G Card",
            "/dev/sr0 rom 1 0 1G Drive",
            "/dev/sdc disk 1 1 0B Empty",
        )
    )
    assert flash(tmp_path, "", disks).stdout.splitlines()[1:] == ["/dev/sdb 32G Card"]


def test_flash_says_that_there_is_no_removable_device(tmp_path: Path) -> None:
    found = flash(tmp_path, "", "/dev/sda disk 0 0 1T System")
    assert found.returncode == 1
    assert "there is no removable device here: insert a card" in found.stderr


def test_flash_tells_a_device_that_is_missing_from_what_is_no_block_device(tmp_path: Path) -> None:
    card = "/dev/sdb disk 1 1 32G Card"
    missing = flash(tmp_path, str(tmp_path / "sdz"), card)
    file = flash(tmp_path, str(tmp_path / "a.img"), card)
    assert "sdz does not exist; these are removable: /dev/sdb" in missing.stderr
    assert "a.img is not a block device; these are removable: /dev/sdb" in file.stderr
    assert (missing.returncode, file.returncode) == (1, 1)


@pytest.fixture
def device() -> str:
    """A block device of this machine, which flash is only asked about."""
    devices = sorted(str(path) for path in Path("/dev").iterdir() if path.is_block_device())
    if not devices:
        pytest.skip("no block device to ask for on this machine")
    return devices[0]


def test_flash_refuses_a_fixed_and_a_mounted_disk(tmp_path: Path, device: str) -> None:
    fixed = flash(tmp_path, device, f"{device} disk 0 0 1T System")
    assert "is not a removable disk" in fixed.stderr
    mounted = flash(tmp_path, device, f"{device} disk 1 1 32G Card", mounts="/media/card")
    assert "is in use: /media/card" in mounted.stderr
    for found in (fixed, mounted):
        assert found.returncode != 0


@pytest.mark.parametrize("name", ["a.img", "a.img.xz"])
def test_flash_compares_the_unpacked_image_with_the_device_before_it_asks(
    tmp_path: Path, device: str, name: str
) -> None:
    card = f"{device} disk 1 1 2M Card"
    small = flash(tmp_path, device, card, bytes_=2_999_999, name=name)
    assert small.returncode == 1
    assert f"{device} is too small: {tmp_path / name} needs 3 MB, and it has 2 MB" in small.stderr
    assert "will be lost" not in small.stdout
    fits = flash(tmp_path, device, card, bytes_=3_000_000, name=name)
    assert "nothing was written" in fits.stderr


def test_flash_refuses_an_image_that_was_cut_off(tmp_path: Path, device: str) -> None:
    whole = lzma.compress(os.urandom(100_000))
    cut = tmp_path / "cut.img.xz"
    cut.write_bytes(whole[:-20])
    told = f"case \"$*\" in *MOUNTPOINTS*) ;; *) echo '{device} disk 1 1 32G Card' ;; esac"
    found = subprocess.run(
        [SCRIPTS / "flash", cut, device],
        env=act(tmp_path, lsblk=told),
        input="no\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert found.returncode == 1
    assert "cut.img.xz is damaged" in found.stderr


def test_keys_are_made_once_and_stay_private(tmp_path: Path) -> None:
    environment = {**os.environ, "MIEN_KEYS": str(tmp_path / "keys")}
    made = [
        subprocess.run([SCRIPTS / "make-keys"], env=environment, capture_output=True, text=True, check=True, timeout=30)
        for _ in range(2)
    ]
    certificate = Path(made[0].stdout.strip())
    assert made[0].stdout == made[1].stdout
    assert certificate.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    ignored = subprocess.run(["git", "-C", REPOSITORY, "check-ignore", "-q", "build/keys/bundle.key.pem"], check=False)
    assert ignored.returncode == 0


def test_sizes_count_what_is_there_by_owner(tmp_path: Path) -> None:
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (tmp_path / "usr/lib").mkdir(parents=True)
    (info / "mesa:arm64.list").write_text("/usr\n/usr/lib/mesa.so\n/usr/lib/gone.so\n")
    (tmp_path / "usr/lib/mesa.so").write_bytes(b"x" * 3_000_000)
    os.link(tmp_path / "usr/lib/mesa.so", tmp_path / "usr/lib/link.so")
    said = subprocess.run([SCRIPTS / "report-sizes", tmp_path], capture_output=True, text=True, check=True, timeout=20)
    assert re.search(r"^ +3\.0 MB in all", said.stdout)


@pytest.mark.parametrize(
    ("order", "good", "allowed"),
    [
        ("A", "", True),
        ("A B", "NAME=mien VERSION_ID=0.2.0", True),
        ("A B", "", False),
        ("A B", "NAME=mien VERSION_ID=0.1", False),
    ],
)
def test_the_known_good_root_is_not_overwritten_by_one_on_trial(
    tmp_path: Path, order: str, good: str, allowed: bool
) -> None:
    (tmp_path / "manifest.raucm").write_text("[update]\nversion=0.3.0\n")
    script = (OVERLAY / "usr/lib/mien/before-update").read_text()
    for name, text in (
        ("/etc/mien-release", "NAME=mien\nVERSION_ID=0.2.0\n"),
        ("/proc/cmdline", "ro rauc.slot=A\n"),
        ("/data/lib/rauc/good-releases", f"{good}\n"),
    ):
        path = tmp_path / name.rpartition("/")[2]
        path.write_text(text)
        script = script.replace(name, str(path))
    environment = act(tmp_path, fw_printenv=f"echo {order}", fw_setenv=f"echo $* >{tmp_path}/set")
    found = subprocess.run(
        ["sh", "-c", script],
        env={**environment, "RAUC_BUNDLE_MOUNT_POINT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (found.returncode == 0) is allowed, found.stdout
    assert (tmp_path / "set").exists() is allowed
    assert not allowed or (tmp_path / "set").read_text() == "BOOT_A_LEFT 3\n"
