"""A short fuzz of what comes from a broker; `make fuzz` does more of it."""

import pytest

from link import fuzz_orders


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_messages_change_nothing(seed: int) -> None:
    fuzzer = fuzz_orders.fuzz(4_000, seed)
    assert fuzzer.did > 50
    assert fuzzer.answered > fuzzer.did


def test_a_command_that_is_carried_out_against_the_rules_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.link import commands

    monkeypatch.setattr(commands.Freshness, "check", lambda *_: None)
    with pytest.raises(AssertionError, match="--seed 1"):
        fuzz_orders.fuzz(2_000, 1)
