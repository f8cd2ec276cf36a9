"""Which QEMU runs the emulated board."""

import pytest

from hil.errors import RigError
from hil.qemu.emulator import PROGRAM, emulator
from rigs.acted import act


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine without QEMU, until a test acts one."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin-of-nothing")
    emulator.cache_clear()
    yield tmp_path
    emulator.cache_clear()


def has(machine, version):
    act(machine / "bin", **{PROGRAM: f'echo "QEMU emulator version {version} (Debian)"'})


def unpack(machine):
    libraries = machine / "qemu/usr/lib/x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    (machine / "qemu/usr/bin").mkdir()
    (machine / "qemu/usr/bin" / PROGRAM).touch()
    (libraries / "ld-linux-x86-64.so.2").touch()
    return libraries


def test_a_machine_whose_own_is_new_enough_runs_that(machine):
    has(machine, "10.0.2")
    unpack(machine)
    assert emulator(machine / "qemu") == (PROGRAM,)


@pytest.mark.parametrize("version", ["7.2.22", None])
def test_an_older_one_gives_way_to_the_unpacked_one_with_its_own_libraries(machine, version):
    if version:
        has(machine, version)
    libraries = unpack(machine)
    command = emulator(machine / "qemu")
    assert command[:2] == ("env", f"QEMU_MODULE_DIR={libraries}/qemu")
    assert command[2:6] == (
        f"{libraries}/ld-linux-x86-64.so.2", "--library-path", str(libraries), f"{machine}/qemu/usr/bin/{PROGRAM}",
    )  # fmt: skip


@pytest.mark.parametrize(("version", "said"), [("7.2.22", "this machine's is 7"), (None, "this machine has none")])
def test_without_one_the_remedy_is_said(machine, version, said):
    if version:
        has(machine, version)
    with pytest.raises(RigError, match=f"needs QEMU 10, and {said}: run hil/setup qemu-virt"):
        emulator(machine / "qemu")
