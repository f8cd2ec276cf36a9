"""The oracle of a lost ear: it reports again in time, and nothing else has changed."""

import time
from types import SimpleNamespace

import pytest

from chaos import ear_lives
from chaos.ear_lives import kill_ear, stop_ear
from chaos.processes import Child
from chaos.violation import Verdicts
from chaos.world import Faults, World
from mien.core.ear_bus import EarHealth


class Processes(dict):
    """A voice with an ear that reports when it is started or continued."""

    def __init__(self, world, log):
        super().__init__(voice=Child("voice"), ear=Child("ear"))
        self._world = world
        self._log = log
        self.comes_back = True

    def start(self, name):
        self.report()

    def end(self, name, number):
        self._world.ears.told = None

    def log(self, name):
        return self._log

    def report(self):
        if self.comes_back:
            health = EarHealth(pid=None, state="silent", why="", level_dbfs=-100, clean_dbfs=-100, counters={})
            self._world.ears.told = (time.monotonic() + 1, health)


class MadeWorld:
    """As much of a World as the acts use."""

    wait = World.wait
    doing = World.doing

    def __init__(self, folder):
        (folder / "ear.log").write_text("its last words")
        self.levels = ["full"]
        self.bus = SimpleNamespace(level=lambda _: self.levels.pop(0) if len(self.levels) > 1 else self.levels[0])
        self.ears = SimpleNamespace(told=None)
        self.faults, self.verdicts = Faults(), Verdicts()
        self.stopping = SimpleNamespace(wait=lambda _: False)
        self.processes = Processes(self, folder / "ear.log")


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(ear_lives, "BACK_S", 0.05)
    return MadeWorld(tmp_path)


def test_an_ear_that_comes_back_is_well(world):
    assert "back_s" in kill_ear(world, {})
    assert not world.verdicts.counts
    assert world.faults.explain("ear")  # so that its watchdog is not missed


def test_an_ear_that_does_not_come_back_is_a_violation_with_its_log(world):
    world.processes.comes_back = False
    assert kill_ear(world, {}) == {}
    (found,) = world.verdicts.found
    assert "did not report" in str(found)
    assert found.context == "its last words"


def test_a_level_that_falls_with_the_ear_is_a_violation(world):
    world.levels = ["full", "audio_only"]
    kill_ear(world, {})
    (found,) = world.verdicts.found
    assert "fell from full to audio_only" in str(found)


def test_what_another_fault_explains_is_none_of_the_ears(world):
    world.levels = ["full", "audio_only"]
    world.faults.end(world.faults.begin("face"))
    kill_ear(world, {})
    assert not world.verdicts.counts


def test_an_ear_that_is_not_running_is_not_stopped(world):
    world.processes.report()
    assert stop_ear(world, {"seconds": 0.1})["skipped"] == "not running"
