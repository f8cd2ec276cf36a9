"""A private PulseAudio, whose null device plays, and is heard by its own microphone."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

RATE_HZ = 48000
PULSE_PCM = """
pcm.null { type null }
pcm.paced { type pulse server "unix:%s" handle_underrun 1 }
ctl.paced { type pulse server "unix:%s" }
pcm.microphone { type pulse server "unix:%s" device "speaker.monitor" }
ctl.microphone { type pulse server "unix:%s" }
"""


@pytest.fixture(scope="session")
def alsa_definitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Private ALSA definitions: the machine's may lack `null`, or route `default` to a real speaker."""
    folder = tmp_path_factory.mktemp("alsa")
    address = folder / "server"
    definitions = folder / "asound.conf"
    definitions.write_text(PULSE_PCM % ((address,) * 4))
    return definitions


@pytest.fixture(scope="session")
def sound_server(alsa_definitions: Path) -> Iterator[None]:
    """A private PulseAudio with a null sink: a real, paced ALSA PCM without a sound card."""
    program = shutil.which("pulseaudio")
    if program is None or not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        pytest.skip("no paced ALSA device: apt-get install pulseaudio libasound2-plugins")
    folder = alsa_definitions.parent
    address = folder / "server"
    # Without norewinds the null sink consumes two seconds at a time.
    options = ["-n", "--daemonize=no", "--use-pid-file=no", "--disable-shm=yes", "--exit-idle-time=-1"]
    modules = [f"module-null-sink sink_name=speaker rate={RATE_HZ} channels=1 norewinds=1"]
    modules += [f"module-native-protocol-unix auth-anonymous=1 socket={address}"]
    command = [program, *options, "--log-level=error", *(f"--load={module}" for module in modules)]
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=os.environ | home, stdout=log, stderr=log)
    try:
        for _ in range(200):
            if answers(address) or server.poll() is not None:
                break
            time.sleep(0.05)
        if not answers(address):
            pytest.fail(f"pulseaudio did not start: {(folder / 'log').read_text()}")
        yield
    finally:
        server.terminate()
        server.wait(10)


def answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(address)) == 0
