"""A real mosquitto, as docs/console.md configures one, and the page's own server."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.bench.link_broker import free_port, mosquitto_program
from mien.cli.console_server import open_server
from mien.cli.console_site import security_headers, site

PASSWORD = "correct-horse"
PEOPLE = {"ana": "operator", "ben": "agent", "otto": "observer", "carl": "agent"}


def acl() -> str:
    """Boards may write all; people read, and command in their roles."""
    lines = ["user boards", "topic readwrite mien/1/#"]
    roles = ("observer", "agent", "operator")
    for name, role in PEOPLE.items():
        lines += ["", f"user {name}"]
        lines += [f"topic read mien/1/+/+/{rest}" for rest in ("status", "health", "event", "live/#", f"answer/{name}")]
        lines += [f"topic write mien/1/+/+/watch/{name}"]
        lines += [f"topic write mien/1/+/+/command/{each}/{name}" for each in roles[: roles.index(role) + 1]]
        if role != "observer":
            lines += [f"topic write mien/1/+/+/speech/{name}"]
    return "\n".join(lines) + "\n"


@dataclass
class Broker:
    """A mosquitto that can be stopped and started again. port: MQTT. web: WebSockets."""

    folder: Path
    port: int
    web: int
    process: subprocess.Popen[bytes] | None = None
    http_dir: Path | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.web}/mqtt"

    def configure(self) -> None:
        """Write configuration, passwords and access list."""
        self.folder.chmod(0o755)
        passwords = self.folder / "passwd"
        passwords.write_text("".join(f"{name}:{PASSWORD}\n" for name in PEOPLE) + "boards:boards-password\n")
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
        (self.folder / "acl").write_text(acl())
        for name in ("passwd", "acl"):
            (self.folder / name).chmod(0o644)
        served = f"http_dir {self.http_dir}\n" if self.http_dir else ""
        (self.folder / "mosquitto.conf").write_text(
            # As root it would become the user mosquitto, who cannot read a test's folder.
            f"user {getpass.getuser()}\nallow_anonymous false\n"
            f"password_file {passwords}\nacl_file {self.folder / 'acl'}\n"
            f"max_packet_size 20000000\nmax_queued_messages 20000\n"
            f"listener {self.port} 127.0.0.1\n"
            f"listener {self.web} 127.0.0.1\nprotocol websockets\n{served}"
        )

    def start(self) -> None:
        """Start it and wait until it listens."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [mosquitto_program(), "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.web), 0.2):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def reload(self) -> None:
        """Read passwords and access list again."""
        assert self.process
        os.kill(self.process.pid, 1)


def new_broker(folder: Path, http_dir: Path | None = None) -> Broker:
    """A broker on free ports, not started."""
    broker = Broker(folder, free_port(), free_port(), http_dir=http_dir)
    broker.configure()
    return broker


def served(broker: Broker | None) -> contextlib.AbstractContextManager[str]:
    """The page's address, served as `mien console --broker` does; None: without a broker of its own."""
    return served_for(broker.url if broker else "")


@contextlib.contextmanager
def served_for(proposed: str) -> Iterator[str]:
    """The same for the address of a broker, "" for none."""
    with open_server("127.0.0.1", 0, site(proposed), security_headers(proposed)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
