"""hil/run: a run of nothing, and a rig that was asked for and cannot run, are failures."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rigs.acted import act

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path):
    """hil/run with its environment files; setting up is acted, and so is the Python that runs the suites."""
    place = tmp_path / "mien"
    shutil.copytree(REPOSITORY / "hil/env", place / "hil/env")
    shutil.copy(REPOSITORY / "hil/run", place / "hil/run")
    (place / ".venv-hil/bin").mkdir(parents=True)
    act(place / "hil", setup='echo "$*" >>setup')
    act(place / ".venv-hil/bin", python='echo "$*" >>suites; exit ${SUITE:-0}')
    return place


def run(checkout, *words, uid=0, **variables):
    environment = act(checkout.parent, id=f"echo {uid}") | variables
    return subprocess.run(
        [checkout / "hil/run", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_nothing_run_is_a_failure_that_says_why(checkout):
    found = run(checkout, "smoke", uid=1000)
    assert found.returncode == 1
    assert "left out: container: systemd-nspawn needs root" in found.stderr
    assert "left out: qemu-virt: there is no image" in found.stderr
    assert "FAILED: nothing was run" in found.stderr
    assert (lines(checkout / "setup"), lines(checkout / "suites")) == ([], [])


def test_what_can_run_runs_and_the_rest_is_listed(checkout):
    found = run(checkout, "smoke")
    assert found.returncode == 0, found.stderr
    assert lines(checkout / "setup") == ["container"]
    suite, report = lines(checkout / "suites")
    assert "hil/env/container.yaml" in suite
    assert "test_smoke.py" in suite
    assert "hil.report.page" in report
    assert "left out: qemu-virt: there is no image" in found.stdout


def test_a_rig_asked_for_by_name_that_cannot_run_is_a_failure(checkout):
    found = run(checkout, "smoke", "container", "qemu-virt")
    assert found.returncode == 1
    assert "qemu-virt cannot run: there is no image" in found.stderr
    assert len(lines(checkout / "suites")) == 2  # the other one did run


def test_a_failed_suite_is_a_failure(checkout):
    assert run(checkout, "smoke", SUITE="1").returncode == 1


def test_without_the_setup_nothing_runs(checkout):
    act(checkout / "hil", setup="exit 1")
    assert run(checkout, "smoke").returncode == 1
    assert lines(checkout / "suites") == []


def test_with_an_image_both_boards_run(checkout):
    (checkout / "build").mkdir()
    (checkout / "build/mien-0.2.0-arm64.img").touch()
    assert run(checkout, "smoke").returncode == 0
    assert lines(checkout / "setup") == ["container qemu-virt"]
    assert [line.split("hil/env/")[1].split(".")[0] for line in lines(checkout / "suites")[:2]] == [
        "container",
        "qemu-virt",
    ]


@pytest.mark.parametrize("words", [(), ("bogus",), ("all", "bogus"), ("smoke", "qemu-icount")])
def test_what_does_not_exist_is_a_usage_error(checkout, words):
    found = run(checkout, *words)
    assert found.returncode == 2
    assert "usage: hil/run smoke | all [RIG...]" in found.stderr
    assert "container" in found.stderr
