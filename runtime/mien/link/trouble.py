"""Names what separates a board from its broker, with the remedy. Pure.

A kiosk's technician sees one of these in `systemctl status mien-link`, once in the log when it changes, and as the
`why` of the event that tells of the outage afterwards.
"""

import errno
import socket
import ssl
from typing import Final, NamedTuple

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode


class Trouble(NamedTuple):
    """name: of a fixed set, for rules and tests. remedy: a sentence."""

    name: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.remedy}"


CLOCK_UNSET: Final = Trouble(
    "clock_unset", "the board's clock is not set, so no certificate is valid; it needs a time server (timesyncd)"
)
OWN_EXPIRED: Final = Trouble("certificate_expired", "the board's certificate has expired; make a new one")
OWN_NOT_YET: Final = Trouble(
    "certificate_not_yet_valid", "the board's certificate begins in the future; is the board's clock right?"
)
TAKEN_OVER: Final = Trouble(
    "taken_over", "another client signs in under this board's name: two boards with one link.toml or certificate"
)
OVERSIZED: Final = Trouble("oversized", "the broker sends a packet larger than any of a fleet: limit it there")
CLOSED: Final = Trouble("closed", "the broker closed the connection")
CLOSED_UNANSWERED: Final = Trouble(
    "closed_unanswered",
    "it accepted the connection and closed it before it answered: it does not accept the board's certificate, or it is "
    "no MQTT broker",
)

_CERTIFICATE: Final = {
    10: Trouble("broker_expired", "the broker's certificate has expired; renew it there"),
    9: Trouble("broker_not_yet_valid", "the broker's certificate begins in the future; is the board's clock right?"),
    62: Trouble("wrong_name", "the broker's certificate is for another host name; correct broker.host"),
    64: Trouble("wrong_name", "the broker's certificate is for another address; correct broker.host"),
}
_UNTRUSTED: Final = Trouble(
    "untrusted", "the broker's certificate is from another authority: a captive portal answers, or broker.ca is wrong"
)
_ALERTS: Final = (
    ("CERTIFICATE_EXPIRED", OWN_EXPIRED),
    ("CERTIFICATE_REVOKED", Trouble("certificate_revoked", "the broker says that the board's certificate is revoked")),
    ("CERTIFICATE_REQUIRED", Trouble("certificate_needed", "the broker wants a certificate; set broker.certificate")),
    ("UNKNOWN_CA", Trouble("certificate_unknown", "the broker does not know the authority of the board's certificate")),
    ("BAD_CERTIFICATE", Trouble("certificate_refused", "the broker refused the board's certificate")),
)
_NOT_TLS: Final = Trouble(
    "not_tls", "what answers there speaks no TLS: a captive portal, or broker.port is not the TLS port"
)
_REFUSED: Final = {
    "Bad user name or password": "bad_credentials",
    "Not authorized": "not_authorized",
    "Client identifier not valid": "identifier_refused",
    "Unsupported protocol version": "protocol_refused",
    "Server unavailable": "broker_unavailable",
    "Server busy": "broker_busy",
    "Banned": "banned",
    "Quota exceeded": "quota_exceeded",
    "Connection rate exceeded": "broker_busy",
}
_SYSTEM: Final = {
    errno.ECONNREFUSED: Trouble("refused", "nothing listens at broker.host and broker.port"),
    errno.ENETUNREACH: Trouble("no_network", "the board has no network"),
    errno.EHOSTUNREACH: Trouble("no_route", "the broker's address cannot be reached from this network"),
    errno.EADDRNOTAVAIL: Trouble("no_network", "the board has no network"),
    errno.ECONNRESET: Trouble("reset", "the connection was cut: a firewall, or a broker that stops"),
    errno.EPIPE: Trouble("reset", "the connection was cut: a firewall, or a broker that stops"),
    errno.ETIMEDOUT: Trouble("timeout", "the broker does not answer: a firewall, or a network without a way out"),
}
_NO_ADDRESS: Final = Trouble(
    "no_address", "the name in broker.host has no address: no network, no name server, or a typing error"
)
_TIMEOUT: Final = _SYSTEM[errno.ETIMEDOUT]


def name_trouble(error: BaseException, *, clock_set: bool = True) -> Trouble:
    """What an error of connecting or of a connection means."""
    for each in _causes(error):
        trouble = _of(each)
        if trouble is not None:
            if not clock_set and trouble.name in ("broker_not_yet_valid", "certificate_not_yet_valid"):
                return CLOCK_UNSET
            return trouble
    if "timed out" in str(error):
        return _TIMEOUT
    return Trouble("lost", str(error)[:200] or type(error).__name__)


def refused_by(code: ReasonCode | int) -> Trouble | None:
    """What a reason code of CONNACK or DISCONNECT means; None for one that says nothing."""
    text = str(code)
    if text == "Session taken over":
        return TAKEN_OVER
    if text == "Keep alive timeout":
        return _TIMEOUT
    if text == "Unspecified error":  # paho's word for a connection that just ended
        return CLOSED
    if name := _REFUSED.get(text):
        return Trouble(name, f"the broker says: {text}")
    if isinstance(code, ReasonCode) and code.is_failure:
        return Trouble("refused_by_broker", f"the broker says: {text}")
    return None


def _of(error: BaseException) -> Trouble | None:
    if isinstance(error, aiomqtt.MqttCodeError):
        return refused_by(error.rc) if isinstance(error.rc, ReasonCode) else None
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(error.verify_code, _UNTRUSTED)
    if isinstance(error, ssl.SSLError):
        text = str(error).upper()
        return next((trouble for word, trouble in _ALERTS if word in text), _NOT_TLS)
    if isinstance(error, socket.gaierror):
        return _NO_ADDRESS
    if isinstance(error, TimeoutError):
        return _TIMEOUT
    if isinstance(error, OSError) and error.errno is not None:
        return _SYSTEM.get(error.errno, Trouble("system", error.strerror or str(error)))
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what led to it: aiomqtt keeps only the text, and Python the rest."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
