"""What is due, wrong or exposed in a fleet's folder."""

import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

from mien.enrolment import certificates as x509
from mien.enrolment.board_files import ON_CARD
from mien.enrolment.fleet import DUE_DAYS, Fleet
from mien.enrolment.registry import FILE, FleetRecord
from mien.errors import MienError

AUTHORITY_DUE: Final = timedelta(days=2 * 365)  # a new authority has to reach every board before the old one ends
_OURS: Final = ("ca", "broker", "boards", "users")
_REWRITE: Final = "`mien fleet rotate` writes it anew; then bring it to the broker"


class Finding(NamedTuple):
    """One thing. level: `bad` breaks something now, `due` will, `note` is for your information."""

    level: Literal["bad", "due", "note"]
    what: str
    remedy: str


def check(fleet: Fleet, now: datetime) -> list[Finding]:
    """All findings, the worst first."""
    found = [
        *_modes(fleet.folder),
        *_authorities(fleet, now),
        *_server(fleet, now),
        *_revocations(fleet),
        *_broker_files(fleet),
        *_holders(fleet, now),
        *_left_keys(fleet),
    ]
    return sorted(found, key=lambda each: ("bad", "due", "note").index(each.level))


def _modes(folder: Path) -> list[Finding]:
    below = [path for name in _OURS for path in sorted((folder / name).rglob("*"))]
    ours = [folder, *(folder / name for name in (FILE, *_OURS)), *below]
    open_ones = [path for path in ours if path.exists() and _is_open(path)]
    return [
        Finding(
            "bad", f"{path} can be read by others", f"chmod go= {path}; if others use this machine, renew what is in it"
        )
        for path in open_ones
    ]


def _is_open(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not stat.S_ISLNK(mode) and bool(mode & 0o077)


def _authorities(fleet: Fleet, now: datetime) -> list[Finding]:
    found = []
    renew = "mien fleet new --renew-ca"
    for name in fleet.record.authorities:
        try:
            authority = fleet.authority(name)
        except MienError as error:
            found.append(Finding("bad", str(error), "restore it from your backup"))
            continue
        ends = x509.expiry(authority.certificate)
        if authority.key is None:
            newest = name == fleet.record.authorities[-1]
            found.append(Finding("bad" if newest else "note", f"the key of the authority {name} is not here", renew))
        elif not x509.fits(authority.certificate, authority.key):
            found.append(Finding("bad", f"the key of the authority {name} is another's", "restore it from your backup"))
        if ends <= now:
            found.append(Finding("bad", f"the authority {name} expired on {ends:%Y-%m-%d}", renew))
        elif ends - now < AUTHORITY_DUE and name == fleet.record.authorities[-1]:
            found.append(Finding("due", f"the authority {name} ends on {ends:%Y-%m-%d}", renew))
    if len(fleet.record.authorities) > 1:
        found.append(Finding("note", "two authorities are trusted", "once all boards have new files: --drop-old-ca"))
    return found


def _server(fleet: Fleet, now: datetime) -> list[Finding]:
    renew = "mien fleet rotate broker"
    folder = fleet.folder / "broker"
    try:
        path = folder / "server.crt"
        certificate = x509.read_certificate(path.read_bytes(), path)
        key = x509.read_key((folder / "server.key").read_bytes(), folder / "server.key")
        authorities = [fleet.authority(name) for name in fleet.record.authorities]
    except (OSError, MienError) as error:
        return [Finding("bad", f"the broker's certificate cannot be used: {error}", renew)]
    found = []
    if not x509.fits(certificate, key):
        found.append(Finding("bad", "the broker's key is not the one of its certificate", renew))
    if not any(x509.is_issued_by(certificate, each.certificate) for each in authorities):
        found.append(Finding("bad", "no trusted authority issued the broker's certificate", renew))
    if missing := set(fleet.record.hosts) - x509.hosts_of(certificate):
        found.append(Finding("bad", f"the broker's certificate is not for {', '.join(sorted(missing))}", renew))
    ends = x509.expiry(certificate)
    if ends <= now:
        found.append(Finding("bad", f"the broker's certificate expired on {ends:%Y-%m-%d}", renew))
    elif ends - now < timedelta(days=DUE_DAYS):
        found.append(Finding("due", f"the broker's certificate ends on {ends:%Y-%m-%d}", renew))
    return found


def _revocations(fleet: Fleet) -> list[Finding]:
    found = []
    for name in fleet.record.authorities:
        path = fleet.folder / "ca" / f"{name}.crl"
        try:
            listed = x509.revoked_in(path.read_bytes())
        except (OSError, ValueError) as error:
            found.append(
                Finding("bad", f"{path}: no revocation list ({error}): the broker refuses everybody", _REWRITE)
            )
            continue
        missing = {each.serial for each in fleet.record.revoked if each.authority == name} - listed
        if missing:
            what = f"{len(missing)} revoked certificates are not on the list of the authority {name}"
            found.append(Finding("bad", what, "its key is lost: end it with --drop-old-ca"))
    return found


def _broker_files(fleet: Fleet) -> list[Finding]:
    found = []
    try:
        wanted = fleet.broker_files()
    except MienError:
        return []  # told by the authorities and their lists
    for name, content in wanted.items():
        path = fleet.folder / "broker" / name
        if not path.exists() or path.read_bytes() != content:
            found.append(Finding("bad", f"{path} is missing, or is not what this folder says", _REWRITE))
    return found


def _holders(fleet: Fleet, now: datetime) -> list[Finding]:
    record: FleetRecord = fleet.record
    boards = [(f"board {name}", name, each.certificates) for name, each in sorted(record.boards.items())]
    users = [(f"user {name}", name, each.certificates) for name, each in sorted(record.users.items())]
    found = []
    for what, name, held in (*boards, *users):
        if not held:
            if name in record.boards:
                found.append(Finding("bad", f"{what} has no certificate", f"mien fleet rotate {name}"))
            continue
        left_s = held[-1].expires - now.timestamp()
        if left_s <= 0:
            found.append(Finding("bad", f"the certificate of {what} has expired", f"mien fleet rotate {name}"))
        elif left_s < DUE_DAYS * 86_400:
            days = round(left_s / 86_400)
            found.append(Finding("due", f"the certificate of {what} ends in {days} days", f"mien fleet rotate {name}"))
    return found


def _left_keys(fleet: Fleet) -> list[Finding]:
    keys = list((fleet.folder / "boards").glob(f"*/*/{ON_CARD}/link.key"))
    if not keys:
        return []
    what = f"the keys of {len(keys)} boards are still in {fleet.folder / 'boards'}"
    return [Finding("note", what, "delete that folder once the cards are written; a lost card gets new files anyway")]
