"""Authentication while the key directory changes."""

import pytest

from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.transport.key_check import KeyCheck
from mien.transport.keys import KeyFolder


class Rig:
    def __init__(self, folder):
        self.folder, self.clock, self.counters = KeyFolder(folder / "keys"), ManualClock(), Counters()
        self.out = folder / "out"
        self.check = KeyCheck(self.folder, self.clock, self.counters)

    def add(self, name, role):
        self.folder.make_client(name, role, self.out)
        return next(key.raw for key in self.folder.read().keys if key.name == name)


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_the_check_follows_the_folder(rig):
    ada = rig.add("ada", "agent")
    assert rig.check.user_of(ada) == "agent/ada"
    assert rig.check.user_of(bytes(32)) is None
    bot = rig.add("bot", "speaker")
    assert rig.check.user_of(bot) is None
    rig.clock.advance_ms(1000)
    assert rig.check.user_of(bot) == "speaker/bot"
    assert (rig.counters["access_granted"], rig.counters["access_refused"]) == (2, 2)


def test_the_folder_is_read_once_a_second(rig):
    assert rig.check.step()
    assert not rig.check.step()
    rig.clock.advance_ms(999)
    assert not rig.check.step()
    rig.clock.advance_ms(1)
    assert rig.check.step()


def test_a_key_that_is_removed_is_no_longer_listed(rig):
    rig.add("ada", "agent")
    rig.check.step()
    assert rig.check.listed("agent/ada")
    assert not rig.check.listed("agent/eve")
    rig.folder.remove("ada")
    rig.clock.advance_ms(1000)
    rig.check.step()
    assert not rig.check.listed("agent/ada")


def test_one_bad_file_costs_its_own_key_and_is_told_once(rig, caplog):
    ada = rig.add("ada", "agent")
    bad = rig.folder.root / "allowed" / "agent" / "bad.key"
    bad.write_text('curve\n    public-key = "short"\n')
    for _ in range(3):
        assert rig.check.user_of(ada) == "agent/ada"
        rig.clock.advance_ms(1000)
    assert len([line for line in caplog.messages if "bad.key" in line]) == 1
    rig.folder.remove("ada")
    rig.clock.advance_ms(1000)
    assert rig.check.user_of(ada) is None
