"""Clients of a real broker that wait for what must happen."""

import contextlib
import queue
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from fleet_sim.mosquitto import wait_until

PATIENCE_S = 15


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
