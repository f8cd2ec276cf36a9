"""What the services run from: interpreters that do not exist, or that they could not see."""

import sys
from pathlib import Path

import pytest

from mien.errors import InstallRefused
from mien.install.environment import PROGRAMS, Environment, check_commands, refuse_hidden
from mien.install.versions import is_older


def program(folder: Path, name: str, first_line: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"{first_line}\n")
    (folder / name).chmod(0o755)


def test_a_missing_interpreter_is_named_with_the_remedy(tmp_path: Path) -> None:
    for name in PROGRAMS:
        program(tmp_path / "bin", name, "#!/opt/gone/bin/python3.9")
    with pytest.raises(
        InstallRefused, match=r"starts /opt/gone/bin/python3\.9, which does not exist: .*-m venv --clear"
    ):
        check_commands(Path("/"), tmp_path / "bin")


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    program(tmp_path / "bin", "mien", f"#!{sys.executable}")
    with pytest.raises(InstallRefused, match="mien-voice does not exist"):
        check_commands(Path("/"), tmp_path / "bin")


def test_an_environment_that_lost_a_package_is_named(tmp_path: Path) -> None:
    program(tmp_path, "python", "#!/bin/sh\necho ModuleNotFoundError: No module named zmq >&2; exit 1")
    for name in PROGRAMS:
        program(tmp_path / "bin", name, f"#!{tmp_path}/python")
    with pytest.raises(InstallRefused, match=r"does not start \(ModuleNotFoundError: No module named zmq\)"):
        check_commands(Path("/"), tmp_path / "bin")


def test_an_environment_without_systemd_python_is_named(tmp_path: Path) -> None:
    program(tmp_path, "python", "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'systemd'\" >&2; exit 1")
    for name in PROGRAMS:
        program(tmp_path / "bin", name, f"#!{tmp_path}/python")
    with pytest.raises(InstallRefused, match="apt-get install python3-systemd"):
        check_commands(Path("/"), tmp_path / "bin")


def test_an_environment_that_works_is_accepted(tmp_path: Path) -> None:
    program(tmp_path, "python", "#!/bin/sh\nexit 0")
    for name in PROGRAMS:
        program(tmp_path / "bin", name, f"#!{tmp_path}/python")
    check_commands(Path("/"), tmp_path / "bin")


@pytest.mark.parametrize("base", ["/home/pi/.pyenv/bin/python3.11", "/root/python", "/tmp/python"])
def test_an_interpreter_that_the_services_cannot_see_is_refused(base: str) -> None:
    with pytest.raises(InstallRefused, match="cannot see"):
        refuse_hidden(Environment(Path("/opt/mien"), Path("/opt/mien/bin"), Path(base)))


def test_a_folder_that_no_unit_can_name_is_refused() -> None:
    with pytest.raises(InstallRefused, match="cannot name"):
        refuse_hidden(Environment(Path("/opt/my mien"), Path("/opt/my mien/bin"), Path("/usr/bin/python3")))


@pytest.mark.parametrize(
    ("prefix", "shared"),
    [("/opt/mien", True), ("/usr", True), ("/root/.local/share/pipx/venvs/mien", False), ("/home/pi/venv", False)],
)
def test_only_system_folders_are_used_as_they_are(prefix: str, shared: bool) -> None:
    assert Environment(Path(prefix), Path(prefix, "bin"), Path("/usr/bin/python3")).is_shared is shared


@pytest.mark.parametrize(
    ("older", "newer"),
    [("0.1.0", "0.2.0"), ("0.9.0", "0.10.0"), ("0.2.0rc1", "0.2.0"), ("0.2.0.dev3", "0.2.0"), ("0.2.0", "0.2.0+pi")],
)
def test_the_order_of_versions(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)
    assert not is_older(newer, newer)
