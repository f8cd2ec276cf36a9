"""The client's keys, up to a turn over an encrypted connection."""

import pytest

from mien.client import connect
from mien.client.keys import load_keys
from mien.errors import ClientError, ConfigError
from mien.transport.keys import KeyFolder
from rigs.services import running_voice
from rigs.voice_rig import tone


@pytest.fixture
def folder(tmp_path):
    keys = KeyFolder(tmp_path / "keys")
    keys.make_voice_pair()
    keys.make_client("bot", "speaker", tmp_path / "out")
    return keys


def test_no_keys_are_none():
    assert load_keys(None, None) is None


def test_one_key_alone_or_a_public_one_is_refused(folder, tmp_path):
    secret, voice = tmp_path / "out" / "bot.key_secret", folder.root / "voice.key"
    with pytest.raises(ConfigError, match="both"):
        load_keys(secret, None)
    with pytest.raises(ConfigError, match="no secret"):
        load_keys(folder.root / "allowed" / "speaker" / "bot.key", voice)
    with pytest.raises(ConfigError, match="nowhere"):
        load_keys(tmp_path / "nowhere", voice)


@pytest.mark.parametrize("which", ["key", "voice_key"])
def test_a_key_of_the_wrong_length_is_refused_before_the_socket_meets_it(folder, tmp_path, which):
    files = {"key": tmp_path / "out" / "bot.key_secret", "voice_key": folder.root / "voice.key"}
    bad = tmp_path / "bad"
    bad.write_text(files[which].read_text().replace('-key = "', '-key = "x'))
    with pytest.raises(ConfigError, match=r"bad: is not a key file .*40 characters, and this one 41"):
        load_keys(**{**files, which: bad})


def test_a_turn_over_an_encrypted_connection(folder, tmp_path):
    with running_voice(tmp_path, keys=folder.root, voice={"listen": ("tcp://0.0.0.0:*",)}) as voice:
        endpoint = voice.endpoints[-1].replace("0.0.0.0", "127.0.0.1")
        with connect(endpoint, key=tmp_path / "out" / "bot.key_secret", voice_key=folder.root / "voice.key") as bot:
            assert bot.say(tone(100).tobytes()).played_ms == 100.0
        with pytest.raises(ClientError, match="nothing answers"):
            connect(endpoint, timeout_s=1.0)


def test_the_secret_is_checked_as_the_public_key_is(folder, tmp_path):
    secret = tmp_path / "out" / "bot.key_secret"
    secret.write_text(secret.read_text().replace('secret-key = "', 'secret-key = "x'))
    with pytest.raises(ConfigError, match="41"):
        load_keys(secret, folder.root / "voice.key")
    with pytest.raises(ConfigError, match="both"):
        load_keys(None, folder.root / "voice.key")
