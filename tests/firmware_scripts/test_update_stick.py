"""A USB stick: what is mounted of it, what is checked before anything is disturbed, and what is told of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rigs.acted import act

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "firmware_scripts"
LIB = SCRIPTS / "overlay/usr/lib/mien"
GOOD = "mien-0.2.0-arm64.raucb"
MESSAGE = "systemctl start mien-message.target"


class Stick:
    """A stick's files in a folder. RAUC trusts what begins with "good"; commands write themselves down."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "stick"
        self.files.mkdir()
        self.screen = folder / "screen"
        self.done = folder / "done"
        self._log = folder / "log"
        self._folder = folder

    def put(self, name: str = GOOD, content: bytes = b"good" * 2000) -> None:
        (self.files / name).write_bytes(content)

    def plug_in(self, install: str = "true", **commands: str) -> "subprocess.CompletedProcess[str]":
        """install: what `rauc install` does."""
        log = f'echo "$(basename "$0") $*" | sed "s,{self.files}/,," >>{self._log}'
        judge = f"""{log}
case $1 in
info) [ "$(head -c 4 "$2")" = good ] || {{ printf 'Invalid bundle format: \\033[2J is odd\\n' >&2; exit 1; }} ;;
install) {install} ;;
esac"""
        acted = {"sleep": log, "systemctl": log, "rauc": judge, **commands}
        return subprocess.run(
            ["sh", LIB / "update-stick", self.files, self.done, self.screen],
            env=act(self._folder, **acted),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        """The commands so far, which are then forgotten."""
        asked = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return asked


@pytest.fixture
def stick(tmp_path: Path) -> Stick:
    return Stick(tmp_path)


def test_a_stick_is_installed_once_and_the_screen_says_so(stick: Stick) -> None:
    stick.put()
    assert stick.plug_in().returncode == 0
    assert "may be taken out" in stick.screen.read_text()
    assert stick.asked == [
        f"rauc info {GOOD}",
        f"rauc install {GOOD}",
        MESSAGE,
        "sleep 5",
        "systemctl --no-block start reboot.target",
    ]
    again = stick.plug_in()
    assert "installed before" in again.stdout
    assert again.returncode == 0
    assert stick.asked == [f"rauc info {GOOD}"]  # a stick that stays in is no loop


def test_another_update_on_the_same_stick_is_installed(stick: Stick) -> None:
    stick.put()
    stick.plug_in()
    stick.put(content=b"good" + b"x" * 5000)
    assert "rauc install" in " ".join((stick.plug_in(), stick.asked)[1])


def test_an_update_that_is_refused_is_told_of_and_the_face_comes_back(stick: Stick) -> None:
    stick.put()
    refused = stick.plug_in("printf 'LastError: an older\\033[2J release\\n'; exit 1")
    assert refused.returncode == 1
    assert "was not installed: an older[2J release" in stick.screen.read_text()
    assert stick.asked[-3:] == [MESSAGE, "sleep 20", "systemctl --no-block start mien.target"]
    assert not stick.done.exists()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("LastError: no space\\nLastError: an older release\\nInstalling failed\\n", "an older release\n"),
        ("D-Bus error while installing\\n", "D-Bus error while installing\n"),
    ],
)
def test_the_reason_is_rauc_s_last_error_or_what_it_said_last(stick: Stick, said: str, reason: str) -> None:
    stick.put()
    assert stick.plug_in(f"printf '{said}'; exit 1").returncode == 1
    assert f"was not installed: {reason}" in stick.screen.read_text()


@pytest.mark.parametrize("content", [b"", b"x", b"junk" * 100_000])
def test_a_stranger_s_bundle_disturbs_nothing_and_is_told_to_the_journal(stick: Stick, content: bytes) -> None:
    stick.put(content=content)
    found = stick.plug_in()
    assert found.returncode == 1
    assert stick.asked == [f"rauc info {GOOD}"]
    assert not stick.screen.exists()
    assert f"{GOOD}: Invalid bundle format: [2J is odd\n" in found.stdout


def test_the_newest_bundle_that_is_ours_is_taken(stick: Stick) -> None:
    stick.put("mien-0.9.0.raucb")
    stick.put("mien-0.10.0.raucb")
    stick.put("mien-9.raucb", b"junk")
    stick.plug_in()
    looked, ours = "rauc info mien-9.raucb", "mien-0.10.0.raucb"
    assert stick.asked[:3] == [looked, f"rauc info {ours}", f"rauc install {ours}"]


@pytest.mark.parametrize(
    "name",
    [
        "a b.raucb",
        "-x.raucb",
        ".x.raucb",
        "a\nb.raucb",
        "a\x1b.raucb",
        "ä.raucb",
        "a.raucb.part",
        "a;b.raucb",
        "a" * 122 + ".raucb",
        "a.RAUCB",
    ],
)
def test_only_names_that_a_terminal_may_show_are_looked_at(stick: Stick, name: str) -> None:
    stick.put(name)
    assert stick.plug_in().returncode == 1
    assert stick.asked == []


def test_links_folders_and_what_is_larger_than_a_bundle_are_not_looked_at(stick: Stick) -> None:
    (stick.files / "link.raucb").symlink_to("/etc/hostname")
    (stick.files / "folder.raucb").mkdir()
    (stick.files / "below").mkdir()
    stick.put("below/x.raucb")
    with (stick.files / "large.raucb").open("wb") as file:
        file.truncate((1 << 30) + 1)
    assert stick.plug_in().returncode == 1
    assert stick.asked == []
    with (stick.files / "largest.raucb").open("wb") as file:
        file.truncate(1 << 30)
    stick.plug_in()
    assert stick.asked == ["rauc info largest.raucb"]


def test_a_stick_full_of_bundles_is_looked_at_eight_times(stick: Stick) -> None:
    for number in range(30):
        stick.put(f"{number:02}.raucb", b"junk")
    stick.plug_in()
    assert stick.asked == [f"rauc info {number:02}.raucb" for number in range(29, 21, -1)]


def test_an_update_is_started_though_there_is_no_screen(stick: Stick) -> None:
    stick.put()
    stick.screen.mkdir()
    assert stick.plug_in().returncode == 0
    assert stick.asked[-1] == "systemctl --no-block start reboot.target"


def mount(tmp_path: Path, kind: str) -> tuple[int, str]:
    """mount-stick with a device that blkid finds to be `kind`. Returns its exit status, and what it asked mount for."""
    environment = act(tmp_path, blkid=f'[ "{kind}" ] && echo "{kind}"', mount=f'echo "$*" >{tmp_path}/asked')
    found = subprocess.run(
        ["sh", LIB / "mount-stick", "/dev/x", tmp_path / "at"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return found.returncode, (tmp_path / "asked").read_text() if (tmp_path / "asked").exists() else found.stdout


@pytest.mark.parametrize(("kind", "more"), [("vfat", ""), ("exfat", ""), ("ext4", ",noload")])
def test_what_sticks_are_formatted_with_is_mounted_to_be_read(tmp_path: Path, kind: str, more: str) -> None:
    assert mount(tmp_path, kind) == (0, f"-t {kind} -o ro,nosuid,nodev,noexec{more} /dev/x {tmp_path}/at\n")


@pytest.mark.parametrize("kind", ["btrfs", "ntfs", "ext3", "squashfs", ""])
def test_any_other_file_system_is_not_mounted(tmp_path: Path, kind: str) -> None:
    status, said = mount(tmp_path, kind)
    assert status == 1
    assert said.endswith("format it as FAT, exFAT or ext4\n")


def test_udev_starts_it_for_such_a_usb_stick_alone() -> None:
    rules = (SCRIPTS / "overlay/usr/lib/udev/rules.d/66-mien-update-stick.rules").read_text()
    wanting = [line for line in rules.splitlines() if "mien-update-stick.service" in line]
    assert len(wanting) == 1
    for condition in ('ENV{ID_FS_LABEL}=="MIEN-UPDATE"', 'ENV{ID_FS_TYPE}=="vfat|exfat|ext4"', 'SUBSYSTEMS=="usb"'):
        assert condition in wanting[0]


MANIFEST = """[update]
compatible=mien-arm64
version=0.2.0

[bundle]
format=verity

[image.rootfs]
filename=root.ext4
"""


@pytest.mark.skipif(not shutil.which("rauc") or not shutil.which("mksquashfs"), reason="needs rauc and squashfs-tools")
@pytest.mark.parametrize(("signer", "trusted"), [("ours", True), ("another", False)])
def test_rauc_itself_tells_our_signature_from_another(stick: Stick, tmp_path: Path, signer: str, trusted: bool) -> None:
    for name in ("ours", "another"):
        subprocess.run(
            [SCRIPTS / "make-keys"],
            env={**os.environ, "MIEN_KEYS": str(tmp_path / name)},
            check=True,
            capture_output=True,
            timeout=60,
        )
    source = tmp_path / "source"
    source.mkdir()
    (source / "root.ext4").write_bytes(os.urandom(100_000))
    (source / "manifest.raucm").write_text(MANIFEST)
    keys = tmp_path / signer
    subprocess.run(
        [
            "rauc",
            f"--cert={keys}/bundle.cert.pem",
            f"--key={keys}/bundle.key.pem",
            "bundle",
            source,
            stick.files / GOOD,
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    configuration = (SCRIPTS / "overlay/etc/rauc/system.conf").read_text()
    here = tmp_path / "system.conf"
    here.write_text(configuration.replace("/etc/rauc/keyring.pem", f"{tmp_path}/ours/bundle.cert.pem"))
    real = f'[ "$1" = install ] || exec {shutil.which("rauc")} --conf={here} "$@"'
    found = stick.plug_in(rauc=f'echo "rauc $1" >>{tmp_path}/log; {real}')
    assert (found.returncode == 0) is trusted, found.stdout + found.stderr
    assert ("rauc install" in stick.asked) is trusted
    assert trusted or "signature verification failed" in found.stdout
