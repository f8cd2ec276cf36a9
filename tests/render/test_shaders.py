"""Every shader is valid GLSL ES 1.00 by the reference compiler: Mesa alone would let ES 3 slip through."""

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from mien.render.program import with_defines

SHADERS = sorted(
    Path(str(entry)) for entry in (resources.files("mien.render") / "shaders").iterdir() if entry.name[0] != "."
)


def test_there_are_shaders_in_pairs() -> None:
    stems = {path.stem for path in SHADERS}
    assert {path.name for path in SHADERS} == {f"{stem}.{suffix}" for stem in stems for suffix in ("vert", "frag")}


VARIANTS = [(path, ()) for path in SHADERS] + [
    (path, (name,)) for path in SHADERS for name in re.findall(r"#ifdef (\w+)", path.read_text()) if name[:3] != "GL_"
]


def name_of(value: Path | tuple[str, ...]) -> str:
    return value.name if isinstance(value, Path) else "+".join(value)


@pytest.mark.parametrize(("shader", "defines"), VARIANTS, ids=name_of)
def test_every_variant_is_valid_es_100(shader: Path, defines: tuple[str, ...], tmp_path: Path) -> None:
    validator = shutil.which("glslangValidator")
    assert validator, "glslangValidator is missing: apt install glslang-tools"
    source = with_defines(shader.read_text(), defines)
    assert source.startswith("#version 100\n")
    (tmp_path / shader.name).write_text(source)
    result = subprocess.run([validator, shader.name], capture_output=True, text=True, cwd=tmp_path, timeout=30)
    assert result.returncode == 0, result.stdout


def test_defines_come_after_the_version() -> None:
    assert with_defines("#version 100\nvoid main() {}\n", ("A", "B")).splitlines()[:3] == [
        "#version 100",
        "#define A",
        "#define B",
    ]
