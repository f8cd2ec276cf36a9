"""Loading a given avatar, or the shipped one."""

import shutil
from pathlib import Path

import pytest

import mien.avatar.place as place
from mien.avatar.baked import SUFFIX
from mien.avatar.load import default_avatar_path, load_avatar
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES
from mien.errors import AvatarError


def test_the_default_avatar_is_found_and_complete() -> None:
    mesh = load_avatar(None)
    assert {target.name for target in mesh.targets} >= set(ARKIT_SHAPES)


def test_an_installed_package_is_searched_before_the_source_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "mien"
    (package / "avatar").mkdir(parents=True)
    (package / "data").mkdir()
    installed = shutil.copy(default_avatar_path(), package / "data" / place.DEFAULT_NAME)
    monkeypatch.setattr(place, "__file__", str(package / "avatar" / "load.py"))
    assert default_avatar_path() == Path(installed)


def test_a_package_without_avatar_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "__file__", str(tmp_path / "a" / "b" / "mien" / "avatar" / "load.py"))
    with pytest.raises(AvatarError, match="make avatars"):
        default_avatar_path()


@pytest.mark.parametrize("name", ["head.glb", "head.VRM"])
def test_an_unbaked_file_is_sent_to_the_oven(tmp_path: Path, name: str) -> None:
    with pytest.raises(AvatarError, match="mien avatar bake"):
        load_avatar(tmp_path / name)


def test_a_shipped_avatar_is_loaded_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_avatar(Path("theo")).name == "theo"


def test_an_unknown_name_is_answered_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        AvatarError, match=r"thea: neither a file nor a shipped avatar; the shipped ones are ama, .*theo"
    ):
        load_avatar(Path("thea"))


SHIPPED = sorted(default_avatar_path().parent.glob(f"*{SUFFIX}"))


def test_six_avatars_are_shipped() -> None:
    assert {path.stem for path in SHIPPED} == {"default", "theo", "ama", "rosa", "ken", "pip"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_avatar_keeps_its_budget(path: Path) -> None:
    mesh: Mesh = load_avatar(path)
    assert len(mesh.positions) <= 12_000
    assert len(mesh.parts) <= 8
    assert path.stat().st_size <= 3_000_000
    assert all(max(texture.shape[:2]) <= 2048 for texture in mesh.textures)
