"""The Debian releases that images are made of: names, lists, and this machine's apt sources under another name."""

import os
import subprocess
from pathlib import Path

import pytest

from rigs.acted import act

SCRIPTS = Path(__file__).resolve().parents[2] / "firmware_scripts"
OWN = ("SUITE", "KERNEL", "VERSION", "WORK", "OUT", "IMAGE", "MIEN_IMAGE_WORK", "MIEN_IMAGE_OUT")
DEB822 = """Types: deb
# a snapshot
URIs: http://mirror.example/bookworm/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
"""
ONE_LINE = """# deb http://old.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib
deb [signed-by=/k.gpg] http://mirror.example/debian-security bookworm-security main
"""


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """bash, with the helpers of the steps."""
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    return subprocess.run(
        ["bash", "-euc", f". {SCRIPTS}/lib.sh; {script}"],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def setting(name: str, **environment: str) -> str:
    done = shell(f'echo "${name}"', **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("chosen", "variant", "python"),
    [
        ({"SUITE": "bookworm"}, "bookworm", "3.11"),
        ({"SUITE": "trixie", "KERNEL": ""}, "trixie", "3.13"),
        ({"SUITE": "trixie", "KERNEL": "backports"}, "trixie-backports", "3.13"),
    ],
)
def test_each_suite_has_its_own_files(chosen: dict[str, str], variant: str, python: str) -> None:
    assert setting("PYTHON", **chosen) == python
    assert setting("WORK", **chosen).endswith(f"build/image/{variant}")
    assert Path(setting("IMAGE", VERSION="1.2.3", **chosen)).name == f"mien-1.2.3-{variant}-arm64.img"
    assert setting("WORK", MIEN_IMAGE_WORK="/somewhere", **chosen) == f"/somewhere/{variant}"


def test_without_a_suite_it_is_the_default() -> None:
    assert setting("SUITE") == setting("SUITE", SUITE="") == "bookworm"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"SUITE": "sid"}, "no image can be made of the suite sid: choose bookworm (Debian 12) or trixie (Debian 13)"),
        ({"SUITE": "../x"}, "no image can be made of the suite ../x: choose "),
        ({"SUITE": "trixie", "KERNEL": "7.3"}, "there is no kernel 7.3 for trixie: leave KERNEL out"),
        ({"SUITE": "bookworm", "KERNEL": "backports"}, "there is no kernel backports for bookworm: leave KERNEL out"),
    ],
)
@pytest.mark.parametrize("script", ["build-image", "build-bundle"])
def test_another_suite_or_kernel_is_refused(script: str, chosen: dict[str, str], said: str) -> None:
    done = subprocess.run(
        [SCRIPTS / script], env={**os.environ, **chosen}, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{script}: {said}")
    assert done.stderr.count("\n") == 1


def test_an_entry_of_a_list_may_be_for_one_suite(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("# all\none\ntwo==2 [bookworm]  # why\nthree [trixie]\n\nfour # [trixie]\nusr/*/[!b]*\n")
    assert shell(f"list_of {listing}", SUITE="bookworm").stdout.split() == ["one", "two==2", "four", "usr/*/[!b]*"]
    assert shell(f"list_of {listing}", SUITE="trixie").stdout.split() == ["one", "three", "four", "usr/*/[!b]*"]


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_each_suite_has_one_interpreter_for_the_model(suite: str) -> None:
    listed = shell(f"list_of {SCRIPTS}/python-packages.txt", SUITE=suite).stdout.split()
    names = {entry.partition("==")[0] for entry in listed}
    assert (
        names & {"tflite-runtime", "ai-edge-litert"}
        == {
            "bookworm": {"tflite-runtime"},
            "trixie": {"ai-edge-litert"},
        }[suite]
    )
    assert all("==" in entry for entry in listed)


def sources(tmp_path: Path, files: dict[str, str], **environment: str) -> tuple[int, str, str]:
    """suite-sources on a machine with these files below /etc/apt: status, what it wrote, and its errors."""
    apt, out = tmp_path / "apt", tmp_path / "out"
    (apt / "sources.list.d").mkdir(parents=True)
    out.mkdir()
    for name, text in files.items():
        (apt / name).write_text(text)
    done = subprocess.run(
        [SCRIPTS / "suite-sources", out],
        env={**os.environ, "MIEN_APT": str(apt), "MIEN_HOST_SUITE": "bookworm", "KERNEL": "", **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stdout.split() == [str(path) for path in sorted(out.iterdir())]
    return done.returncode, "".join(path.read_text() for path in sorted(out.iterdir())), done.stderr


def test_the_machines_own_suite_gets_its_sources_with_the_firmwares_component(tmp_path: Path) -> None:
    status, text, _ = sources(tmp_path, {"sources.list.d/debian.sources": DEB822}, SUITE="bookworm")
    assert status == 0
    assert text == DEB822.replace("# a snapshot\n", "").replace("Components: main contrib", "Components: main").replace(
        "Components: main", "Components: main non-free-firmware"
    )


def test_another_suite_gets_the_same_mirrors(tmp_path: Path) -> None:
    status, text, _ = sources(tmp_path, {"sources.list.d/debian.sources": DEB822}, SUITE="trixie")
    assert status == 0
    assert "URIs: http://mirror.example/bookworm/debian\nSuites: trixie trixie-updates\n" in text
    assert "Suites: trixie-security\n" in text


def test_one_line_sources_too(tmp_path: Path) -> None:
    _, text, _ = sources(tmp_path, {"sources.list": ONE_LINE}, SUITE="trixie")
    assert text == (
        "deb http://mirror.example/debian trixie main non-free-firmware\n"
        "deb [signed-by=/k.gpg] http://mirror.example/debian-security trixie-security main non-free-firmware\n"
    )


def test_a_newer_kernel_comes_from_backports_of_the_release_only(tmp_path: Path) -> None:
    files = {"sources.list.d/debian.sources": DEB822, "sources.list.d/old.list": ONE_LINE}
    _, text, _ = sources(tmp_path, files, SUITE="trixie", KERNEL="backports")
    assert "Suites: trixie trixie-updates trixie-backports\n" in text
    assert "Suites: trixie-security\n" in text
    assert "deb http://mirror.example/debian trixie-backports main non-free-firmware\n" in text
    assert "security-backports" not in text


def test_sources_that_name_the_suite_are_preferred_and_others_left_out(tmp_path: Path) -> None:
    files = {
        "sources.list": ONE_LINE,
        "sources.list.d/next.list": "deb http://next.example/debian trixie main\n",
        "sources.list.d/vendor.list": "deb http://vendor.example/apt stable main\n",
    }
    _, text, _ = sources(tmp_path, files, SUITE="trixie")
    assert text == "deb http://next.example/debian trixie main non-free-firmware\n"


def test_a_machine_without_debian_sources_is_told(tmp_path: Path) -> None:
    status, text, said = sources(tmp_path, {"sources.list": "deb http://u.example/ubuntu noble main\n"}, SUITE="trixie")
    assert (status, text) == (1, "")
    assert (
        said
        == "suite-sources: no apt source of this machine has the suite trixie, or bookworm, which could be replaced\n"
    )


BYTE_RANGES = "the server does not answer byte ranges"


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        ("Failed to stream bundle u: range requests not supported by server", True),
        ("signature verification failed", False),
    ],
)
def test_a_server_without_byte_ranges_is_named_with_a_remedy(tmp_path: Path, failure: str, remedy: bool) -> None:
    environment = act(
        tmp_path, rauc="exit 1", busctl=f"echo 's \"{failure}\"'", systemctl=f"touch {tmp_path}/restarted"
    )
    done = subprocess.run(
        ["sh", SCRIPTS / "overlay/usr/bin/mien-update", "http://u/a.raucb"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert (BYTE_RANGES in done.stderr) is remedy
    assert not (tmp_path / "restarted").exists()


def test_an_installed_update_is_started(tmp_path: Path) -> None:
    environment = act(tmp_path, rauc=f"echo $* >{tmp_path}/asked", systemctl=f"echo $* >{tmp_path}/restarted")
    subprocess.run(
        ["sh", SCRIPTS / "overlay/usr/bin/mien-update", "http://u/a.raucb"],
        env=environment,
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert (tmp_path / "asked").read_text() == "install http://u/a.raucb\n"
    assert (tmp_path / "restarted").read_text() == "--no-block start reboot.target\n"


def test_only_debian_12_downloads_a_bundle() -> None:
    drop_ins = {
        suite: "".join(
            path.read_text()
            for folder in ("overlay", f"overlay-{suite}")
            for path in sorted((SCRIPTS / folder / "usr/lib/systemd/system/rauc.service.d").glob("*.conf"))
        )
        for suite in ("bookworm", "trixie")
    }
    assert "\nEnvironment=TMPDIR=/data/update\n" in drop_ins["bookworm"]
    assert "TMPDIR" not in drop_ins["trixie"]
    assert "\nExecStartPre=-/sbin/modprobe nbd " in drop_ins["trixie"]
    modules = shell(f"list_of {SCRIPTS}/useless-modules.txt").stdout.split()
    assert not [pattern for pattern in modules if pattern.startswith("drivers/block")]  # nbd, and loop


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to other groups")
def test_keys_belong_to_the_voice_of_a_release_with_other_account_numbers(tmp_path: Path) -> None:
    keys, allowed = tmp_path / "data/etc/mien/keys", tmp_path / "data/etc/mien/keys/allowed/speaker"
    link = tmp_path / "data/etc/mien/link"
    allowed.mkdir(parents=True)
    link.mkdir()
    for path in (keys / "voice.key_secret", allowed / "bot.key", link / "link.key"):
        path.write_text("key")
        path.chmod(0o640)
        os.chown(path, 0, 994)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nmien-voice:x:987:\nmien-link:x:985:\n")
    rule = SCRIPTS / "overlay/usr/lib/tmpfiles.d/mien-update.conf"
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}", rule], check=True, timeout=20)
    for path in (keys, keys / "voice.key_secret", allowed / "bot.key"):
        assert (path.stat().st_uid, path.stat().st_gid) == (0, 987), path
    for path in (link, link / "link.key"):
        assert (path.stat().st_uid, path.stat().st_gid) == (0, 985), path
    assert (keys / "voice.key_secret").stat().st_mode & 0o777 == 0o640
