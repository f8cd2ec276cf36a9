"""Certificates with their keys, looked into by OpenSSL through Python's ssl."""

import re
import ssl
from pathlib import Path
from typing import Final, cast

from provisioning.mistake import Mistake

_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the board's clock may not be set yet
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\n[A-Za-z0-9+/=\n]+-----END \1-----\n?")
_KEYS: Final = ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")


def certificates_in(text: str) -> str:
    """The certificates of a PEM file, and nothing else of it. Raises Mistake."""
    found = [block[0].strip() for block in _BLOCK.finditer(text) if block[1] == "CERTIFICATE"]
    if "PRIVATE KEY" in text:
        raise Mistake("holds a private key: only certificates belong here")
    if not found:
        raise Mistake("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found) + "\n")
    except ssl.SSLError as error:
        raise Mistake(f"holds a damaged certificate ({error.reason or error})") from None
    return "\n".join(found) + "\n"


def key_in(text: str) -> str:
    """The private key of a PEM file, and nothing else of it. Raises Mistake, which never quotes it."""
    if "ENCRYPTED" in text:
        raise Mistake("the key has a passphrase, which nobody can type here: make one without")
    found = [block[0].strip() for block in _BLOCK.finditer(text) if block[1] in _KEYS]
    if len(found) != 1:
        raise Mistake("holds no private key in PEM, or more than one")
    return found[0] + "\n"


def common_name(certificate: Path, key: Path) -> str:
    """The name in a certificate, once its key has proved to be its own. Raises Mistake."""
    try:
        server, client = _ends(certificate, key)
        subject = _handshake(server, client)
    except ssl.SSLError as error:
        if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            raise Mistake("the key is not the one of the certificate") from None
        raise Mistake(f"certificate and key cannot be used ({error.reason or error})") from None
    return next((value for part in subject for name, value in part if name == "commonName"), "")


def _ends(certificate: Path, key: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Two ends of a connection that both have this certificate; the server's looks into the client's."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    for end in (server, client):
        end.load_cert_chain(certificate, key, password=_refuse_password)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    server.load_verify_locations(certificate)
    return server, client


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The subject of the client's certificate, as the server learns it. Raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = server.wrap_bio(to_server, to_client, server_side=True)
    far = client.wrap_bio(to_client, to_server)
    for _ in range(4):  # two round trips are enough for any version
        for end in (far, near):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found = near.getpeercert() or {}
    return cast("tuple[tuple[tuple[str, str], ...], ...]", found.get("subject", ()))


def _refuse_password() -> str:
    raise Mistake("the key has a passphrase, which nobody can type here: make one without")
