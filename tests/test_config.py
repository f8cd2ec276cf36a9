"""The configuration file and what a mistake in it is told."""

from pathlib import Path

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
        key: set(value) if isinstance(value, dict) else None for key, value in every.items()
    }


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"voise": {}}, "voise: no such key; did you mean 'voice'"),
        ({"voice": {"max_client": 3}}, "voice.max_client: no such key; did you mean 'max_clients'"),
        ({"playback": {"zzz": 3}}, "playback.zzz: no such key; the keys here are sink"),
        ({"face": {"fps": "fast"}}, "face.fps: Expected `int`, got `str`"),
        ({"face": {"fps": 0}}, "face.fps: Expected `int` >= 1"),
        ({"playback": {"sink": "loud"}}, "playback.sink: Invalid enum value 'loud'"),
        ({"voice": {"listen": ["tcp//x"]}}, "voice.listen[0]: 'tcp//x' is not tcp://ADDRESS:PORT"),
        ({"voice": 3}, "voice: Expected `object`, got `int`"),
        ({"run_dir": "/run/a\0b"}, "run_dir: '/run/a\\x00b' has control characters in it; leave them out"),
        ({"playback": {"wav_path": "a\nb"}}, "playback.wav_path: 'a\\nb' has control characters"),
        ({"playback": {"device": "\x1b[2J"}}, "playback.device: '\\x1b[2J' has control characters"),
        ({"face": {"avatar": "\0"}}, "face.avatar: '\\x00' has control characters"),
        ({"face": {"model": "\x7f"}}, "face.model: '\\x7f' has control characters"),
        ({"access": {"keys": "a\tb"}}, "access.keys: 'a\\tb' has control characters"),
        ({"journal": {"folder": "a\udcffb"}}, "journal.folder: 'a\\udcffb' has control characters"),
        ({"voice": {"listen": ["tcp://*:1", "ipc://a\0b"]}}, "voice.listen[1]: 'ipc://a\\x00b' has control characters"),
        ({"voice": {"listen": ["tcp://127.0.0.1:65536"]}}, "voice.listen[0]: 'tcp://127.0.0.1:65536' has no port"),
        (
            {"voice": {"listen": ["ipc://@mien"]}},
            "voice.listen[0]: 'ipc://@mien' is an abstract socket, which has no permissions",
        ),
        ({"voice": {"listen": [f"ipc:///{'x' * 107}"]}}, "is too long: a socket's path has at most 107 bytes"),
        ({"playback": {"output_latency_ms": float("nan")}}, "playback.output_latency_ms: Expected `float` >= -500.0"),
        ({"face": {"display_latency_ms": float("nan")}}, "face.display_latency_ms: Expected `float` >= -500.0"),
        ({"captions": {"size": float("nan")}}, "captions.size: Expected `float` >= 0.5"),
        ({"captions": {"size": float("inf")}}, "captions.size: Expected `float` <= 2"),
    ],
)
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


@pytest.mark.parametrize(
    "endpoint",
    ["tcp://127.0.0.1:65535", "tcp://[::1]:5570", "tcp://*:*", "tcp://kiosk.local:5570", f"ipc:///{'x' * 106}"],
)
def test_endpoints_that_may_be_named(endpoint):
    assert parse_config({"voice": {"listen": [endpoint]}}, "my.toml").voice.listen == (endpoint,)


def test_nothing_but_the_local_socket_and_no_log_unless_they_are_configured():
    assert Config().voice.listen == ()
    assert not Config().journal.enabled


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    (tmp_path / "windows.toml").write_bytes(b"\xef\xbb\xbf[face]\r\nfps = 25\r\n")
    assert load_config(tmp_path / "windows.toml").face.fps == 25


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = " + b"[" * 100_000, "brackets are nested too deeply"),
        (b"face.seed = " + b"9" * 5000, "not valid TOML: Exceeds the limit"),
        (b"#" * 1_000_001, "more than 1000000 bytes"),
        (b"run_dir = 'a\0b'", "not valid TOML"),
        (b'run_dir = "a\\u0000b"', r"run_dir: 'a\x00b' has control characters"),
        (b"a = \xff", "cannot be read"),
    ],
)
def test_no_file_is_a_traceback(tmp_path, content, said):
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path / "bad.toml")
    assert said in str(error.value)
    assert str(error.value).startswith(f"{tmp_path}/bad.toml: ")
    assert str(error.value).isprintable()


def test_a_folder_or_an_endless_file_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    with pytest.raises(ConfigError, match="is it a configuration"):
        load_config(Path("/dev/zero"))


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000])
def test_an_override_that_is_no_toml_is_text(text):
    assert parse_overrides((f"playback.device={text}",)) == {"playback.device": text}


def test_overrides_are_toml_or_text():
    overrides = parse_overrides(("playback.sink=null", "face.fps=25", "voice.listen=[]", "run_dir=/run/x"))
    config = load_config(None, overrides)
    assert (config.playback.sink, config.face.fps, config.voice.listen, config.run_dir) == ("null", 25, (), "/run/x")
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_overrides(("fps",))
