"""The command mien-link as a process: its exit codes, its end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mien.host.exits import Exit
from rigs.mosquitto import Mosquitto, free_port

LINK_TOML = '[board]\nsite = "museum"\nname = "lobby"\n[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n'


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mien.link", *arguments]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "make it with `mien fleet board NAME`"),
        ("[board", "no TOML"),
        ('[board]\nsite = "museum"\n', "name"),
        (LINK_TOML.format(port=1) + "[tell]\nsayd = true\n", "sayd"),
        (LINK_TOML.format(port=1).replace("lobby", "Lobby 1"), "use 1 to 32 of a-z"),
        (LINK_TOML.format(port=0), "port"),
    ],
)
def test_a_refused_file_is_one_sentence(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "link.toml"
    if text is not None:
        path.write_text(text)
    done = subprocess.run(
        command("--config", str(path), "--run-dir", str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == Exit.CONFIG
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 30
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize("there", [True, False])
def test_it_ends_when_it_is_told_to(tmp_path: Path, there: bool) -> None:
    """With a broker and without one, where a thread may wait for an address."""
    broker = Mosquitto(tmp_path)
    if there:
        broker.start()
    else:
        broker.port = free_port()
    (tmp_path / "link.toml").write_text(LINK_TOML.format(port=broker.port))
    log = tmp_path / "link.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command("--config", str(tmp_path / "link.toml"), "--run-dir", str(tmp_path)), stderr=file
        )
    try:
        wait_for(log, "connected to" if there else "refused: ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == Exit.DONE
        wait_for(log, "stopped")
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()
        broker.kill()


def test_a_second_link_of_the_same_kiosk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link.toml").write_text(LINK_TOML.format(port=free_port()))
    arguments = ("--config", str(tmp_path / "link.toml"), "--run-dir", str(tmp_path))
    log = tmp_path / "link.log"
    with log.open("wb") as file:
        first = subprocess.Popen(command(*arguments), stderr=file)
    try:
        wait_for(log, "ready")
        second = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == Exit.CONFIG
        assert "mien-link is already running" in second.stderr
    finally:
        first.terminate()
        first.wait(20)


def test_nothing_heavy_is_loaded() -> None:
    """numpy is 10 MB and a quarter of a second; the link needs none of it."""
    code = "import sys; import mien.link.service; print(*sorted({'numpy', 'pygame', 'soxr'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
