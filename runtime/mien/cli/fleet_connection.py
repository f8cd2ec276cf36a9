"""A person's connection to the broker: what boards tell, as it comes."""

from __future__ import annotations

import queue
import ssl
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mien.enrolment.client_config import ClientBroker, load_client_config, stored_password
from mien.errors import ClientError, ConfigError

if TYPE_CHECKING:
    import paho.mqtt.client as mqtt

CONNECT_S: Final = 10.0
KEEPALIVE_S: Final = 30
MOST_WAITING: Final = 20_000
_REFUSED: Final = "the broker does not let you in; ask for a new password, or look at `user` in"


class FleetConnection:
    """Subscribes and keeps what comes until it is read. It reconnects by itself, after 1 to 60 s.

    connected: whether the broker answers now. lost: messages that came too fast to be kept.
    """

    def __init__(self, config: Path, topics: Sequence[tuple[str, int]] = (), client_id: str = "") -> None:
        self.connected = False
        self.lost = 0
        self._config = config
        self._topics = list(topics)
        self._messages: queue.Queue[tuple[str, bytes]] = queue.Queue(MOST_WAITING)
        self._settled = threading.Event()
        self._answered = threading.Event()
        self._error: ConfigError | None = None
        self._marker = 0
        broker = load_client_config(config).broker
        self.where = f"{broker.host}:{broker.port}"
        self._client = _client(config, broker, client_id)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe

    def open(self, timeout_s: float = CONNECT_S) -> None:
        """Sign in. Raises ClientError when the broker does not answer, ConfigError when it refuses."""
        broker = load_client_config(self._config).broker
        self._client.connect_timeout = timeout_s
        try:
            self._client.connect(broker.host, broker.port, KEEPALIVE_S)
        except ssl.SSLCertVerificationError as error:
            raise ConfigError(
                f"{self.where}: its certificate is not the fleet's ({error.verify_message}); look at `host` and `ca` "
                f"in {self._config}, and at this machine's clock"
            ) from None
        except (OSError, ValueError) as error:  # ValueError: paho, for what is no answer to a WebSocket
            raise self._unreachable(str(error)) from None
        self._client.loop_start()
        if not self._answered.wait(timeout_s):
            raise self._unreachable(f"no answer within {timeout_s:g} s")
        if self._error is not None:
            raise self._error

    def settle(self, timeout_s: float, quiet_s: float = 0.3) -> bool:
        """Wait until the broker has handed out what it retains. Returns whether it did so in time."""
        until_s = time.monotonic() + timeout_s
        if not self._settled.wait(timeout_s):
            return False
        count = -1
        while (
            count != self._messages.qsize() and time.monotonic() < until_s
        ):  # brokers that retain elsewhere are slower
            count = self._messages.qsize()
            time.sleep(quiet_s)
        return True

    def read(self, wait_s: float) -> list[tuple[str, bytes]]:
        """What has come, after at most wait_s."""
        found = []
        try:
            found.append(self._messages.get(timeout=wait_s))
            while True:
                found.append(self._messages.get_nowait())
        except queue.Empty:
            return found

    def close(self) -> None:
        """Sign out."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> FleetConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_connect(self, client: mqtt.Client, _: Any, __: Any, code: Any, ___: Any) -> None:
        self.connected = not code.is_failure
        if code.is_failure:
            self._error = ConfigError(f"{self.where}: {code}: {_REFUSED} {self._config}")
            client.disconnect()
        elif self._topics:
            client.subscribe(self._topics)
            self._marker = client.subscribe("mien/1/none", 0)[1] or 0
        self._answered.set()

    def _on_disconnect(self, *_: Any) -> None:
        self.connected = False

    def _on_subscribe(self, _: Any, __: Any, number: int, *___: Any) -> None:
        if number == self._marker:
            self._settled.set()

    def _on_message(self, _: Any, __: Any, message: mqtt.MQTTMessage) -> None:
        try:
            self._messages.put_nowait((message.topic, bytes(message.payload)))
        except queue.Full:
            self.lost += 1
        except UnicodeDecodeError:  # message.topic
            self.lost += 1

    def _unreachable(self, why: str) -> ClientError:
        return ClientError(f"the broker {self.where} does not answer ({why}); is it running, and {self._config} right?")


def take_client_id(config: Path, client_id: str) -> None:
    """Sign in with a client id, so that the broker ends the connection that has it, and sign out."""
    with FleetConnection(config, client_id=client_id) as connection:
        connection.open()


def _client(config: Path, broker: ClientBroker, client_id: str) -> mqtt.Client:
    try:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion
    except ModuleNotFoundError:
        raise ConfigError("the broker is reached through aiomqtt's library: pip install 'mien[fleet]'") from None
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311, transport=broker.transport
    )
    client.reconnect_delay_set(1, 60)
    if broker.tls:
        client.tls_set_context(_tls(config, broker))
    if broker.user:
        client.username_pw_set(broker.user, _password(config))
    return client


def _tls(config: Path, broker: ClientBroker) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(config.parent / broker.ca) if broker.ca else None)
        if broker.certificate:
            context.load_cert_chain(config.parent / broker.certificate, config.parent / broker.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{config}: ca, certificate or key cannot be used ({error})") from None
    return context


def _password(config: Path) -> str:
    stored = stored_password(config, load_client_config(config))
    if stored is not None:
        return stored
    if not sys.stdin.isatty():
        raise ConfigError(f"{config}: there is no password: put it into `password_file`, or into MIEN_FLEET_PASSWORD")
    answer: str = click.prompt("password", hide_input=True, err=True)
    return answer
