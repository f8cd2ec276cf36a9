"""Which endpoints require CURVE, the key directory, the check of keys."""

import stat

import pytest
import zmq
import zmq.utils.z85

from mien.errors import ConfigError
from mien.transport.access import is_local, plan_access
from mien.transport.keys import KeyFolder


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("ipc:///run/mien/voice.sock", True),
        ("tcp://127.0.0.1:5570", True),
        ("tcp://127.8.9.1:*", True),
        ("tcp://[::1]:5570", True),
        ("tcp://localhost:5570", True),
        ("tcp://0.0.0.0:5570", False),
        ("tcp://*:5570", False),
        ("tcp://[::]:5570", False),
        ("tcp://192.168.0.7:5570", False),
        ("tcp://kiosk.local:5570", False),
        ("tcp://localhost.example.org:5570", False),
        ("tcp://eth0:5570", False),
    ],
)
def test_what_only_this_machine_can_reach(endpoint, local):
    assert is_local(endpoint) is local


def test_loopback_needs_no_keys(tmp_path):
    access = plan_access(("tcp://127.0.0.1:5570", "ipc:///tmp/x"), KeyFolder(tmp_path))
    assert (access.guarded, access.pair) == ((), None)


@pytest.mark.parametrize("made", [False, True])
def test_beyond_loopback_is_refused_without_keys_and_says_what_to_do(tmp_path, made):
    folder = KeyFolder(tmp_path)
    if made:
        folder.make_voice_pair()  # and still nobody could come in
    with pytest.raises(ConfigError, match=r"voice\.listen: tcp://0\.0\.0\.0:5570 .* `mien keys make NAME"):
        plan_access(("tcp://127.0.0.1:5570", "tcp://0.0.0.0:5570"), folder)


def test_keys_are_made_listed_and_kept_from_others(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    assert folder.make_voice_pair()
    assert not folder.make_voice_pair()
    secret = folder.make_client("ada", "agent", tmp_path / "stick")
    assert [(key.name, key.role, key.user_id) for key in folder.allowed()] == [("ada", "agent", "agent/ada")]
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys" / "voice.key_secret").stat().st_mode) == 0o640
    assert not list((tmp_path / "keys").rglob("ada.key_secret"))
    access = plan_access(("tcp://*:5570", "tcp://127.0.0.1:1"), folder)
    assert (access.open, access.guarded, access.pair) == (
        ("tcp://127.0.0.1:1",),
        ("tcp://*:5570",),
        tuple(map(zmq.utils.z85.decode, folder.voice_pair())),
    )


@pytest.mark.parametrize("name", ["", "../etc", "a/b", ".hidden", "x" * 65, "ada"])
def test_names_that_are_none_or_taken(tmp_path, name):
    folder = KeyFolder(tmp_path / "keys")
    folder.make_client("ada", "agent", tmp_path / "out")
    with pytest.raises(ConfigError):
        folder.make_client(name, "speaker", tmp_path / "elsewhere")


def test_without_the_library_that_encrypts_nothing_is_opened_beyond_this_machine(tmp_path, monkeypatch):
    folder = KeyFolder(tmp_path)
    folder.make_voice_pair()
    folder.make_client("ada", "agent", tmp_path / "out")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="needs PyNaCl"):
        plan_access(("tcp://0.0.0.0:5570",), folder)
    assert plan_access(("tcp://127.0.0.1:5570",), folder).guarded == ()
