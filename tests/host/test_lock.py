"""One process of a kind in each run_dir."""

import errno
import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import ConfigError, StorageError
from mien.host import lock as lock_module
from mien.host.lock import RunLock

HOLD = (
    "import sys; from pathlib import Path; from mien.host.lock import RunLock\n"
    "lock = RunLock(Path(sys.argv[1]), 'voice', 'mien-voice'); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds voice.lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_with_a_sentence_that_names_the_first(holder, tmp_path):
    with pytest.raises(ConfigError) as refused:
        RunLock(tmp_path, "voice", "mien-voice")
    assert re.fullmatch(
        rf"run_dir: {tmp_path}: mien-voice is already running there: process {holder.pid} since "
        rf"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \(-c {tmp_path}\); stop it first, or choose another folder with run_dir",
        str(refused.value),
    )


def test_each_kind_and_each_folder_has_its_own(holder, tmp_path):
    (tmp_path / "other").mkdir()
    with RunLock(tmp_path, "face", "mien-face"), RunLock(tmp_path / "other", "voice", "mien-voice"):
        assert holder.poll() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_outlives_nobody(holder, tmp_path, number):
    holder.send_signal(number)
    holder.wait()
    with RunLock(tmp_path, "voice", "mien-voice"):
        pass


def test_a_stopped_holder_still_holds_it(holder, tmp_path):
    holder.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    with pytest.raises(ConfigError, match=str(holder.pid)):
        RunLock(tmp_path, "voice", "mien-voice")


def test_it_is_given_back_and_taken_again_in_one_process(tmp_path):
    lock = RunLock(tmp_path, "run", "mien run")
    with pytest.raises(ConfigError, match=f"mien run is already running there: process {os.getpid()}"):
        RunLock(tmp_path, "run", "mien run")
    lock.release()
    lock.release()
    with RunLock(tmp_path, "run", "mien run"):
        pass


def test_no_child_keeps_it(tmp_path):
    lock = RunLock(tmp_path, "run", "mien run")
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    ) as child:
        child.stdout.readline()
        lock.release()
        with RunLock(tmp_path, "run", "mien run"):
            assert child.poll() is None
        child.kill()


def test_a_refused_one_leaves_no_descriptor(holder, tmp_path):
    assert holder.poll() is None
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(ConfigError):
            RunLock(tmp_path, "voice", "mien-voice")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_file_is_the_groups_and_never_the_worlds(tmp_path):
    old = os.umask(0o077)
    try:
        RunLock(tmp_path, "voice", "mien-voice").release()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "voice.lock").stat().st_mode) == 0o660


def test_a_file_that_may_only_be_read_is_locked_too(tmp_path, monkeypatch):
    """As one that root has made is for a service; mode bits do not stop root, who may run this."""
    (tmp_path / "voice.lock").write_text("{}")
    real = os.open

    def forbidding(path, flags, *mode):
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *mode)

    monkeypatch.setattr(lock_module.os, "open", forbidding)
    with (
        RunLock(tmp_path, "voice", "mien-voice"),
        pytest.raises(ConfigError, match="another mien-voice is already running there"),
    ):
        RunLock(tmp_path, "voice", "mien-voice")


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"pid": "x"}',
        b"\xff\xfe",
        b'{"pid": 1, "program": "a", "command": "b", "since_s": 1e300}',
    ],
)
def test_words_that_cannot_be_read_still_mean_that_it_is_held(tmp_path, words):
    (tmp_path / "face.lock").write_bytes(words)
    with (tmp_path / "face.lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another mien-face is already running there; stop it first"):
            RunLock(tmp_path, "face", "mien-face")


def test_what_cannot_be_a_lock_is_named(tmp_path):
    (tmp_path / "voice.lock").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "face.lock").mkdir()
    for what in ("voice", "face"):
        with pytest.raises(ConfigError, match=rf"{what}\.lock: cannot be locked .*; remove it"):
            RunLock(tmp_path, what, f"mien-{what}")
    assert not (tmp_path / "elsewhere").exists()


def test_a_disk_that_is_full_costs_the_words_not_the_lock(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lock_module.os, "pwrite", full)
    with (
        RunLock(tmp_path, "voice", "mien-voice"),
        pytest.raises(ConfigError, match="another mien-voice is already running"),
    ):
        RunLock(tmp_path, "voice", "mien-voice")


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC])
def test_a_read_only_or_full_folder_is_a_fault_that_may_pass(code, tmp_path, monkeypatch):
    opened = os.open

    def fails(path, flags, *rest):
        if flags & os.O_CREAT:
            raise OSError(code, os.strerror(code))
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", fails)
    with pytest.raises(StorageError, match=r"voice\.lock: cannot be locked"):
        RunLock(tmp_path, "voice", "mien-voice")


def test_a_holder_is_named_whatever_the_last_one_left_in_the_file(tmp_path):
    (tmp_path / "voice.lock").write_text('{"pid": 1, "command": "' + "x" * 1500)
    named = f"mien-voice is already running there: process {os.getpid()} since"
    with RunLock(tmp_path, "voice", "mien-voice"), pytest.raises(ConfigError, match=named):
        RunLock(tmp_path, "voice", "mien-voice")


def test_a_file_that_may_not_even_be_read_is_named_with_the_remedy(tmp_path, monkeypatch):
    def forbidden(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(lock_module.os, "open", forbidden)
    with pytest.raises(ConfigError, match=r"voice\.lock: cannot be locked \(Permission denied\); remove it"):
        RunLock(tmp_path, "voice", "mien-voice")
