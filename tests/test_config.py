"""The configuration file and what a mistake in it is told."""

import pytest

from mien.config import SHIPPED_CONFIG, Config, load_config, parse_config, parse_overrides
from mien.errors import ConfigError


def test_the_shipped_file_lists_every_key_at_its_default():
    import tomllib

    import msgspec

    assert load_config(SHIPPED_CONFIG) == Config()
    listed = tomllib.loads(SHIPPED_CONFIG.read_text())
    every = msgspec.to_builtins(Config())
    assert {key: set(value) if isinstance(value, dict) else None for key, value in listed.items()} == {
        key: set(value) if isinstance(value, dict) else None for key, value in every.items()}


@pytest.mark.parametrize(("tree", "said"), [
    ({"voise": {}}, "voise: no such key; did you mean 'voice'"),
    ({"voice": {"max_client": 3}}, "voice.max_client: no such key; did you mean 'max_clients'"),
    ({"playback": {"zzz": 3}}, "playback.zzz: no such key; the keys here are sink"),
    ({"face": {"fps": "fast"}}, "face.fps: Expected `int`, got `str`"),
    ({"face": {"fps": 0}}, "face.fps: Expected `int` >= 1"),
    ({"playback": {"sink": "loud"}}, "playback.sink: Invalid enum value 'loud'"),
    ({"voice": {"listen": ["tcp//x"]}}, "voice.listen[0]: 'tcp//x' is not tcp://ADDRESS:PORT"),
    ({"voice": 3}, "voice: Expected `object`, got `int`"),
])
def test_a_mistake_is_named_with_its_path_and_the_remedy(tree, said):
    with pytest.raises(ConfigError) as error:
        parse_config(tree, "my.toml")
    assert str(error.value).startswith("my.toml: ")
    assert said in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[voice\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "bytes.toml")


def test_overrides_are_toml_or_text():
    overrides = parse_overrides(("playback.sink=null", "face.fps=25", "voice.listen=[]", "run_dir=/run/x"))
    config = load_config(None, overrides)
    assert (config.playback.sink, config.face.fps, config.voice.listen, config.run_dir) == ("null", 25, (), "/run/x")
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_overrides(("fps",))
