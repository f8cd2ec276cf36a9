"""X.509 for a fleet: authorities, certificates, revocation lists.

Keys are NIST P-256: OpenSSL, browsers and every MQTT library take it. A certificate never outlives its authority.
"""

import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mien.errors import FleetError

BACKDATED: Final = timedelta(hours=1)  # for clocks that are slow
MOST_NAME: Final = 64  # of a common name, in X.509


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority. key: None when it is lost."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | None

    @property
    def id(self) -> str:
        """Its name in the fleet's folder."""
        return serial_of(self.certificate)[:8]


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_authority(site: str, now: datetime, days: int) -> Authority:
    """A new authority. Its name is unique, so that a revocation list is never looked up under another's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"mien fleet {site} {now:%Y-%m-%d} {secrets.token_hex(3)}")
    builder = (
        _builder(name, key, now, now + timedelta(days=days))
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Authority, name: str, now: datetime, days: int, *, hosts: Sequence[str] = ()) -> Pair:
    """A certificate for a client called `name`, or for a broker that is reached as `hosts`.

    Raises FleetError when the authority's key is lost or its time is over.
    """
    if authority.key is None:
        raise FleetError(f"the key of the authority {authority.id} is not here, so that it can issue nothing")
    ends = min(now + timedelta(days=days), expiry(authority.certificate))
    if ends <= now:
        raise FleetError(f"the authority {authority.id} expired on {ends:%Y-%m-%d}; make a new one: --renew-ca")
    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(_name(name), key, now, ends)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def revocation_list(authority: Authority, serials: Iterable[str], now: datetime, before: bytes | None) -> bytes:
    """The authority's list of revoked certificates, PEM. before: the list that it replaces.

    It is valid as long as the authority: a broker refuses everybody once a list is out of date. Raises FleetError when
    the authority's key is lost.
    """
    if authority.key is None:
        raise FleetError(f"the key of the authority {authority.id} is not here, so that it can revoke nothing")
    issued = now - BACKDATED
    if before is not None:  # OpenSSL takes the newer of two lists, by whole seconds
        issued = max(issued, x509.load_pem_x509_crl(before).last_update_utc + timedelta(seconds=1))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(issued)
        .next_update(max(expiry(authority.certificate), issued + timedelta(days=1)))
    )
    for serial in sorted(set(serials)):
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(now).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def is_revocation_list(pem: bytes) -> bool:
    """Whether this is a revocation list in PEM."""
    try:
        x509.load_pem_x509_crl(pem)
    except ValueError:
        return False
    return True


def revoked_in(pem: bytes) -> set[str]:
    """The serial numbers of a revocation list."""
    return {f"{each.serial_number:040x}" for each in x509.load_pem_x509_crl(pem)}


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as it is written to files."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as it is written to files: unencrypted, because boards and brokers start alone."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_certificate(pem: bytes, where: object) -> x509.Certificate:
    """The first certificate of a PEM file. Raises FleetError."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise FleetError(f"{where}: no certificate in PEM") from None


def read_key(pem: bytes, where: object) -> ec.EllipticCurvePrivateKey:
    """A private key of a PEM file. Raises FleetError."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise FleetError(f"{where}: no unencrypted private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise FleetError(f"{where}: not a key that mien made")
    return key


def fits(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    """Whether a key is the one of a certificate."""
    return certificate.public_key() == key.public_key()


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def hosts_of(certificate: x509.Certificate) -> set[str]:
    """The names and addresses that a server's certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(each.value) for each in found}


def serial_of(certificate: x509.Certificate) -> str:
    """The serial number in hexadecimal."""
    return f"{certificate.serial_number:040x}"


def expiry(certificate: x509.Certificate) -> datetime:
    """The end of its validity."""
    return certificate.not_valid_after_utc


def utc_now() -> datetime:
    """The time of this machine, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _builder(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
