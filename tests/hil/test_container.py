"""The container board's parts that need no container: its limits, its software, its cable's manager, its wheel."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hil.container import cgroup, software
from hil.container.managers import MANAGERS, Manager, forget, leave_alone
from hil.container.software import BoardSoftware, board_python, requirements
from hil.container.wheel import wheel_of_commit
from hil.errors import RigError

V1 = """cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0
tmpfs /run tmpfs rw 0 0
"""


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A machine without systemd, whose cgroups are folders."""
    place = tmp_path / "cgroup"
    place.mkdir()
    monkeypatch.setattr(cgroup, "CGROUPS", place)
    monkeypatch.setattr(cgroup, "SYSTEMD", tmp_path / "none")
    monkeypatch.setattr(cgroup, "MOUNTS", tmp_path / "mounts")
    (tmp_path / "mounts").write_text("")
    return place


def test_cgroup_v2_by_hand(groups):
    (groups / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    made = cgroup.limits("board", 500)
    made.enter()
    assert made.prefix == ()
    assert (groups / "cgroup.subtree_control").read_text() == "+cpu +memory"
    assert (groups / "board/memory.max").read_text() == "500000000"
    assert (groups / "board/cpu.weight").read_text() == "800"
    assert (groups / "board/cgroup.procs").read_text() == "0"


def test_cgroup_v1_by_hand_wherever_its_controllers_are_mounted(groups):
    for name in ("cpu,cpuacct", "memory", "systemd", "unified"):
        (groups / name).mkdir()
    (groups.parent / "mounts").write_text(V1.replace("/sys/fs/cgroup", str(groups)))
    made = cgroup.limits("board", 500)
    made.enter()
    assert (groups / "memory/board/memory.limit_in_bytes").read_text() == "500000000"
    assert (groups / "cpu,cpuacct/board/cpu.shares").read_text() == "8192"
    for name in ("cpu,cpuacct", "memory", "systemd", "unified"):
        assert (groups / name / "board/cgroup.procs").read_text() == "0"


def test_a_host_with_systemd_is_asked_for_a_scope(groups, monkeypatch):
    monkeypatch.setattr(cgroup, "SYSTEMD", groups)
    (groups / "cgroup.controllers").write_text("cpu memory\n")
    words = cgroup.limits("board", 500).prefix
    assert words[:3] == ("systemd-run", "--quiet", "--scope")
    assert {"--property=Delegate=yes", "--property=MemoryMax=500000000"} <= set(words)
    assert [path.name for path in groups.iterdir()] == ["cgroup.controllers"]  # the rest is systemd's


@pytest.mark.parametrize("systemd", [False, True])
def test_without_a_memory_controller_no_board_starts(groups, monkeypatch, systemd):
    if systemd:
        monkeypatch.setattr(cgroup, "SYSTEMD", groups)
    (groups / "cgroup.controllers").write_text("cpuset cpu pids\n")
    with pytest.raises(RigError, match=r"power: .* no memory controller .*cgroup_enable=memory"):
        cgroup.limits("board", 500)


@pytest.mark.usefixtures("groups")
def test_a_machine_without_cgroups_is_told_so():
    with pytest.raises(RigError, match="neither cgroup v2 nor"):
        cgroup.limits("board", 500)


def _own_name() -> str:
    return Path("/proc/self/comm").read_text().strip()


def test_a_manager_that_runs_here_is_told_and_forgotten(tmp_path):
    asked = tmp_path / "asked"
    running = Manager(_own_name(), tmp_path / "new/rig.conf", "leave={interface}\n", ("touch", str(asked)))
    absent = Manager("no-such-manager", tmp_path / "absent", "", ("false",))
    leave_alone("rig0", (running, absent))
    assert running.file.read_text() == "leave=rig0\n"
    assert asked.exists()
    assert not absent.file.exists()
    forget((running, absent))
    assert not running.file.exists()


def test_a_manager_that_does_not_listen_is_an_error(tmp_path):
    deaf = Manager(_own_name(), tmp_path / "rig.conf", "", ("sh", "-c", "echo not permitted >&2; exit 1"))
    with pytest.raises(RigError, match=r"net: .*not permitted"):
        leave_alone("rig0", (deaf,))


def test_the_names_of_managers_are_those_that_the_kernel_keeps():
    assert all(len(manager.process) <= 15 for manager in MANAGERS)


def test_a_board_s_python_is_where_services_see_it(tmp_path, monkeypatch):
    hidden = tmp_path / "python3"
    hidden.symlink_to(sys.executable)
    monkeypatch.setattr(software, "HIDDEN", (str(Path(sys.executable).resolve().parent),))
    monkeypatch.setenv("MIEN_PYTHON", str(hidden))
    monkeypatch.setattr("shutil.which", lambda name: name if name == str(hidden) else None)
    with pytest.raises(RigError, match=r"outside .*MIEN_PYTHON"):
        board_python()
    monkeypatch.setattr(software, "HIDDEN", ("/nowhere",))
    found, version = board_python()
    assert found == hidden
    assert version.split(".")[:2] == [str(part) for part in sys.version_info[:2]]


def made_wheel(folder, version, needs):
    wheel = folder / f"mien-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        lines = [f"Requires-Dist: {need}" for need in needs]
        archive.writestr(f"mien-{version}.dist-info/METADATA", "\n".join(["Name: mien", *lines, "", "text"]))
    return wheel


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """The commands that installing runs; they only make the folder."""
    ran = []

    def run(_part, *command, **_):
        ran.append(command)
        (tmp_path / "kept/mien/bin").mkdir(parents=True, exist_ok=True)
        return ""

    monkeypatch.setattr(software, "run", run)
    monkeypatch.setattr(software, "board_python", lambda: (Path("/usr/bin/python3"), "3.11.2"))
    return ran


def test_only_what_changed_is_installed_again(tmp_path, commands):
    board = BoardSoftware(tmp_path / "kept/mien")
    first = made_wheel(tmp_path, "1", ["numpy"])
    board.install(first)
    assert [command[1:3] for command in commands] == [("-m", "venv"), ("-m", "pip")]
    assert commands[-1][-1] == f"{first}[board,ear,link]"
    commands.clear()
    board.install(first)
    assert commands == []
    board.install(made_wheel(tmp_path, "2", ["numpy"]))
    assert "--no-deps" in commands[0]
    assert len(commands) == 1
    commands.clear()
    board.install(made_wheel(tmp_path, "3", ["numpy", "pygame"]))
    assert len(commands) == 2


def test_an_installation_that_was_interrupted_is_made_again(tmp_path, commands, monkeypatch):
    board = BoardSoftware(tmp_path / "kept/mien")
    wheel = made_wheel(tmp_path, "1", [])
    with monkeypatch.context() as broken:
        broken.setattr(software, "run", lambda *_, **__: (_ for _ in ()).throw(RigError("card", "no network")))
        with pytest.raises(RigError, match="no network"):
            board.install(wheel)
    board.install(wheel)
    assert len(commands) == 2


@pytest.mark.usefixtures("commands")
def test_what_root_installs_under_a_strict_umask_is_readable_for_the_services(tmp_path):
    board = BoardSoftware(tmp_path / "kept/mien")
    before = os.umask(0o077)
    try:
        board.install(made_wheel(tmp_path, "1", []))
    finally:
        os.umask(before)
    assert (tmp_path / "kept/mien/bin").stat().st_mode & 0o777 == 0o755


def test_requirements_are_the_wheels(tmp_path):
    assert requirements(made_wheel(tmp_path, "1", ["a>=1", 'b; extra == "board"'])) == ["a>=1", 'b; extra == "board"']


@pytest.fixture
def repository(tmp_path):
    """A checkout of a package called mien, of one file."""
    place = tmp_path / "check out ä"
    place.mkdir()
    (place / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "onefile"\nbackend-path = ["runtime"]\n'
    )
    for name in (
        "setup.py",
        "MANIFEST.in",
        "README.md",
        "systemd/x",
        "models/motion/x",
        "models/avatars/a.mien-avatar",
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("")
    (place / "runtime").mkdir()
    (place / "runtime/onefile.py").write_text(
        "import os, zipfile\n"
        "def build_wheel(folder, config=None, metadata=None):\n"
        "    name = 'mien-1-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(os.path.join(folder, name), 'w') as archive:\n"
        "        archive.writestr('mien-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: mien\\nVersion: 1\\n')\n"
        "        archive.writestr('mien-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\n')\n"
        "        archive.writestr('time', os.environ['SOURCE_DATE_EPOCH'])\n"
        "    return name\n"
    )
    git = ["git", "-C", str(place), "-c", "user.name=x", "-c", "user.email=x"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, timeout=60)
    return place


def test_a_commit_s_wheel_is_built_once_whatever_the_path_of_the_checkout(repository):
    kept = repository / "build"
    wheel = wheel_of_commit(repository, "HEAD", kept)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (repository / "pyproject.toml").write_text("not committed")
    assert wheel_of_commit(repository, "HEAD", kept) == wheel
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(wheel) as archive:
        assert int(archive.read("time")) > 1_700_000_000


def test_what_is_no_checkout_is_said(tmp_path):
    with pytest.raises(RigError, match="is no git checkout"):
        wheel_of_commit(tmp_path, "HEAD", tmp_path / "kept")
