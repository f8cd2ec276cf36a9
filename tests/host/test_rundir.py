import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from mien.config import SOCKET_PATH_BYTES
from mien.errors import ConfigError, StorageError
from mien.host.exits import Exit, exit_code
from mien.host.rundir import (
    LONGEST_SOCKET,
    cannot_write_in,
    ensure_run_dir,
    examine_run_dir,
    resolve_run_dir,
    socket_path,
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


def forbid_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, whom no mode bits stop."""
    monkeypatch.setattr(os, "access", lambda *_: False)


def test_what_is_configured_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/elsewhere")
    assert resolve_run_dir(str(tmp_path / "here"), system=tmp_path) == tmp_path / "here"
    monkeypatch.chdir(tmp_path)
    assert resolve_run_dir("here", system=tmp_path) == tmp_path / "here"


def test_then_the_first_directory_that_systemd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/mien:/run/mien-extra")
    assert resolve_run_dir("", system=tmp_path) == Path("/run/mien")


def test_then_the_system_directory_where_we_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert resolve_run_dir("", system=tmp_path) == tmp_path


def test_a_client_without_rights_finds_the_sockets_of_the_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    forbid_writing(monkeypatch)
    assert resolve_run_dir("", system=tmp_path) == Path("/run/user/1000/mien")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(str(tmp_path / "s"))
        assert resolve_run_dir("", system=tmp_path) == tmp_path


def test_then_the_session_and_last_the_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing"
    assert resolve_run_dir("", system=missing) == Path(tempfile.gettempdir(), f"mien-{os.getuid()}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert resolve_run_dir("", system=missing) == Path("/run/user/1000/mien")
    assert not missing.exists()


def test_a_new_directory_is_private_and_made_once(tmp_path: Path) -> None:
    run_dir = tmp_path / "deep" / "mien"
    assert ensure_run_dir(run_dir) == run_dir
    assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
    (run_dir / "kept").touch()
    ensure_run_dir(run_dir)
    assert (run_dir / "kept").exists()


def test_the_mode_that_systemd_gave_is_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    ensure_run_dir(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_somebody_elses_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = ensure_run_dir(tmp_path / "mien")
    if os.getuid() == 0:
        os.chown(run_dir, 4242, 4242)
    else:
        stranger = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(ConfigError, match="belongs to user"):
        ensure_run_dir(run_dir)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "mien").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="is a link"):
        ensure_run_dir(tmp_path / "mien")


def test_a_directory_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match="chmod o-w"):
        ensure_run_dir(tmp_path)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "mien").touch()
    with pytest.raises(ConfigError, match=r"mien: cannot be created \(File exists\)"):
        ensure_run_dir(tmp_path / "mien")


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_the_longest_socket_path_is_as_long_as_the_system_allows(letter: str) -> None:
    room = SOCKET_PATH_BYTES - len("/tmp//bus.sock")
    fitting = Path("/tmp", letter * (room // len(letter.encode())))
    assert socket_path(fitting, "bus.sock") == fitting / "bus.sock"
    with pytest.raises(ConfigError, match="at most 107"):
        socket_path(Path(f"{fitting}{letter}"), "bus.sock")


def test_the_limit_is_the_systems_own(tmp_path: Path) -> None:
    room = SOCKET_PATH_BYTES - len(os.fsencode(tmp_path)) - len("/")
    longest = socket_path(tmp_path, "s" * room)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(longest))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as refused, pytest.raises(OSError, match="too long"):
        refused.bind(f"{longest}s")


def test_a_directory_in_which_a_socket_could_not_be_bound_is_refused_and_not_made(tmp_path: Path) -> None:
    from mien import transport

    names = [value for name, value in vars(transport).items() if name.endswith("_SOCKET")]
    assert max(names, key=len) == LONGEST_SOCKET
    room = SOCKET_PATH_BYTES - len(os.fsencode(tmp_path)) - len(f"//{LONGEST_SOCKET}")
    assert ensure_run_dir(tmp_path / ("x" * room)).is_dir()
    with pytest.raises(ConfigError, match="choose a shorter one"):
        ensure_run_dir(tmp_path / ("x" * (room + 1)))
    assert not (tmp_path / ("x" * (room + 1))).exists()


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EMFILE, errno.EIO])
def test_a_fault_of_the_disk_is_no_mistake_of_the_configuration(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd does not start a service again after exit code 2 (chaos, seed 77)."""

    def fails(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", fails)
    with pytest.raises(StorageError, match=r"run_dir: .*: cannot be created") as refused:
        ensure_run_dir(tmp_path / "mien")
    assert exit_code(refused.value) is Exit.FAILED


def test_looking_makes_nothing_and_finds_what_making_would(tmp_path: Path) -> None:
    examine_run_dir(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    for place, says in ((tmp_path / "file", "cannot be created"), (tmp_path / "file" / "x", "cannot be created")):
        with pytest.raises(ConfigError, match=says):
            examine_run_dir(place)
    with pytest.raises(ConfigError, match="at most"):
        examine_run_dir(tmp_path / ("x" * 120))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ConfigError, match="everybody may write there"):
        examine_run_dir(tmp_path / "open")


def test_a_folder_in_which_this_user_may_not_write_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def access(path: Path, mode: int) -> bool:
        asked.append((str(path), mode))
        return False

    assert cannot_write_in(tmp_path) == ""
    monkeypatch.setattr(os, "access", access)
    assert cannot_write_in(tmp_path / "a" / "b") == f"this user may not write in {tmp_path}"
    assert asked == [(str(tmp_path), os.W_OK | os.X_OK)]
    with pytest.raises(ConfigError, match=f"this user may not write in {tmp_path}; set run_dir elsewhere"):
        examine_run_dir(tmp_path / "a")
    (tmp_path / "file").write_text("")
    assert cannot_write_in(tmp_path / "file" / "x") == f"{tmp_path / 'file'} is no folder"


def test_a_system_folder_that_may_be_entered_and_not_written_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    assert resolve_run_dir("", system=tmp_path) != tmp_path
