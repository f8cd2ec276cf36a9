"""The MQTT client of one connection: aiomqtt's, made from link.toml."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from mien.errors import ConfigError
from mien.fleet.status import will
from mien.link.config import BrokerConfig, LinkConfig

T = TypeVar("T")

_LOG: Final = logging.getLogger("mien.link.mqtt")
_LOG.setLevel(logging.CRITICAL)  # what happened is told by name, once (mien.link.trouble)

INCOMING_MESSAGES: Final = 256
"""Unread ones; more are a flood and are dropped, like a command that never arrived."""
INCOMING_BYTES: Final = 65_536
"""Of one packet, as MQTT 5 lets a client tell the broker."""
MOST_PACKET_BYTES: Final = 2_000_000
"""What a broker of MQTT 3.1.1, which knows no such limit, may send at once: more than any broker is set to."""
IN_FLIGHT: Final = 40
NO_DELAY: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""Otherwise a small message, such as 60 ms of sound, waits until the broker has confirmed the one before."""
PENDING_QUIET: Final = 200
ANSWER_S: Final = 10.0


class LinkClient(aiomqtt.Client):
    """Also ends an attempt at once when the broker closes the connection before it has answered.

    flooded: messages that were dropped unread.
    """

    flooded = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options, logger=_LOG)
        self._disconnected.add_done_callback(self._gone)

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work, which does not notice by itself that the connection ends. Raises MqttError then."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self._disconnected), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise aiomqtt.MqttError("the connection ended") from self._disconnected.exception()
            return task.result()
        finally:
            task.cancel()

    def _gone(self, disconnected: "asyncio.Future[None]") -> None:
        """The connection ended, also by bytes that are no MQTT: nobody need wait for an answer."""
        if not disconnected.cancelled():
            disconnected.exception()  # seen, so that asyncio does not complain
        if not self._connected.done():
            self._connected.set_exception(ClosedUnansweredError("closed before it answered"))

    @property
    def arriving_bytes(self) -> int:
        """The size of the packet that is being received. paho would take 256 MB."""
        return int(self._client._in_packet["remaining_length"])

    def _on_message(self, client: Any, userdata: Any, message: MQTTMessage) -> None:
        if self._queue.full():
            self.flooded += 1  # aiomqtt would log each
            return
        super()._on_message(client, userdata, message)

    def _on_disconnect(
        self,
        client: Any,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(ClosedUnansweredError("closed before it answered"))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


class ClosedUnansweredError(aiomqtt.MqttError):
    """The connection ended between the handshake and the broker's answer."""


def make_client(config: LinkConfig, folder: Path) -> LinkClient:
    """A client for one connection. folder: of link.toml. Raises ConfigError for a file that cannot be used."""
    broker = config.broker
    place = config.place
    five = broker.protocol == 5
    client = LinkClient(
        broker.host,
        broker.port,
        identifier=place.user,
        username=broker.user or None,
        password=_password(broker, folder),
        protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
        clean_start=True if five else MQTT_CLEAN_START_FIRST_ONLY,  # paho takes no other for 3.1.1
        clean_session=None if five else True,
        properties=_connect_properties() if five else None,
        will=aiomqtt.Will(place.topic("status"), will(), qos=1, retain=True),
        keepalive=broker.keepalive_s,
        timeout=ANSWER_S,
        tls_context=_tls(broker, folder) if broker.tls else None,
        max_queued_incoming_messages=INCOMING_MESSAGES,
        max_inflight_messages=IN_FLIGHT,
        socket_options=NO_DELAY,
    )
    client.pending_calls_threshold = PENDING_QUIET
    return client


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = INCOMING_BYTES
    return properties


def _password(broker: BrokerConfig, folder: Path) -> str | None:
    if not broker.password_file:
        return None
    path = folder / broker.password_file
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"broker.password_file: {path}: {_why(error)}") from None


def _tls(broker: BrokerConfig, folder: Path) -> ssl.SSLContext:
    """Made anew for every connection: files that were renewed are used without a restart."""
    ca = folder / broker.ca if broker.ca else None
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"broker.ca: {ca}: {_why(error)}") from None
    if broker.certificate:
        certificate, key = folder / broker.certificate, folder / broker.key if broker.key else None
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"broker.certificate: {certificate}, {key}: {_why(error)}") from None
    return context


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
