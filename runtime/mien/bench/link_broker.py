"""A mosquitto with TLS on this machine, for `mien bench link`."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from mien.errors import MienError

START_S: Final = 10.0
PATH: Final = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"  # Debian puts mosquitto where only root looks


class BrokerAddress(NamedTuple):
    """Of a broker on 127.0.0.1. ca: the certificate to trust."""

    port: int
    ca: Path


def mosquitto_program() -> str:
    """The path of mosquitto. Raises MienError when it is not installed."""
    program = shutil.which("mosquitto", path=PATH)
    if program is None:
        raise MienError("mosquitto is needed; apt-get install mosquitto")
    return program


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_broker(folder: Path) -> Iterator[BrokerAddress]:
    """Run it until the block ends. folder: for its files. Raises MienError when it cannot run."""
    program = mosquitto_program()
    if shutil.which("openssl") is None:
        raise MienError("openssl is needed; apt-get install openssl")
    address = BrokerAddress(free_port(), folder / "broker.crt")
    _make_certificate(folder)
    process = subprocess.Popen(
        [program, "-c", str(_configure(folder, address))], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _await(process, address.port)
        yield address
    finally:
        process.terminate()
        process.communicate()


def _make_certificate(folder: Path) -> None:
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(folder / "broker.key"), "-out", str(folder / "broker.crt"))
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    made = subprocess.run(["openssl", "req", "-x509", *kind, *files, *subject], capture_output=True, text=True)
    if made.returncode:
        raise MienError(f"openssl made no certificate: {made.stderr.strip()[-200:]}")
    (folder / "broker.key").chmod(0o644)  # mosquitto gives up root before it reads it
    folder.chmod(0o755)


def _configure(folder: Path, address: BrokerAddress) -> Path:
    lines = [
        f"listener {address.port} 127.0.0.1",
        "allow_anonymous true",
        "persistence false",
        "set_tcp_nodelay true",  # otherwise a small message waits for the answer to the one before
        f"certfile {folder / 'broker.crt'}",
        f"keyfile {folder / 'broker.key'}",
    ]
    if os.geteuid() == 0:
        lines.append("user root")  # otherwise it could not read these files
    path = folder / "mosquitto.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise MienError(f"mosquitto did not listen on port {port} of this machine")
