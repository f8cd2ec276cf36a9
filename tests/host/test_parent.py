"""A child that ends with its parent, however that ends."""

import os
import select
import signal
import subprocess
import sys

import pytest

from mien.host.parent import PARENT_VARIABLE, end_with_parent, name_parent

PATIENCE_S = 30
CHILD = (
    "import time; from mien.host.parent import end_with_parent\n"
    "end_with_parent(); print('up', flush=True); time.sleep(60)"
)
PARENT = f"""
import os, subprocess, sys
from mien.host.parent import name_parent
environment = dict(os.environ)
if sys.argv[1] == "named":
    name_parent(environment)
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], env=environment, start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def ended(pidfd, timeout_s):
    return bool(select.select([pidfd], [], [], timeout_s)[0])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_child_ends_when_its_parent_is_killed(number):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, "named"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None,  # nohup's child
    ) as parent:
        said = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
        (pid,) = (int(word) for word in said if word != "up")
        pidfd = os.pidfd_open(pid)
        try:
            parent.send_signal(number)
            assert ended(pidfd, PATIENCE_S)
        finally:
            os.close(pidfd)


def test_a_child_whose_parent_ended_before_it_looked_does_not_begin():
    environment = dict(os.environ, **{PARENT_VARIABLE: "1"})  # never this test's process
    ran = subprocess.run(
        [sys.executable, "-c", CHILD], env=environment, capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert (ran.returncode, ran.stdout) == (128 + signal.SIGTERM, b"")


def test_without_a_named_parent_nothing_changes(monkeypatch):
    monkeypatch.delenv(PARENT_VARIABLE, raising=False)
    end_with_parent()


def test_the_name_is_not_handed_on(monkeypatch):
    environment = {}
    name_parent(environment)
    assert environment == {PARENT_VARIABLE: str(os.getpid())}
    monkeypatch.setenv(PARENT_VARIABLE, "")
    end_with_parent()
    assert PARENT_VARIABLE not in os.environ
