"""The initrd's scripts: the disk that a board starts from, and what hangs on it, in each shell that they may meet."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rigs.acted import act

REPOSITORY = Path(__file__).resolve().parents[2]
OVERLAY = REPOSITORY / "firmware_scripts/overlay"
SCRIPTS = OVERLAY / "etc/initramfs-tools/scripts"
KLIBC = "/usr/lib/klibc/bin/sh"  # the initrd's own shell
SHELLS = ["dash", pytest.param(KLIBC, marks=pytest.mark.skipif(not Path(KLIBC).exists(), reason="needs klibc-utils"))]
TRIES = 35  # a minute's worth on a board
IDENTITY = "PARTUUID=6d69656e-02"
PLACES = {
    "mmcblk0p2": "platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0/mmcblk0p2",
    "sda2": "platform/scb/fd500000.pcie/pci0000:00/0000:01:00.0/usb2/2-1/host0/target0:0:0/0:0:0:0/block/sda/sda2",
    "sdb2": "pci0000:00/0000:00:1f.2/ata1/host1/target1:0:0/1:0:0:0/block/sdb/sdb2",
    "vda3": "pci0000:00/0000:00:02.0/virtio0/block/vda/vda3",
    "nvme0n1p2": "pci0000:00/0000:00:03.0/nvme/nvme0/nvme0n1/nvme0n1p2",
}


class Initrd:
    """A kernel's command line, block devices and /run, in a folder."""

    def __init__(self, folder: Path, shell: str = "dash") -> None:
        self.folder = folder
        self.shell = shell
        (folder / "sys/class/block").mkdir(parents=True)
        for name, place in PLACES.items():
            (folder / "sys/class/block" / name).symlink_to(f"../../devices/{place}")

    def find(self, found: str, boot: str = "", root: str = IDENTITY, later: str = "", tries: int = 0) -> str:
        """mien-disk, where blkid knows the devices `found`, after `tries` pauses also `later`. Returns what it says."""
        (self.folder / "cmdline").write_text(f"root={root} {boot and 'mien.boot=' + boot} ro quiet\n")
        count = self.folder / "pauses"
        count.write_text("")
        list_devices = f'''[ "$*" = "-t {root} -o device" ] || exit 9
found="{found}"; [ "$(cat {count} | wc -c)" -lt {tries} ] || found="$found {later}"
for name in $found; do echo "/dev/$name"; done'''
        self._run("init-premount/mien-disk", blkid=list_devices, sleep=f"printf x >>{count}")
        conf = self.folder / "conf"
        return conf.read_text().strip() if conf.exists() else ""

    @property
    def pauses(self) -> int:
        return len((self.folder / "pauses").read_text())

    def wants_provisioning(self, mount: str = "") -> bool:
        """Whether mien-settings makes mien-provision part of the start, for a card that lies in `folder`/card."""
        self._run("local-bottom/mien-settings", mount=f'echo "$*" >{self.folder}/mounted; {mount}', umount="")
        link = self.folder / "run/systemd/system/multi-user.target.wants/mien-provision.service"
        return link.is_symlink() and (OVERLAY / str(link.readlink()).lstrip("/")).is_file()

    def _run(self, script: str, **commands: str) -> None:
        (self.folder / "run").mkdir(exist_ok=True)
        environment = act(self.folder, **commands)
        for name in ("sys", "run", "conf", "cmdline", "card"):
            environment[f"MIEN_{name.upper()}"] = str(self.folder / name)
        environment["MIEN_TRIES"] = str(TRIES)
        subprocess.run([self.shell, SCRIPTS / script], env=environment, timeout=60, check=True, capture_output=True)


@pytest.fixture(params=SHELLS)
def initrd(request: pytest.FixtureRequest, tmp_path: Path) -> Initrd:
    return Initrd(tmp_path, request.param)


@pytest.mark.parametrize(
    ("boot", "found", "root"),
    [
        ("mmc", "sda2 mmcblk0p2", "mmcblk0p2"),
        ("mmc", "mmcblk0p2 sda2", "mmcblk0p2"),
        ("usb", "mmcblk0p2 sda2", "sda2"),
        ("usb", "sdb2 sda2", "sda2"),
        ("scsi", "sda2 sdb2", "sdb2"),
        ("virtio", "sda2 vda3", "vda3"),
        ("nvme", "sda2 nvme0n1p2", "nvme0n1p2"),
        ("", "sda2 mmcblk0p2", "mmcblk0p2"),
        ("", "vda3", "vda3"),
    ],
)
def test_the_disk_on_the_bus_that_u_boot_read_from_is_the_board_s(
    initrd: Initrd, boot: str, found: str, root: str
) -> None:
    assert initrd.find(found, boot) == f"ROOT=/dev/{root}"
    assert initrd.pauses == 0


def test_a_stick_with_the_card_s_identity_is_never_started_from(initrd: Initrd) -> None:
    assert initrd.find("sda2", "mmc") == "ROOT=/dev/mien-root-not-found"
    assert initrd.pauses == TRIES - 1
    assert list((initrd.folder / "run").iterdir()) == []


def test_a_card_that_is_slower_than_a_stick_is_waited_for(initrd: Initrd) -> None:
    assert initrd.find("sda2", "mmc", later="mmcblk0p2", tries=TRIES - 2) == "ROOT=/dev/mmcblk0p2"
    assert initrd.pauses == TRIES - 2


@pytest.mark.parametrize(("tries", "root"), [(29, "mmcblk0p2"), (31, "sda2")])
def test_without_u_boot_s_word_a_usb_disk_waits_for_three_seconds(initrd: Initrd, tries: int, root: str) -> None:
    assert initrd.find("sda2", later="mmcblk0p2", tries=tries) == f"ROOT=/dev/{root}"


def test_another_kind_of_root_is_left_to_the_kernel_s_command_line(initrd: Initrd) -> None:
    assert initrd.find("vda3", root="/dev/vda2") == ""
    assert not initrd.wants_provisioning()


def test_udev_names_the_partitions_of_that_disk_and_no_other_s(initrd: Initrd) -> None:
    initrd.find("sda2 mmcblk0p2", "mmc")
    rules = (initrd.folder / "run/udev/rules.d/65-mien-disk.rules").read_text()
    named = dict(re.findall(r'^SUBSYSTEM=="block", KERNEL=="(\w+)", SYMLINK\+="mien/([\w-]+)"$', rules, re.MULTILINE))
    assert named == {
        "mmcblk0": "disk",
        "mmcblk0p1": "firmware",
        "mmcblk0p2": "root-a",
        "mmcblk0p3": "root-b",
        "mmcblk0p4": "data",
    }


def test_a_root_b_names_the_same_partitions(initrd: Initrd) -> None:
    initrd.find("vda3", "virtio", root="PARTUUID=01234567-03")
    rules = (initrd.folder / "run/udev/rules.d/65-mien-disk.rules").read_text()
    assert 'KERNEL=="vda", SYMLINK+="mien/disk"' in rules
    assert 'KERNEL=="vda4", SYMLINK+="mien/data"' in rules


def test_nothing_else_names_them() -> None:
    names = re.compile(r"mien/(disk|data|firmware|root)")
    assert [path for path in OVERLAY.rglob("*.rules") if names.search(path.read_text())] == []


def test_the_data_is_that_disk_s() -> None:
    text = (SCRIPTS / "init-bottom/mien-data").read_text()
    assert "device=/dev/${prefix:?}4\n" in text
    assert "PARTUUID" not in text


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ((), False),
        (("README.txt", "TAKEN.txt", "voice.key", ".x"), False),
        (("README.txt", "mien.toml"), True),
        (("keys/voice.key",), True),
        (("MISTAKES.txt",), True),
    ],
)
def test_provisioning_is_part_of_a_start_that_finds_new_settings(
    initrd: Initrd, names: tuple[str, ...], wanted: bool
) -> None:
    for name in names:
        path = initrd.folder / "card/mien" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    initrd.find("sda2 mmcblk0p2", "mmc")
    assert initrd.wants_provisioning() is wanted
    assert (initrd.folder / "mounted").read_text() == f"-t vfat -o ro /dev/mmcblk0p1 {initrd.folder}/card\n"


def test_a_card_that_the_initrd_cannot_read_is_left_to_provisioning(initrd: Initrd) -> None:
    initrd.find("vda3", "virtio")
    assert initrd.wants_provisioning(mount="exit 1")


def test_u_boot_says_where_it_read_from_and_asks_the_disk_for_its_identity() -> None:
    boot = (REPOSITORY / "firmware_scripts/boot/boot.cmd").read_text()
    assert "part uuid ${devtype} ${devnum}:${part} uuid" in boot
    assert "root=PARTUUID=${uuid} mien.boot=${devtype} ro" in boot
    assert boot.index("part uuid") > boot.index("setenv part 3")


TABLE = """label: dos
label-id: 0x6d69656e
start=4MiB, size=8MiB, type=c, bootable
size=16MiB, type=83
size=16MiB, type=83
size=4MiB, type=83
"""


@pytest.mark.skipif(not shutil.which("sfdisk"), reason="needs fdisk")
@pytest.mark.parametrize("asked", [True, False])
def test_the_data_grows_to_the_card_s_end_and_the_card_gets_its_own_identity(tmp_path: Path, asked: bool) -> None:
    disk = tmp_path / "card0p"
    with disk.open("wb") as file:
        file.truncate(128 << 20)
    subprocess.run(["sfdisk", "-q", disk], input=TABLE, text=True, check=True, timeout=30)
    (tmp_path / "cmdline").write_text("root=PARTUUID=6d69656e-02 " + ("mien.boot=mmc ro" if asked else "ro"))
    for name, target in (("disk", "card0p"), ("data", "card0p4")):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).symlink_to(f"../{target}")
    log = f'echo "$(basename "$0") $*" >>{tmp_path}/log'
    environment = act(tmp_path, partx=f"{log}; echo 4242", resizepart=log, resize2fs=log, sync="")
    environment |= {"MIEN_DEV": f"{tmp_path}/dev", "MIEN_DATA": str(tmp_path), "MIEN_CMDLINE": f"{tmp_path}/cmdline"}
    before = sfdisk_dump(disk)
    subprocess.run(["sh", OVERLAY / "usr/lib/mien/grow-data"], env=environment, check=True, timeout=30)
    after = sfdisk_dump(disk)
    assert (after["label-id"] != "0x6d69656e") is asked
    assert re.fullmatch(r"0x[0-9a-f]{8}", after["label-id"])
    end = (128 << 20) // 512
    fourth = f"{disk}4"
    start = int(re.findall(r"start= *(\d+)", after[fourth])[0])
    assert start + int(re.findall(r"size= *(\d+)", after[fourth])[0]) == end
    assert {key: before[key] for key in before if key not in ("label-id", fourth)} == {
        key: after[key] for key in after if key not in ("label-id", fourth)
    }
    assert (tmp_path / "log").read_text().splitlines() == [
        f"partx --raw --noheadings --output SECTORS --nr 4:4 {disk}",
        f"resizepart {disk} 4 4242",
        f"resize2fs {fourth}",
    ]
    assert (tmp_path / ".grown").exists()


def sfdisk_dump(disk: Path) -> dict[str, str]:
    """The table's lines, by what comes before the first colon."""
    said = subprocess.run(["sfdisk", "--dump", disk], capture_output=True, text=True, check=True, timeout=30).stdout
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in said.splitlines() if line)}
