"""A real mosquitto on free ports of this machine, with clients that wait for what must happen."""

import contextlib
import queue
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 15
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Broker:
    """mosquitto with a configuration that includes `conf_d`, as Debian's does."""

    def __init__(self, folder: Path, conf_d: Path, ports: list[int]) -> None:
        self._folder, self._ports = folder, ports
        self._conf = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        (folder / "db").mkdir(parents=True, exist_ok=True)
        self._conf.write_text(
            f"user root\npersistence true\npersistence_location {folder}/db/\nlog_dest file {self._log}\n"
            f"log_type all\ninclude_dir {conf_d}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait for its ports."""
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._conf)], stdout=subprocess.DEVNULL)
        for port in self._ports:
            self._wait_for(port)

    def reload(self) -> None:
        """Read the access list, passwords and certificates again; returns once that is done."""
        assert self._process is not None
        before = self.log.count("Reloading config")
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log.count("Reloading config") > before)
        time.sleep(0.3)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _wait_for(self, port: int) -> None:
        def answers() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
                return True
            return False

        wait_until(answers)


def wait_until(met: Any, patience_s: float = PATIENCE_S) -> None:
    """Wait until `met()` is true."""
    until_s = time.monotonic() + patience_s
    while not met():
        assert time.monotonic() < until_s, "it did not happen"
        time.sleep(0.02)


@dataclass
class Peer:
    """A client of the broker. code: of the answer to its connect. ended: its connection was lost."""

    client: mqtt.Client
    connected: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    code: Any = None
    inbox: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)

    def subscribe(self, *topics: str) -> None:
        """Subscribe, and wait for the broker's answer."""
        done = threading.Event()
        self.client.on_subscribe = lambda *_: done.set()
        self.client.subscribe([(topic, 1) for topic in topics])
        assert done.wait(PATIENCE_S)

    def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> None:
        """Publish at QoS 1, and wait for the acknowledgement: mosquitto sends it even where it refuses."""
        told = self.client.publish(topic, payload, qos=1, retain=retain)
        told.wait_for_publish(PATIENCE_S)
        assert told.is_published()

    def get(self) -> tuple[str, bytes]:
        """The next message."""
        return self.inbox.get(timeout=PATIENCE_S)


@contextlib.contextmanager
def peer(
    port: int,
    ca: Path | None = None,
    *,
    pair: tuple[Path, Path] | None = None,
    password: tuple[str, str] | None = None,
    websockets: bool = False,
    client_id: str = "",
    will: tuple[str, bytes] | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Peer]:
    """A client that has tried to connect. Assert `code` or `ended`."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=mqtt.MQTTv311,
        transport="websockets" if websockets else "tcp",
        reconnect_on_failure=False,
    )
    if ca is not None:
        context = ssl.create_default_context(cafile=str(ca))
        if pair is not None:
            context.load_cert_chain(*map(str, pair))
        client.tls_set_context(context)
    if password is not None:
        client.username_pw_set(*password)
    if will is not None:
        client.will_set(*will, qos=1, retain=True)
    made = Peer(client)

    def on_connect(_: Any, __: Any, ___: Any, code: Any, ____: Any) -> None:
        made.code = code
        made.connected.set()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: made.ended.set()
    client.on_message = lambda _, __, message: made.inbox.put((message.topic, message.payload))
    try:
        client.connect(host, port, keepalive=20)
        client.loop_start()
        wait_until(lambda: made.connected.is_set() or made.ended.is_set())
    except OSError:  # of TLS 1.2; with 1.3 the refusal of a certificate comes later
        made.ended.set()
    try:
        yield made
    finally:
        client.disconnect()
        client.loop_stop()
