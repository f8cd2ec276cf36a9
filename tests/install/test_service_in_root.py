"""`mien service --root DIR` with systemd's real tools, on a folder that looks like a system."""

import importlib.metadata
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mien.cli.service import service
from mien.host.exits import Exit
from mien.install import operations, places, system, tree
from mien.install.environment import Environment

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-sysusers") is None,
    reason="systemd-sysusers and userdel write another root's accounts for root only",
)

PYTHON = Path("/usr/bin/python3.11")
# What the tools leave behind on every system: locks and backups of the account files.
TOOL_TRACES = {"etc/.pwd.lock", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with what the tools need from a system: accounts and an interpreter."""
    root = tmp_path / "root"
    for folder in ("usr/bin", "usr/local/bin", "etc/systemd/system", "var/log", "run", "opt", "usr/lib/systemd/system"):
        (root / folder).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\naudio:x:29:\nvideo:x:44:\nrender:x:105:\n")
    (root / "etc/shadow").write_text("root:*:1::::::\n")
    (root / "etc/gshadow").write_text("root:*::\naudio:!::\nvideo:!::\nrender:!::\n")
    (root / "usr/lib/systemd/system/multi-user.target").write_text("[Unit]\nDescription=many\n")
    (root / PYTHON.relative_to("/")).write_text("#!/bin/sh\n")
    return root


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The site-packages of an environment as pipx makes it: mien, one dependency, and what the services do not need."""
    site = tmp_path / "home/site"
    distribute(
        site,
        "mien",
        ["mien/__init__.py", "../../../bin/mien"],
        requires=("needed>=1", "systemd-python", 'tests; extra == "dev"'),
    )
    distribute(site, "needed", ["needed.py"])
    distribute(site, "systemd-python", ["systemd/daemon.py"])
    distribute(site, "tests", ["tests.py"])
    distribute(site, "unrelated", ["unrelated.py"])
    (site.parent / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    (site / "mien-1.dist-info/entry_points.txt").write_text(
        "[console_scripts]\nmien = mien.cli:main\nmien-face = mien.face.__main__:main\n"
        "mien-voice = mien.voice.__main__:main\nmien-ear = mien.ear.__main__:main\n"
        "mien-link = mien.link.__main__:main\nmien-board-control = mien.host.board_control:main\n"
    )
    return site


def distribute(site: Path, name: str, files: list[str], requires: tuple[str, ...] = ()) -> None:
    """An installed distribution with these files."""
    info = site / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    lines = "".join(f"Requires-Dist: {text}\n" for text in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{lines}")
    for file in files:
        if ".." not in file:
            (site / file).parent.mkdir(exist_ok=True)
            (site / file).write_text("there = True\n")
    listed = [*files, f"{info.name}/METADATA"]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in listed))


@pytest.fixture(autouse=True)
def pipx(monkeypatch: pytest.MonkeyPatch, site: Path, tmp_path: Path) -> Environment:
    """This process seems to run in that environment."""

    def distribution(name: str) -> Distribution:
        path = site / f"{name}-1.dist-info"
        if not path.exists():
            raise importlib.metadata.PackageNotFoundError(name)
        return PathDistribution(path)

    running = Environment(tmp_path / "home", tmp_path / "home/bin", PYTHON)
    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    monkeypatch.setattr("mien.cli.service.running_environment", lambda: running)
    return running


@pytest.fixture
def mien(root: Path) -> Callable[..., Result]:
    """Run `mien service COMMAND --root ROOT ...`."""
    return lambda command, *more: CliRunner().invoke(service, [command, "--root", str(root), *more])


def snapshot(root: Path) -> dict[str, tuple[int, str]]:
    """Every path with its mode and content."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name not in TOOL_TRACES and path.suffix != ".pyc":  # which holds the time of its source
            content = f"-> {path.readlink()}" if path.is_symlink() else path.read_text() if path.is_file() else ""
            found[name] = (stat.S_IFMT(path.lstat().st_mode) | path.lstat().st_mode & 0o7777, content)
    return found


def test_install_puts_everything_in_place(root: Path, mien: Callable[..., Result]) -> None:
    done = mien("install")
    assert done.exit_code == 0, done.output
    assert "mien service status" in done.output  # what to do next
    unit = (root / "usr/local/lib/systemd/system/mien-voice.service").read_text()
    assert "ExecStart=/opt/mien/bin/mien-voice\n" in unit
    failure = (root / "usr/local/lib/systemd/system/mien-failure@.service").read_text()
    assert "ExecStart=/usr/local/lib/mien/failure-note %i\n" in failure
    assert (root / "usr/local/lib/mien/failure-note").stat().st_mode & 0o777 == 0o755
    for name in ("sysusers.d/mien.conf", "tmpfiles.d/mien.conf", "udev/rules.d/70-mien.rules"):
        assert (root / "usr/local/lib" / name).is_file()
    assert (root / "etc/systemd/system/multi-user.target.wants/mien.target").is_symlink()
    assert {"mien-voice", "mien-face"} <= {line.split(":")[0] for line in (root / "etc/passwd").read_text().split()}
    assert (root / "etc/mien/mien.toml").read_text() == (places.shipped_files() / "board-defaults.toml").read_text()
    assert (root / "etc/mien/keys").stat().st_mode & 0o7777 == 0o2750
    assert (root / "usr/local/bin/mien").readlink() == Path("/opt/mien/bin/mien")


def test_the_copied_environment_holds_what_mien_needs_and_no_more(root: Path, mien: Callable[..., Result]) -> None:
    assert mien("install").exit_code == 0
    site = root / "opt/mien/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    assert {path.name for path in site.iterdir()} - {"__pycache__"} == {
        "mien",
        "mien-1.dist-info",
        "needed.py",
        "needed-1.dist-info",
        "systemd",
        "systemd-python-1.dist-info",
    }
    assert (root / "opt/mien/bin/mien-face").read_text().startswith("#!/opt/mien/bin/python3\n")
    assert (root / "opt/mien/bin/python3").readlink() == PYTHON
    assert "include-system-site-packages = false" in (root / "opt/mien/pyvenv.cfg").read_text()


def test_debian_s_pygame_is_used_where_it_is(root: Path, site: Path, mien: Callable[..., Result]) -> None:
    (site / "mien-1.dist-info/METADATA").open("a").write("Requires-Dist: pygame\n")
    distribute(site, "pygame", ["pygame/__init__.py"])
    assert "KMSDRM" in mien("install").output
    assert list((root / "opt/mien").rglob("pygame"))
    (root / "usr/lib/python3/dist-packages/pygame").mkdir(parents=True)
    assert "KMSDRM" not in mien("install").output
    assert not list((root / "opt/mien").rglob("pygame"))
    assert "include-system-site-packages = true" in (root / "opt/mien/pyvenv.cfg").read_text()


def test_an_architecture_without_an_interpreter_is_told_which_have_one(
    mien: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no motion model can run" not in mien("install").output
    monkeypatch.setattr("mien.motion.interpreter.RUNTIMES", ())
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    done = mien("install")
    assert done.exit_code == 0
    assert "jaw will only follow the loudness: there is none for riscv64, but for x86_64 and aarch64" in done.output


def test_an_environment_that_lost_a_file_is_refused_with_the_remedy(site: Path, mien: Callable[..., Result]) -> None:
    (site / "needed.py").unlink()
    done = mien("install")
    assert done.exit_code == Exit.FAILED
    assert "needed.py is gone: this environment is broken; make it again" in done.output
    assert "not finished" in mien("status").output


def test_a_second_install_changes_nothing(root: Path, mien: Callable[..., Result]) -> None:
    assert mien("install").exit_code == 0
    before = snapshot(root)
    again = json.loads(mien("install", "--json").stdout)
    assert again["changed"] == []
    assert again["kept"] == ["/etc/mien/mien.toml"]
    assert snapshot(root) == before


def test_purge_leaves_no_trace(root: Path, mien: Callable[..., Result]) -> None:
    before = snapshot(root)
    assert mien("install").exit_code == 0
    removed = mien("uninstall", "--purge")
    assert removed.exit_code == 0, removed.output
    assert snapshot(root) == before


def test_purge_by_the_installed_command_removes_its_own_environment_and_goes_on(
    root: Path, mien: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sudo mien` runs from /opt/mien: half-way through, its own files are gone (seen in a Debian 12 container)."""
    before = snapshot(root)
    assert mien("install").exit_code == 0
    remove = operations.environment_copy.remove_environment

    def remove_the_running_one(*arguments: Path) -> None:
        remove(*arguments)
        monkeypatch.setattr(places, "__file__", str(root / "opt/mien/lib/mien/install/places.py"))

    monkeypatch.setattr(operations.environment_copy, "remove_environment", remove_the_running_one)
    removed = mien("uninstall", "--purge")
    assert removed.exit_code == 0, removed.output
    assert places.__file__.startswith(str(root)), "the copy was not removed, so nothing was shown"
    assert snapshot(root) == before


def test_uninstall_keeps_settings_and_accounts_alone(root: Path, mien: Callable[..., Result]) -> None:
    before = snapshot(root)
    assert mien("install").exit_code == 0
    (root / "etc/mien/mien.toml").write_text("[face]\nfps = 20\n")
    assert mien("uninstall").exit_code == 0
    left = {name for name in snapshot(root) if name not in before}
    assert left == {"etc/mien", "etc/mien/mien.toml", "etc/mien/keys", "etc/mien/link", "run/mien"}
    assert mien("install").exit_code == 0
    assert (root / "etc/mien/mien.toml").read_text() == "[face]\nfps = 20\n"
    assert mien("uninstall", "--purge").exit_code == 0
    assert snapshot(root) == before


def test_purge_after_uninstall_deletes_what_was_kept(root: Path, mien: Callable[..., Result]) -> None:
    before = snapshot(root)
    assert mien("install").exit_code == 0
    assert mien("uninstall").exit_code == 0
    assert mien("uninstall", "--purge").exit_code == 0
    assert snapshot(root) == before
    assert "nothing was installed" in mien("uninstall").output


def test_upgrade_keeps_settings_and_removes_what_the_new_version_lacks(root: Path, mien: Callable[..., Result]) -> None:
    assert mien("install").exit_code == 0
    settings = root / "etc/mien/mien.toml"
    settings.write_text("[face]\nfps = 20\n")
    old = root / "usr/local/lib/mien/old-helper"
    old.write_text("of an older version\n")
    receipt = root / "usr/local/lib/mien/receipt.json"
    text = json.loads(receipt.read_text())
    text["version"] = "0.0.9"
    text["files"]["/usr/local/lib/mien/old-helper"] = "0"
    receipt.write_text(json.dumps(text))
    upgraded = json.loads(mien("upgrade", "--json").stdout)
    assert upgraded["version_before"] == "0.0.9"
    assert not old.exists()
    assert settings.read_text() == "[face]\nfps = 20\n"
    assert json.loads(receipt.read_text())["state"] == "complete"


def test_install_takes_over_from_install_sh(root: Path, mien: Callable[..., Result]) -> None:
    before = snapshot(root)
    subprocess.run(["sh", places.shipped_files() / "install.sh", root], check=True)
    assert mien("install").exit_code == 0
    assert not (root / "usr/lib/systemd/system/mien-voice.service").exists()
    assert not (root / "usr/lib/mien").exists()
    assert mien("uninstall", "--purge").exit_code == 0
    assert {name for name in snapshot(root) if name not in before} <= {
        f"usr/lib/{name}" for name in ("sysusers.d", "tmpfiles.d", "udev", "udev/rules.d", "systemd/system-generators")
    }


def test_a_broken_off_install_is_reported_and_finished(
    mien: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(tree, "write", fail)
        failed = mien("install")
    assert failed.exit_code == Exit.FAILED
    assert "No space left" in failed.output
    found = mien("status")
    assert found.exit_code == Exit.FAILED
    assert "not finished" in found.output
    refused = mien("upgrade")
    assert refused.exit_code == Exit.CONFIG
    assert "not finished: run `mien service install`" in refused.output
    assert mien("install").exit_code == 0
    assert mien("status").exit_code == 0


def test_a_broken_off_install_can_be_removed(
    root: Path, mien: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(root)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(system.System, "create_accounts", fail)
        assert mien("install").exit_code == Exit.FAILED
    assert mien("uninstall", "--purge").exit_code == 0
    assert snapshot(root) == before


def assert_refused(done: Result, root: Path, before: dict[str, tuple[int, str]], sentence: str) -> None:
    assert done.exit_code == Exit.CONFIG, done.output
    assert sentence in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert snapshot(root) == before


def test_a_downgrade_is_refused(root: Path, mien: Callable[..., Result]) -> None:
    assert mien("install").exit_code == 0
    receipt = root / "usr/local/lib/mien/receipt.json"
    receipt.write_text(receipt.read_text().replace(operations.__version__, "99.0.0"))
    before = snapshot(root)
    assert_refused(mien("install"), root, before, "99.0.0 is installed, and this is")
    assert mien("install", "--allow-downgrade").exit_code == 0


def test_settings_that_do_not_suit_the_new_version_are_refused(root: Path, mien: Callable[..., Result]) -> None:
    (root / "etc/mien").mkdir()
    (root / "etc/mien/mien.toml").write_text("[face]\nfsp = 20\n")
    assert_refused(mien("install"), root, snapshot(root), "fsp")


def test_upgrade_of_nothing_is_refused(root: Path, mien: Callable[..., Result]) -> None:
    assert_refused(mien("upgrade"), root, snapshot(root), "there is nothing to upgrade: run `mien service install`")


def test_a_debian_package_is_left_to_apt(root: Path, mien: Callable[..., Result]) -> None:
    (root / "var/lib/dpkg").mkdir(parents=True)
    dpkg = root / "var/lib/dpkg/status"
    dpkg.write_text("Package: base\nStatus: install ok installed\n\nPackage: mien\nStatus: install ok installed\n")
    for command in ("install", "upgrade", "uninstall"):
        assert_refused(mien(command), root, snapshot(root), "use apt-get")
    dpkg.write_text("Package: mien\nStatus: deinstall ok config-files\n")
    assert mien("install").exit_code == 0


def test_mien_s_own_image_is_left_alone(root: Path, mien: Callable[..., Result]) -> None:
    (root / "etc/mien-release").write_text("NAME=mien\n")
    assert_refused(mien("install"), root, snapshot(root), "`mien-update` upgrades it")


def test_a_folder_that_is_no_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(service, ["install", "--root", str(tmp_path / "empty")])
    assert_refused(done, tmp_path / "empty", {}, "no system's root folder")


def test_an_image_without_the_interpreter_is_refused(root: Path, mien: Callable[..., Result]) -> None:
    (root / PYTHON.relative_to("/")).unlink()
    assert_refused(mien("install"), root, snapshot(root), f"has no {PYTHON}")


def test_a_source_tree_is_refused(root: Path, site: Path, mien: Callable[..., Result]) -> None:
    (site / "mien-1.dist-info/RECORD").write_text("__editable__.mien.pth,,\n")
    assert_refused(mien("install"), root, snapshot(root), "editable")


def test_systemd_python_is_asked_for(root: Path, site: Path, mien: Callable[..., Result]) -> None:
    shutil.rmtree(site / "systemd-python-1.dist-info")
    assert_refused(mien("install"), root, snapshot(root), "apt-get install python3-systemd")
    (root / "usr/lib/python3/dist-packages/systemd").mkdir(parents=True)
    assert mien("install").exit_code == 0
    assert "include-system-site-packages = true" in (root / "opt/mien/pyvenv.cfg").read_text()


def test_another_s_opt_mien_is_not_overwritten(root: Path, mien: Callable[..., Result]) -> None:
    (root / "opt/mien").mkdir()
    assert_refused(mien("install"), root, snapshot(root), "was not made by `mien service install`")


def test_missing_systemd_is_refused(root: Path, mien: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_PATH", "/nowhere")
    assert_refused(mien("install"), root, snapshot(root), "systemctl is missing")


def test_only_root_may_change_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for command in ("install", "upgrade", "uninstall"):
        done = CliRunner().invoke(service, [command])
        assert (done.exit_code, "sudo" in done.output) == (Exit.CONFIG, True)


def test_a_machine_without_systemd_as_init_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/run/systemd/system").is_dir():
        monkeypatch.setattr(Path, "is_dir", lambda _: False)
    done = CliRunner().invoke(service, ["install"])
    assert done.exit_code == Exit.CONFIG
    assert "`mien run` runs both services in the foreground" in done.output


def test_status_names_what_is_missing_or_changed(root: Path, mien: Callable[..., Result]) -> None:
    assert "`sudo mien service install`" in mien("status").output
    assert mien("install").exit_code == 0
    assert mien("status").exit_code == 0
    unit = root / "usr/local/lib/systemd/system/mien-face.service"
    unit.write_text(unit.read_text() + "# mine\n")
    (root / "usr/local/lib/mien/failure-note").unlink()
    found = json.loads(mien("status", "--json").stdout)
    assert "mien-face.service" in found["problems"][0]
    assert "failure-note" in found["problems"][0]
    assert mien("install").exit_code == 0
    assert mien("status").exit_code == 0


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("usr/bin/python3.11", "starts /opt/mien/bin/python3, which does not exist"),
        ("opt/mien/bin/mien-voice", "/opt/mien/bin/mien-voice does not exist"),
    ],
)
def test_status_names_a_broken_environment(root: Path, mien: Callable[..., Result], path: str, sentence: str) -> None:
    assert mien("install").exit_code == 0
    (root / path).unlink()
    found = mien("status")
    assert found.exit_code == Exit.FAILED
    assert sentence in found.output


def test_a_receipt_that_cannot_be_read_is_named(root: Path, mien: Callable[..., Result]) -> None:
    assert mien("install").exit_code == 0
    (root / "usr/local/lib/mien/receipt.json").write_text("{")
    for command in ("install", "status", "uninstall"):
        done = mien(command)
        assert done.exit_code == Exit.FAILED
        assert "receipt.json cannot be read" in done.output


def test_every_service_of_the_target_is_known() -> None:
    wants = (places.shipped_files() / "mien.target").read_text().split("Wants=")[1].splitlines()[0].split()
    known = [*(name.removesuffix(".service") for name in wants), *places.OPTIONAL]
    assert sorted(places.service_names()) == sorted(known)
    assert places.accounts() == ["mien-voice", "mien-face", "mien-ear", "mien-link"]


@pytest.mark.parametrize("enabled", [False, True])
def test_the_ear_starts_at_boot_where_the_settings_ask_for_it(
    root: Path, mien: Callable[..., Result], enabled: bool
) -> None:
    (root / "etc/mien").mkdir(parents=True, exist_ok=True)
    (root / "etc/mien/mien.toml").write_text(f"[ear]\nenabled = {str(enabled).lower()}\n")
    assert mien("install").exit_code == 0
    link = root / "etc/systemd/system/mien.target.wants/mien-ear.service"
    assert link.is_symlink() is enabled
    assert mien("uninstall").exit_code == 0
    assert not link.is_symlink()


@pytest.mark.parametrize("there", [False, True])
def test_the_link_starts_at_boot_where_a_fleet_s_file_is(root: Path, mien: Callable[..., Result], there: bool) -> None:
    folder = root / "etc/mien/link"
    folder.mkdir(parents=True, exist_ok=True)
    if there:
        (folder / "link.toml").write_text('[board]\nsite = "museum"\nname = "lobby"\n[broker]\nhost = "broker"\n')
    assert mien("install").exit_code == 0
    link = root / "etc/systemd/system/mien.target.wants/mien-link.service"
    assert link.is_symlink() is there
    assert mien("uninstall").exit_code == 0
    assert not link.is_symlink()
