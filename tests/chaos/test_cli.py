"""Exit codes and words of make chaos, without a run."""

import json

import pytest
from click.testing import CliRunner

import chaos.__main__ as command
from chaos.plan import SETTLE, Action, Schedule, load, save
from chaos.run import Outcome
from chaos.violation import Violation

BROKEN = Violation("death", "voice", "mien-voice ended with 1", 3.0, "Traceback\nlines of a log")


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """What was run; whatever has a kill_face in it fails."""
    ran = []

    def run(schedule, **_):
        ran.append(schedule)
        fails = any(action.kind == "kill_face" for action in schedule.actions)
        found = [BROKEN] if fails else []
        return Outcome(schedule, found, {one.key: 1 for one in found}, list(schedule.actions))

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(command, "OUT", tmp_path / "out")
    return ran


def invoke(*arguments):
    return CliRunner().invoke(command.main, arguments)


def test_a_run_without_a_violation_ends_with_0(ran):
    result = invoke("--minutes", "1", "--seed", "4", "--only", "garbage")
    assert result.exit_code == 0
    assert "no violation" in result.output
    assert ran[0].seed == 4


@pytest.mark.usefixtures("ran")
def test_a_violation_ends_with_1_its_seed_and_the_smallest_schedule(tmp_path):
    acts = tuple(Action(kind) for kind in (SETTLE, "garbage", "kill_face", "churn", "flood", SETTLE))
    save(Schedule(9, acts), tmp_path / "nine.json")
    result = invoke("--replay", str(tmp_path / "nine.json"))
    assert result.exit_code == 1
    for words in ("seed 9", "VIOLATION death/voice", "mien-voice ended with 1", "lines of a log", "REPLAY="):
        assert words in result.output
    least = load(tmp_path / "out/seed-9-smallest.json")
    assert [action.kind for action in least.actions] == [SETTLE, "kill_face", SETTLE]


@pytest.mark.usefixtures("ran")
def test_json_is_the_whole_of_stdout():
    result = invoke("--minutes", "1", "--seed", "4", "--only", "kill_face", "--json", "--shrink-minutes", "0")
    tree = json.loads(result.stdout.splitlines()[0])
    assert tree["violations"][0]["about"] == "voice"
    assert tree["schedule"]["seed"] == 4


@pytest.mark.parametrize("arguments", [("--only", "nonsense"), ("--replay", "/nowhere/at-all.json")])
def test_what_cannot_be_run_ends_with_2_and_says_why(ran, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "chaos: " in result.output
    assert not ran
