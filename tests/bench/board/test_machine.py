"""What a machine says about itself, and what it is taken for."""

from pathlib import Path

import pytest

from mien.bench.board.display import Display
from mien.bench.board.facts import Devices, facts_of, settings_of
from mien.bench.board.machine import distribution, frequencies_mhz, kind_of, memory_mb, processor
from mien.bench.board.source import commit
from mien.config import Config, FaceConfig, PlaybackConfig
from rigs.boards import PiRoot

X86 = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n"


@pytest.fixture
def pi(tmp_path: Path) -> PiRoot:
    return PiRoot(tmp_path)


def test_a_device_tree_makes_a_board(pi: PiRoot) -> None:
    assert kind_of(pi.root, "aarch64") == "board"


def test_qemus_device_tree_makes_it_emulated(pi: PiRoot) -> None:
    pi.put("proc/device-tree/compatible", "linux,dummy-virt\0")
    pi.put("proc/device-tree/model", "linux,dummy-virt\0")
    assert kind_of(pi.root, "aarch64") == "emulated"


@pytest.mark.parametrize(
    ("cpuinfo", "architecture", "kind"),
    [
        (X86, "x86_64", "desktop"),
        (X86, "aarch64", "emulated"),  # a container of another architecture
        ("model name\t: QEMU Virtual CPU version 2.5+\nvendor_id\t: AuthenticAMD\n", "x86_64", "emulated"),
        ("processor\t: 0\nCPU part\t: 0xd0c\n", "aarch64", "desktop"),  # a server with ACPI
    ],
)
def test_without_a_device_tree(tmp_path: Path, cpuinfo: str, architecture: str, kind: str) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
    assert kind_of(tmp_path, architecture) == kind


def test_the_parts_of_a_pi(pi: PiRoot) -> None:
    assert processor(pi.root) == "arm,cortex-a72"
    assert distribution(pi.root) == "Debian GNU/Linux 12 (bookworm)"
    assert memory_mb(pi.root) == pytest.approx(3978.6, abs=0.1)
    assert frequencies_mhz(pi.root) == [1500.0]


def test_a_machine_that_says_nothing_gets_reasons(tmp_path: Path) -> None:
    facts = facts_of(Devices(display=None, no_display="no display", no_card="no card"), Config(), tmp_path)
    for fact in (facts.model, facts.processor, facts.distribution, facts.gl_renderer, facts.screen, facts.sound_card):
        assert fact.value is None
        assert fact.reason
    assert facts.memory_mb.value is None
    assert facts.sink == "null"


def test_a_card_that_alsa_opens_is_named_only_if_it_was_used(pi: PiRoot) -> None:
    display = Display(device="", version="", width=1, height=1, vsync=False)
    assert facts_of(Devices(display, "", ""), Config(), pi.root).sink == "alsa"
    without = facts_of(Devices(display, "", "playback.sink is null"), Config(), pi.root)
    assert (without.sound_card.value, without.sound_card.reason) == (None, "playback.sink is null")


def test_settings_that_may_change_a_figure_are_named() -> None:
    assert settings_of(Config()) == ()
    own = Config(face=FaceConfig(width=360, model="mien-lowlatency"), playback=PlaybackConfig(buffer_ms=50))
    assert settings_of(own) == ("playback.buffer_ms = 50", "face.model = mien-lowlatency", "face.width = 360")


def test_a_checkout_names_its_commit() -> None:
    known = commit()
    assert known.value is not None
    assert len(known.value.split()[0]) == 40


def test_a_package_without_a_repository_says_so(tmp_path: Path) -> None:
    known = commit(tmp_path / "site-packages" / "mien")
    assert known.value is None
    assert "no commit" in known.reason
