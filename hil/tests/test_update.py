"""Updates: bundles that a board must refuse, releases that must be rolled back, a power cut during an installation.

Bundles are made here, signed with the image's key (firmware_scripts/make-keys) or another, and served by HTTP with byte
ranges: a board of Debian 13 streams them, one of Debian 12 downloads them.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.board import SERVICES, Board
from hil.byte_ranges import Served, serve
from hil.process import run
from hil.stages import State, answers, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT_AT = 132 * 2**20  # firmware_scripts/settings.sh: root A
ROOT_BYTES = 1280 * 2**20
COMPATIBLE = "mien-arm64"
BUNDLE_S = 600.0
TRIAL_S = 60
COPY_MB = 20.0  # what logs may write meanwhile; a copy of a bundle has 200
SLOT = "sed 's/.*rauc.slot=\\([AB]\\).*/\\1/' /proc/cmdline"
INSTALL_S = 240.0  # scaled by the rig's patience: an emulated board writes half a megabyte per second


def own_key() -> Path:
    """The certificate that the image trusts; its key is beside it."""
    return Path(run("update", str(REPOSITORY / "firmware_scripts/make-keys"), timeout_s=60).strip())


def foreign_key(folder: Path) -> Path:
    """A self-signed certificate that the image does not trust."""
    certificate = folder / "bundle.cert.pem"
    run(
        "update", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", "/CN=somebody", "-keyout", str(folder / "bundle.key.pem"), "-out", str(certificate),
    )  # fmt: skip
    return certificate


def bundle(folder: Path, name: str, root: Path, certificate: Path, *, version: str, compatible: str) -> None:
    """Make a signed verity bundle of a root."""
    content = folder / "content"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    os.link(root, content / "root.ext4")
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible={compatible}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
        "[image.rootfs]\nfilename=root.ext4\n"
    )
    key = certificate.with_name(certificate.name.replace(".cert.", ".key."))
    run(
        "update", "rauc", "--cert", str(certificate), "--key", str(key), "bundle",
        "--mksquashfs-args=-comp zstd -Xcompression-level 1 -no-progress", str(content), str(folder / name),
        timeout_s=BUNDLE_S,
    )  # fmt: skip


def root_of(image: Path, folder: Path, version: str, *edits: str) -> Path:
    """Root A of the board's image with another version. edits: further debugfs commands."""
    root = folder / "root.ext4"
    run("update", "dd", f"if={image}", f"of={root}", "bs=1M", f"skip={ROOT_AT >> 20}", f"count={ROOT_BYTES >> 20}",
        "conv=sparse", "status=none", timeout_s=300)  # fmt: skip
    (folder / "release").write_text(f"NAME=mien\nVERSION_ID={version}\nBUILD_EPOCH=1\n")
    lines = ("rm /etc/mien-release", f"write {folder / 'release'} /etc/mien-release", *edits)
    subprocess.run(["debugfs", "-w", str(root)], input="\n".join(lines), text=True, capture_output=True, check=True,
                   timeout=60)  # fmt: skip
    return root


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A folder that is served by HTTP."""
    with serve(tmp_path) as served:
        yield served


@pytest.fixture
def updatable(board: Board) -> Board:
    """A board with RAUC and two roots; skips if this machine cannot make bundles."""
    if board.run("rauc --version").status:
        pytest.skip("no RAUC on this board: it has no second root")
    lacking = [name for name in ("rauc", "mksquashfs", "openssl", "debugfs") if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"not installed here: {', '.join(lacking)}")
    return board


def address(board: Board, served: Served, name: str) -> str:
    """URL of a served file: this machine is the board's default gateway, or MIEN_HIL_HOST."""
    host = os.environ.get("MIEN_HIL_HOST") or board.ask("ip -4 route show default | cut -d' ' -f3 | head -n 1")
    return f"http://{host}:{served.port}/{name}"


def slot(board: Board) -> str:
    """The active root: A or B."""
    return board.ask(SLOT)


def order(board: Board) -> str:
    """U-Boot's boot order and attempts left, from the environment on the disk."""
    return board.ask("fw_printenv | sort | tr '\\n' ' '")


@pytest.mark.lg_feature("own-disk")
@pytest.mark.parametrize(
    ("version", "compatible", "trusted", "why"),
    [
        ("9.0.0", "other-board", True, "ompatible"),
        ("9.0.0", COMPATIBLE, False, "signature"),
        ("0.0.1", COMPATIBLE, True, "this board runs"),
    ],
    ids=["another board", "another signature", "an older release"],
)
def test_a_bundle_that_is_not_for_this_board_is_refused(
    updatable: Board, served: Served, version: str, compatible: str, trusted: bool, why: str
) -> None:
    folder = served.folder
    tiny = folder / "tiny.ext4"
    tiny.write_bytes(os.urandom(2**20))  # zeros would compress to less than the minimum size of a bundle
    certificate = own_key() if trusted else foreign_key(folder)
    bundle(folder, "a.raucb", tiny, certificate, version=version, compatible=compatible)
    # Not the attempts of the active root: any installation, even a refused one, resets them to three.
    untouched = f"fw_printenv BOOT_ORDER BOOT_{other_root(updatable).upper()}_LEFT"
    before = updatable.ask(untouched)
    done = updatable.run(f"rauc install {address(updatable, served, 'a.raucb')} 2>&1", INSTALL_S)
    assert done.status != 0
    # RAUC writes the output of the pre-install handler only to the journal.
    assert why in done.output + updatable.ask("journalctl -u rauc -n 40 -o cat --no-pager")
    assert updatable.ask(untouched) == before
    assert got_as_its_rauc_does(updatable, served, "a.raucb")
    assert updatable.say(0.3).reason == "played"


def got_as_its_rauc_does(board: Board, served: Served, name: str) -> bool:
    """Whether a bundle was read by ranges only, if the board's RAUC streams, or else once as a whole."""
    if streams(board):
        return served.ranges.get(name, 0) > 0 and name not in served.whole
    return served.whole.get(name) == 1 and name not in served.ranges


def streams(board: Board) -> bool:
    """Whether the board's RAUC reads a bundle from where it is served."""
    return "streaming=1" in board.ask("grep -aom1 'streaming=1' /usr/bin/rauc || true")


def written_mb(board: Board, root: str) -> float:
    """MB written to a root since the board started. root: a or b."""
    sectors = board.run(
        f"awk '{{print $7}}' /sys/class/block/$(basename $(readlink -f /dev/mien/root-{root}))/stat"
    ).output
    return int(sectors or 0) * 512 / 1e6


def other_root(board: Board) -> str:
    """The inactive root: a or b."""
    return {"A": "b", "B": "a"}[slot(board)]


def comes_back(board: Board) -> None:
    """Assert that face and voice work."""
    board.rig.console.close()
    wait_until(lambda: board.stages.shows_face() and board.active(*SERVICES), 240 * board.rig.patience, "the face", 2.0)
    board.stages.state = State.READY
    assert board.say(0.3).reason == "played"


def restart(board: Board) -> None:
    """Reboot as mien-update does, and wait for the next boot."""
    boot = board.ask("cat /proc/sys/kernel/random/boot_id")
    board.hang_up()
    answers(board.rig, "systemctl --no-block start reboot.target")  # the connection may end before the answer
    board.rig.console.close()

    def started_anew() -> bool:
        found = answers(board.rig, "cat /proc/sys/kernel/random/boot_id", 120)
        return found.status == 0 and found.output not in ("", boot)

    wait_until(started_anew, 120 * board.rig.patience, "a new boot", 5.0)


@pytest.mark.thorough
@pytest.mark.timeout(5400)
@pytest.mark.lg_feature("own-disk")
def test_a_whole_release_is_streamed_without_a_copy_on_the_board(updatable: Board, served: Served) -> None:
    board, folder, name = updatable, served.folder, "whole.raucb"
    if not streams(board):
        pytest.skip("the RAUC of this board does not stream: it downloads a bundle")
    root = root_of(board.stages.image, folder, "0.9.3")
    bundle(folder, name, root, own_key(), version="0.9.3", compatible=COMPATIBLE)
    size_mb = (folder / name).stat().st_size / 1e6
    used = "df --output=used -k /data | tail -n 1"
    before_kb = int(board.ask(used))
    board.ask(f"systemd-run --quiet --unit=rig-peak sh -c 'while sleep 1; do {used}; done >/run/rig-peak'")
    began = time.monotonic()
    done = board.run(f"rauc install {address(board, served, name)} 2>&1", INSTALL_S)
    took_s = time.monotonic() - began
    assert done.status == 0, done.output
    board.ask("systemctl stop rig-peak")
    grown_mb = (int(board.ask("sort -n /run/rig-peak | tail -n 1")) - before_kb) * 1024 / 1e6
    board.findings.figure(f"bundle of {size_mb:.0f} MB streamed and installed in", took_s, "s")
    board.findings.figure("bytes of it that were sent", served.sent[name] / 1e6, "MB")
    board.findings.figure("data partition: most that it grew meanwhile", grown_mb, "MB", must=f"below {COPY_MB:.0f} MB")
    assert served.ranges[name] > 0
    assert name not in served.whole
    assert grown_mb < COPY_MB
    board.hang_up()
    board.stages.to(State.OFF)  # the next test begins with the saved board, and without this release


@pytest.mark.thorough
@pytest.mark.timeout(5400)
@pytest.mark.lg_feature("power-cut")
def test_a_release_that_cannot_start_is_left_for_the_one_before(updatable: Board, served: Served) -> None:
    board, folder = updatable, served.folder
    before, kept = slot(board), board.ask("cat /data/etc/hostname /data/etc/machine-id")
    no_root = folder / "none.ext4"
    no_root.write_bytes(os.urandom(2**20))
    bundle(folder, "none.raucb", no_root, own_key(), version="0.9.0", compatible=COMPATIBLE)
    done = board.run(f"rauc install {address(board, served, 'none.raucb')} 2>&1", INSTALL_S)
    assert done.status == 0, done.output
    assert order(board).startswith(f"BOOT_{before}_LEFT=3 ")
    began = time.monotonic()
    restart(board)
    assert slot(board) == before
    board.findings.figure("release without a kernel: rolled back after", time.monotonic() - began, "s")
    comes_back(board)
    assert board.ask("cat /data/etc/hostname /data/etc/machine-id") == kept


def impatient(folder: Path, trial_s: int) -> tuple[str, str, str]:
    """debugfs commands for a shorter trial period: what is tested is the rollback, not the wait."""
    text = (REPOSITORY / "firmware_scripts/overlay/usr/lib/mien/health").read_text()
    assert text.count("TRIAL_S = 300 ") == 1
    (folder / "health").write_text(text.replace("TRIAL_S = 300 ", f"TRIAL_S = {trial_s} "))
    at = "/usr/lib/mien/health"
    return f"rm {at}", f"write {folder / 'health'} {at}", f"set_inode_field {at} mode 0100755"


@pytest.mark.thorough
@pytest.mark.timeout(4 * 3600)
@pytest.mark.lg_feature("own-disk")
def test_a_release_whose_voice_does_not_start_is_tried_three_times_and_left(updatable: Board, served: Served) -> None:
    board, folder = updatable, served.folder
    before, other, kept = slot(board), other_root(board), board.ask("cat /data/etc/hostname /data/etc/machine-id")
    root = root_of(board.stages.image, folder, "0.9.2", "rm /usr/bin/mien-voice", *impatient(folder, TRIAL_S))
    bundle(folder, "mute.raucb", root, own_key(), version="0.9.2", compatible=COMPATIBLE)
    done = board.run(f"rauc install {address(board, served, 'mute.raucb')} 2>&1", INSTALL_S)
    assert done.status == 0, done.output
    began = time.monotonic()
    restart(board)
    assert slot(board) == other.upper()
    wait_until(
        lambda: answers(board.rig, SLOT, 120).output == before, 3 * 240 * board.rig.patience, "the rollback", 5.0
    )
    note = f"three attempts of {TRIAL_S} s; 300 s in a shipped release"
    board.findings.figure("release without a voice: rolled back after", time.monotonic() - began, "s", note=note)
    tried = "journalctl -q -u mien-health -o cat --no-pager | grep -c 'not marked good; the board restarts'"
    assert board.run(tried, 60).output == "3"
    comes_back(board)
    assert "VERSION_ID=0.9.2" not in board.ask("cat /etc/mien-release")
    assert board.ask("cat /data/etc/hostname /data/etc/machine-id") == kept


@pytest.mark.thorough
@pytest.mark.timeout(4 * 3600)
@pytest.mark.lg_feature("power-cut")
def test_an_update_that_the_power_cut_short_is_installed_again(updatable: Board, served: Served) -> None:
    board, folder = updatable, served.folder
    root = root_of(board.stages.image, folder, "0.9.1")
    bundle(folder, "good.raucb", root, own_key(), version="0.9.1", compatible=COMPATIBLE)
    url = address(board, served, "good.raucb")
    before, other, kept = slot(board), other_root(board), board.ask("cat /data/etc/hostname /data/etc/machine-id")

    board.ask(f"systemd-run --quiet --unit=rig-update rauc install {url}")
    wait_until(lambda: written_mb(board, other) > 10, INSTALL_S * board.rig.patience, "writing to the other root", 2.0)
    board.rig.power.cut()
    board.hang_up()
    board.rig.power.on()
    comes_back(board)
    assert slot(board) == before

    began = time.monotonic()
    done = board.run(f"rauc install {url} 2>&1", INSTALL_S)
    assert done.status == 0, done.output
    board.findings.figure("update installed in", time.monotonic() - began, "s")
    restart(board)
    assert slot(board) == other.upper()
    assert "VERSION_ID=0.9.1" in board.ask("cat /etc/mien-release")
    verdict = "journalctl -q -b -u mien-health -o cat --no-pager"
    wait_until(lambda: "good:" in board.run(verdict).output, 240 * board.rig.patience, "the verdict", 5.0)
    assert f"BOOT_{other.upper()}_LEFT=3" in order(board)
    comes_back(board)
    assert board.ask("cat /data/etc/hostname /data/etc/machine-id") == kept
