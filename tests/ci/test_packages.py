"""Missing Debian packages: installed by root or through sudo, else named with the exact command."""

import os
import subprocess
from pathlib import Path

import pytest

from rigs.acted import act

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = "apt-get update && apt-get install -y --no-install-recommends gnome here-not"


def install(
    tmp_path: Path, *, uid: int = 0, sudo: bool = False, apt: str = "exit 0"
) -> "subprocess.CompletedProcess[str]":
    """install_missing with acted commands; what apt-get was called with is in tmp_path/apt."""
    (tmp_path / "list.txt").write_text("# a list\nthere\nhere-not   # why\n\ngnome\n")
    (tmp_path / "more.txt").write_text("gnome\nthere\n")
    environment = act(
        tmp_path,
        **{"dpkg-query": 'case "$*" in *there) echo installed ;; *) exit 1 ;; esac'},
        id=f"echo {uid}",
        sudo=f'echo "sudo $*" >>{tmp_path}/asked; [ {int(sudo)} = 1 ] || exit 1; [ "$1" = -n ] || exec "$@"',
        **{"apt-get": f'echo "$DEBIAN_FRONTEND $*" >>{tmp_path}/apt; {apt}'},
    )
    environment.pop("DEBIAN_FRONTEND", None)
    script = f". {REPOSITORY}/.ci/packages.sh; install_missing who {tmp_path}/list.txt {tmp_path}/more.txt"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "apt").read_text().splitlines() if (tmp_path / "apt").exists() else []


@pytest.mark.parametrize("uid", [0, 1000])
def test_root_or_sudo_installs_each_missing_package_once(tmp_path: Path, uid: int) -> None:
    found = install(tmp_path, uid=uid, sudo=True)
    assert found.returncode == 0, found.stderr
    assert calls(tmp_path) == [" update -q", "noninteractive install -y --no-install-recommends gnome here-not"]
    assert (tmp_path / "asked").exists() is bool(uid)


def test_without_rights_the_command_is_printed(tmp_path: Path) -> None:
    found = install(tmp_path, uid=1000)
    assert found.returncode == 1
    assert f"    {COMMAND}\n" in found.stderr
    assert calls(tmp_path) == []


def test_a_failure_of_apt_ends_with_the_command_too(tmp_path: Path) -> None:
    found = install(tmp_path, apt="exit 100")
    assert found.returncode == 1
    assert "who: apt-get failed" in found.stderr
    assert COMMAND in found.stderr


def test_nothing_is_called_when_nothing_is_missing(tmp_path: Path) -> None:
    environment = act(tmp_path, **{"dpkg-query": "echo installed", "apt-get": f"touch {tmp_path}/called"})
    script = f". {REPOSITORY}/.ci/packages.sh; install_missing who {REPOSITORY}/.ci/debian-packages.txt"
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=environment, check=True, timeout=30)
    assert not (tmp_path / "called").exists()


def test_a_machine_that_is_not_debian_learns_the_names(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("gnome\n")
    for name in ("sed", "sort", "bash"):
        (tmp_path / name).symlink_to(
            next(path for path in map(Path, (f"/usr/bin/{name}", f"/bin/{name}")) if path.exists())
        )
    script = f". {REPOSITORY}/.ci/packages.sh; install_missing who {tmp_path}/list.txt"
    found = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert found.returncode == 1
    assert "this is not Debian; these Debian packages are needed: gnome" in found.stderr
