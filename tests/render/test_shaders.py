"""Every shader is valid GLSL ES 1.00 by the reference compiler: Mesa alone would let ES 3 slip through."""

import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

SHADERS = sorted(
    Path(str(entry)) for entry in (resources.files("mien.render") / "shaders").iterdir() if entry.name[0] != "."
)


def test_there_are_shaders_in_pairs() -> None:
    stems = {path.stem for path in SHADERS}
    assert {path.name for path in SHADERS} == {f"{stem}.{suffix}" for stem in stems for suffix in ("vert", "frag")}


@pytest.mark.parametrize("shader", SHADERS, ids=lambda path: path.name)
def test_shader_is_valid_es_100(shader: Path, tmp_path: Path) -> None:
    validator = shutil.which("glslangValidator")
    assert validator, "glslangValidator is missing: apt install glslang-tools"
    assert shader.read_text().startswith("#version 100\n")
    result = subprocess.run([validator, str(shader)], capture_output=True, text=True, cwd=tmp_path, timeout=30)
    assert result.returncode == 0, result.stdout
