"""What is refused on an unsupported Python, architecture or Debian, and that the sentence names the supported ones."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SUPPORTED = ("3.11", "3.12", "3.13")


def run(*command: str | Path, cwd: Path = REPOSITORY, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_pip_refuses_every_other_python() -> None:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    assert wanted == ">=3.11,<3.14"  # pip's refusal quotes it
    found = re.search(r'^SUPPORTED="(.*)"$', (REPOSITORY / ".ci/matrix").read_text(), re.M)
    assert found is not None
    assert tuple(found[1].split()) == SUPPORTED


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14", "2.7"])
def test_the_matrix_refuses_an_unsupported_python(version: str) -> None:
    code, said = run(".ci/matrix", version)
    assert (code, said) == (2, f"matrix: mien does not support Python {version}, but 3.11, 3.12, 3.13\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without an environment, on a machine that has all of Debian's packages."""
    (tmp_path / ".ci").mkdir()
    for name in ("setup", "packages.sh", "python.sh"):
        shutil.copy(REPOSITORY / ".ci" / name, tmp_path / ".ci" / name)
    (tmp_path / ".ci/debian-packages.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


def interpreter(path: Path, version: tuple[int, int]) -> Path:
    """A program that is as old or new as that to whoever asks it."""
    verdict = 0 if (3, 11) <= version <= (3, 13) else 1
    name = ".".join(map(str, version))
    path.write_text(f'#!/bin/sh\ncase $1 in -V) echo "Python {name}.1" ;; -c) exit {verdict} ;; *) exit 9 ;; esac\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_setup_refuses_an_unsupported_python(checkout: Path, version: tuple[int, int]) -> None:
    python = interpreter(checkout / "python", version)
    code, said = run("bash", ".ci/setup", cwd=checkout, MIEN_PYTHON=str(python))
    assert code == 1
    assert (
        f"MIEN_PYTHON={python} is Python {version[0]}.{version[1]}.1: mien supports Python 3.11, 3.12 and 3.13" in said
    )
    assert not (checkout / ".venv").exists()


def test_setup_says_that_the_named_python_is_none(checkout: Path) -> None:
    code, said = run("bash", ".ci/setup", cwd=checkout, MIEN_PYTHON="/nowhere/python")
    assert code == 1
    assert "MIEN_PYTHON=/nowhere/python is no Python: mien supports" in said


def test_setup_asks_the_interpreter_itself_for_its_version(checkout: Path) -> None:
    """The doubles above answer by themselves; a real one must accept and refuse by the same program."""
    text = (checkout / ".ci/python.sh").read_text()
    program = re.search(r"-c '(import sys; sys\.exit\(.*\))'", text)
    assert program is not None
    for version, refused in (((3, 10), True), ((3, 11), False), ((3, 13), False), ((3, 14), True)):
        fake = program[1].replace("sys.version_info[:2]", str(version))
        assert (run(sys.executable, "-ISc", fake)[0] != 0) is refused


@pytest.mark.parametrize("arguments", [("bookworm", "armhf"), ("bookworm", "riscv64")])
def test_a_package_for_an_unsupported_architecture_is_refused(arguments: tuple[str, str]) -> None:
    code, said = run("packaging/build-deb", *arguments)
    assert (code, said) == (1, f"build-deb: unknown architecture {arguments[1]}: amd64 and arm64 are supported\n")


def test_a_package_for_an_unsupported_suite_is_refused() -> None:
    code, said = run("packaging/build-deb", "bullseye")
    assert (code, said) == (1, "build-deb: unknown suite bullseye: bookworm and trixie are supported\n")


def test_an_unsupported_debian_is_refused() -> None:
    code, said = run(".ci/test-install", "bullseye")
    assert (code, said) == (1, "test-install: unknown suite bullseye: bookworm and trixie are supported\n")


def test_interpreters_that_are_not_there_are_named_and_nothing_run_is_a_failure(tmp_path: Path) -> None:
    for version in SUPPORTED:
        interpreter(tmp_path / f"python{version}", (3, 0))
    code, said = run(
        ".ci/matrix",
        "--fast",
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        HOME=str(tmp_path),
        GIT_CONFIG_GLOBAL=str(Path.home() / ".gitconfig"),  # where a container allows itself to use this checkout
        MIEN_MATRIX=str(tmp_path / "cache"),
    )
    assert code == 1
    for version in SUPPORTED:
        assert f"matrix: NOT RUN on Python {version}, which is not installed" in said
    assert "matrix: failed: nothing was run" in said


def test_the_fast_matrix_with_both_interpreters_is_part_of_ci() -> None:
    assert "part make test-matrix FAST=1" in (REPOSITORY / ".ci/run").read_text()
    assert "required=LiteRT,tflite-runtime" in (REPOSITORY / ".ci/matrix").read_text()
