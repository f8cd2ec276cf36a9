"""From a seed to mutants, from mutants to tests, from outcomes to a report."""

import os
from pathlib import Path

import pytest

from mutants import equivalent, report, sandbox, trial
from mutants.covered import Suite
from mutants.sample import candidates, draw, shares
from mutants.source import Edit, Mutation
from mutants.targets import PACKAGES, ROOT


def made(line: int = 1, *, package: str = "core", kind: str = "constant", at_import: bool = False) -> Mutation:
    return Mutation(
        package, "a.py", line, Edit(kind, line * 10, line * 10 + 1, "2"), "x = 1", "x = 2", (line, line), at_import
    )


def test_every_package_has_files_and_tests() -> None:
    for package in PACKAGES.values():
        assert package.files(), package.name
        assert (ROOT / "tests" / package.suites[0]).is_dir(), package.name


def test_a_seed_draws_the_same_and_another_others() -> None:
    found = candidates(PACKAGES["core"])
    first, again, other = draw(found, 20, 1), draw(found, 20, 1), draw(found, 20, 2)
    assert first == again != other
    assert len(set(first)) == 20


def test_no_more_are_drawn_than_there_are_and_none_twice() -> None:
    of = [made(1), made(1, kind="sign"), made(2)]
    assert sorted(draw(of, 9, 1), key=str) == sorted(of, key=str)
    assert {one.line for one in draw(of, 2, 5)} == {1, 2}


def test_small_packages_get_a_share() -> None:
    counts = shares({"large": 10_000, "small": 100, "tiny": 3, "none": 0}, 100)
    assert counts["large"] > counts["small"] > counts["tiny"] == 3
    assert counts["small"] >= 5
    assert "none" not in counts


@pytest.fixture
def suites() -> dict[str, Suite]:
    core = {"t/core/a.py::slow": 9.0, "t/core/a.py::quick": 0.1, "t/core/a.py::other": 0.2, "t/core/b.py::b": 1.0}
    voice = {"t/voice/c.py::c": 0.01}
    return {
        "core": Suite(
            "core",
            core,
            [],
            {"a.py": {1: ["t/core/a.py::slow", "t/core/a.py::quick", "t/core/b.py::b"], 2: [], 3: ["t/core/b.py::b"]}},
        ),
        "voice": Suite("voice", voice, [], {"a.py": {1: ["t/voice/c.py::c"]}}),
    }


def test_tests_that_run_the_line_are_asked_cheapest_first_then_their_neighbours(suites: dict[str, Suite]) -> None:
    assert trial.rounds(made(1), suites) == [
        ["t/core/b.py::b", "t/core/a.py::quick", "t/core/a.py::slow", "t/voice/c.py::c"],
        ["t/core/a.py::other"],
    ]
    assert trial.rounds(made(3), suites) == [["t/core/b.py::b"]]


def test_a_line_that_no_test_runs_is_still_asked_of_the_packages_own(suites: dict[str, Suite]) -> None:
    assert [set(tests) for tests in trial.rounds(made(2), suites)] == [set(suites["core"].seconds)]


def test_what_an_import_runs_is_asked_of_all_that_use_the_file(suites: dict[str, Suite]) -> None:
    first, rest = trial.rounds(made(2, at_import=True), suites)
    assert set(first) == {"t/core/a.py::slow", "t/core/a.py::quick", "t/core/b.py::b", "t/voice/c.py::c"}
    assert rest == ["t/core/a.py::other"]


def outcome(how: str, package: str = "core") -> trial.Outcome:
    return trial.Outcome(made(package=package), how, "why", 3, 1.0)


def test_the_table_counts_equivalents_apart_and_a_timeout_as_noticed() -> None:
    of = [outcome("killed"), outcome("timeout"), outcome("survived"), outcome("equivalent"), outcome("killed", "face")]
    core, face, whole = report.table(of)
    assert (core["killed"], core["tried"], core["percent"], core["equivalent"]) == (2, 3, 66.7, 1)
    assert (face["killed"], face["percent"]) == (1, 100.0)
    assert (whole["killed"], whole["tried"]) == (3, 4)
    text = report.text(of)
    assert "survived: a.py:1 constant" in text
    assert "    - x = 1\n    + x = 2" in text
    assert len(report.as_json(of, 4)["mutants"]) == 5


def test_equivalents_are_found_by_what_the_line_says(tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    path.write_text('[[equivalent]]\nfile = "a.py"\nline = "x = 1"\nbecomes = "x = 2"\nwhy = "nobody reads it"\n')
    assert equivalent.why(made(7), equivalent.known(path)) == "nobody reads it"
    path.write_text('[[equivalent]]\nfile = "a.py"\nline = "x = 1"\n')
    with pytest.raises(ValueError, match=r"equivalent\[0\] lacks becomes, why"):
        equivalent.known(path)


def test_every_listed_equivalent_is_still_a_mutant() -> None:
    listed = set(equivalent.known())
    packages = [package for package in PACKAGES.values() if {file for file, _, _ in listed} & set(package.files())]
    assert listed <= {(one.file, one.before, one.after) for package in packages for one in candidates(package)}


def run(tmp_path: Path, command: str, seconds: float = 20.0) -> tuple[int | None, str]:
    status = sandbox.run(
        ["sh", "-c", command], folder=tmp_path, work=tmp_path, environment={"PATH": "/usr/bin:/bin"}, seconds=seconds
    )
    return status, (tmp_path / "output").read_text()


def test_a_mutant_ends_with_all_it_started(tmp_path: Path) -> None:
    assert run(tmp_path, "echo heard; exit 3") == (3, "heard\n")
    status, _ = run(tmp_path, f"(sleep 1.5; echo >{tmp_path}/late) & sleep 60", seconds=0.7)
    assert status is None
    run(tmp_path, "sleep 1.5")
    assert not (tmp_path / "late").exists()


def test_a_mutant_that_writes_or_allocates_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "FILE_BYTES", 2**20)
    status, _ = run(tmp_path, "head -c 3000000 /dev/zero >big")
    assert status != 0
    assert (tmp_path / "big").stat().st_size == 2**20
    monkeypatch.setattr(sandbox, "ADDRESS_SPACE_BYTES", 2**30)
    status, said = run(tmp_path, "exec /usr/bin/env python3 -c 'bytearray(2**31)'")
    assert status == 1
    assert "MemoryError" in said


@pytest.mark.skipif(not sandbox.can_shut_in(), reason="this machine gives no name spaces of one's own")
def test_a_mutant_can_neither_write_elsewhere_nor_reach_other_processes(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    work = tmp_path / "work"
    elsewhere.mkdir()
    work.mkdir()
    status, said = run(work, f"touch here; touch {elsewhere}/there; kill -0 {os.getpid()}")
    assert (status, (work / "here").exists(), (elsewhere / "there").exists()) == (1, True, False)
    assert "Read-only file system" in said
