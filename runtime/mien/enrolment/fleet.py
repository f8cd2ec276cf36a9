"""The fleet's folder: enrols, renews, revokes, each time with the broker's files written anew.

    fleet.json           what was issued to whom (mien.enrolment.registry)
    ca/ID.crt .key .crl  each authority, with the list of what it revoked
    broker/              the files for the broker's machine
    boards/SITE/NAME/    what goes onto a board's card
    users/NAME/          what a person needs to sign in

Every command ends with the broker's files written anew; the broker obeys them after a reload.
"""

import shutil
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from mien.enrolment import broker, client_config
from mien.enrolment import certificates as x509
from mien.enrolment.acl import acl
from mien.enrolment.board_files import link_toml, write_board_files, write_board_zip
from mien.enrolment.boards_csv import Wanted
from mien.enrolment.certificates import Authority, Pair, certificate_pem, key_pem
from mien.enrolment.passwords import hashed, make_password
from mien.enrolment.registry import FILE, BoardRecord, FleetRecord, Issued, Revoked, UserRecord, load, save
from mien.enrolment.storage import make_folder, read, write_private
from mien.errors import ConfigError, FleetError
from mien.fleet.topics import NAME, Board, Role, board

AUTHORITY_DAYS: Final = 20 * 365
SERVER_DAYS: Final = 5 * 365
BOARD_DAYS: Final = 3 * 365
DUE_DAYS: Final = 90


class Fleet:
    """An open folder. clock: UTC. Methods raise ConfigError for what a person must correct."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = x509.utc_now) -> None:
        self.folder = folder
        self.record = load(folder)
        self._clock = clock

    @classmethod
    def make(cls, folder: Path, record: FleetRecord, clock: Callable[[], datetime] = x509.utc_now) -> "Fleet":
        """A new fleet in a folder that has none."""
        if (folder / FILE).exists():
            raise ConfigError(f"{folder}: there is a fleet already; use its commands, or another --folder")
        board_of(record.site, "any")
        make_folder(folder)
        save(folder, record)
        fleet = cls(folder, clock)
        fleet.add_authority()
        return fleet

    # Authorities.

    def authority(self, name: str) -> Authority:
        """An authority of the folder; its key is None when it is not there."""
        path = self.folder / "ca" / f"{name}.crt"
        key_path = path.with_suffix(".key")
        certificate = x509.read_certificate(read(path), path)
        return Authority(certificate, x509.read_key(read(key_path), key_path) if key_path.exists() else None)

    @property
    def newest(self) -> Authority:
        """The authority that issues."""
        if not self.record.authorities:
            raise ConfigError(f"{self.folder}: was not made to its end; delete it, and make it anew")
        return self.authority(self.record.authorities[-1])

    def add_authority(self) -> str:
        """Make an authority beside the one that there may be: both are trusted until `drop_old`. Returns its name."""
        if len(self.record.authorities) > 1:
            raise ConfigError("two authorities are trusted already; end the older one first: --drop-old-ca")
        made = x509.make_authority(self.record.site, self._clock(), AUTHORITY_DAYS)
        assert made.key is not None
        write_private(self._ca(made.id, "crt"), certificate_pem(made.certificate))
        write_private(self._ca(made.id, "key"), key_pem(made.key))
        self.record.authorities.append(made.id)
        self._finish()
        return made.id

    def drop_old(self, *, force: bool = False) -> list[str]:
        """Trust the newest authority only. Returns the names of those who must have new files to sign in.

        Without force it is refused while somebody's last certificate is of an older one.
        """
        newest = self.record.authorities[-1]
        left = [name for name, held in self._holders() if held and held[-1].authority != newest]
        if left and not force:
            raise ConfigError(
                f"{len(left)} still have certificates of the older authority ({', '.join(left[:5])}"
                f"{', ...' if len(left) > 5 else ''}); renew them first: mien fleet rotate --all"
            )
        dropped = self.record.authorities[:-1]
        self.record.authorities = [newest]
        for _, held in self._holders():
            held[:] = [each for each in held if each.authority == newest]
        self.record.revoked = [each for each in self.record.revoked if each.authority == newest]
        self._finish()
        for name in dropped:
            for suffix in ("key", "crl", "crt"):
                self._ca(name, suffix).unlink(missing_ok=True)
        return left

    # Boards.

    def enrol(self, wanted: Wanted, *, days: int = BOARD_DAYS, packed: Path | None = None) -> Path:
        """Make a board's certificate and its files. packed: a zip in place of the folder. Returns where they are."""
        return self.enrol_all([wanted], days=days, packed=packed)[0]

    def enrol_all(self, wanted: Iterable[Wanted], *, days: int = BOARD_DAYS, packed: Path | None = None) -> list[Path]:
        """Enrol many. Nothing is done if one of them is refused. packed: the folder or the one file for zips."""
        boards: dict[str, BoardRecord] = {}
        for each in wanted:
            place = board_of(each.site or self.record.site, each.name)
            if place.user in self.record.boards or place.user in boards:
                raise ConfigError(
                    f"board {place.user} is enrolled already, or named twice; renew it: mien fleet rotate"
                )
            boards[place.user] = BoardRecord(
                site=place.site, name=place.name, said=each.said, captions=each.captions, ear=each.ear
            )
        self.record.boards |= boards
        made = [self._equip(each, days, _zip_for(packed, each, single=len(boards) == 1)) for each in boards.values()]
        self._finish()
        return made

    def place(self, name: str) -> str:
        """The key of an enrolled board: SITE/NAME, or NAME at the fleet's site."""
        key = name if "/" in name else f"{self.record.site}/{name}"
        if key not in self.record.boards:
            raise ConfigError(f"there is no board {key[:80]!r} in {self.folder}")
        return key

    def revoke(self, name: str, *, old_only: bool = False) -> int:
        """Revoke a board's certificates, and enrol it no longer. Returns how many.

        old_only: only those before its last one, which stays enrolled.
        Raises FleetError when the authority's key is lost; the board has no rights at the broker all the same.
        """
        key = self.place(name)
        held = self.record.boards[key].certificates
        gone, kept = (held[:-1], held[-1:]) if old_only else (held[:], [])
        self._note_revoked(key, gone)
        held[:] = kept
        if not old_only:
            board = self.record.boards.pop(key)
            shutil.rmtree(self.folder / "boards" / board.site / board.name, ignore_errors=True)
        self._finish()
        self._complain_of_lost_keys(gone)
        return len(gone)

    # People.

    def add_user(
        self,
        name: str,
        role: Role,
        *,
        sites: tuple[str, ...] = (),
        home_assistant: bool = False,
        certificate: bool = False,
        keep_password: bool = False,
        days: int = BOARD_DAYS,
    ) -> str:
        """Let a person sign in. Returns the password, which is stored only where keep_password says so."""
        self._check_user(name)
        for site in sites:
            board_of(site, "any")
        if name in self.record.users:
            raise ConfigError(f"user {name} exists already; `mien fleet user {name} --remove` first")
        password = make_password()
        user = UserRecord(role=role, hash=hashed(password), sites=sites, home_assistant=home_assistant)
        self.record.users[name] = user
        folder = self.folder / "users" / name
        write_private(folder / "ca.crt", self._trusted())
        if certificate:
            self._equip_user(name, user, days)
        else:
            text = client_config.client_toml(self.record.hosts[0], self.record.people_port, name)
            write_private(folder / client_config.FILE, text.encode())
        if keep_password:
            write_private(folder / "password", f"{password}\n".encode())
        self._finish()
        return password

    def remove_user(self, name: str) -> None:
        """Let a person sign in no longer. Raises FleetError as `revoke`."""
        user = self.record.users.pop(name, None)
        if user is None:
            raise ConfigError(f"there is no user {name[:40]!r} in {self.folder}")
        self._note_revoked(name, user.certificates)
        shutil.rmtree(self.folder / "users" / name, ignore_errors=True)
        self._finish()
        self._complain_of_lost_keys(user.certificates)

    # Renewal.

    def due(self, within_days: float) -> list[str]:
        """Those whose certificate ends within so many days: boards, users, and `broker`."""
        until = self._clock().timestamp() + within_days * 86_400
        due = [name for name, held in self._holders() if held and held[-1].expires < until]
        server = self.record.server
        return (["broker"] if server is None or server.expires < until else []) + sorted(due)

    def renew(self, names: Iterable[str], *, days: int = BOARD_DAYS) -> dict[str, Path]:
        """New certificates beside the present ones. Returns where the new files of each are."""
        made: dict[str, Path] = {}
        for name in names:
            if name == "broker":
                self.record.server = None
                made[name] = self.folder / "broker"
            elif name in self.record.users:
                made[name] = self._equip_user(name, self.record.users[name], days)
            else:
                made[name] = self._equip(self.record.boards[self.place(name)], days, None)
        self._finish()
        return made

    # The broker's files.

    def broker_files(self) -> dict[str, bytes]:
        """Those that follow from the registry: all but the server's certificate with its key."""
        return {
            "mien.conf": broker.configuration(self.record).encode(),
            "acl": acl(self.record).encode(),
            "passwd": broker.password_file(self.record).encode(),
            "ca.crt": self._trusted(),
            "crl.pem": b"".join(read(self._ca(name, "crl")) for name in self.record.authorities),
        }

    def server_authority(self) -> str | None:
        """The newest authority with a key here that every board trusts; None when there is none."""
        held = [each.certificates[-1].trusts for each in self.record.boards.values() if each.certificates]
        for name in reversed(self.record.authorities):
            if self._ca(name, "key").exists() and all(name in trusts for trusts in held):
                return name
        return None

    def _finish(self) -> None:
        """Write what follows from the registry, then the registry: an interrupted command is repeated."""
        for name in self.record.authorities:
            self._write_revocations(name)
        self._issue_server()
        for file, content in self.broker_files().items():
            write_private(self.folder / "broker" / file, content)
        save(self.folder, self.record)

    def _write_revocations(self, name: str) -> None:
        authority, path = self.authority(name), self._ca(name, "crl")
        before = read(path) if path.exists() else None
        if authority.key is None:
            if before is None:
                raise ConfigError(
                    f"{path}: is missing, and cannot be made without the authority's key; see your backup"
                )
            return
        serials = [each.serial for each in self.record.revoked if each.authority == name]
        if before is not None and not x509.is_revocation_list(before):
            before = None  # damaged, and made anew
        if before is None or x509.revoked_in(before) != set(serials):
            write_private(path, x509.revocation_list(authority, serials, self._clock(), before))

    def _issue_server(self) -> None:
        """A server's certificate, where there is none of a trusted authority."""
        server, signer = self.record.server, self.server_authority()
        if server is not None and server.authority in self.record.authorities:
            return
        if signer is None:
            raise FleetError(
                "no authority that every board trusts can issue the broker's certificate: rotate the boards"
            )
        pair = x509.issue(
            self.authority(signer), self.record.hosts[0][: x509.MOST_NAME], self._clock(), SERVER_DAYS,
            hosts=self.record.hosts,
        )  # fmt: skip
        write_private(self.folder / "broker/server.crt", certificate_pem(pair.certificate))
        write_private(self.folder / "broker/server.key", key_pem(pair.key))
        self.record.server = self._issued(pair, signer)

    # Certificates.

    def _equip(self, record: BoardRecord, days: int, packed: Path | None) -> Path:
        pair = self._issue(f"{record.site}/{record.name}", days)
        record.certificates = [*self._living(record.certificates), self._issued(pair, self.record.authorities[-1])]
        files = {
            "link.toml": link_toml(self.record, record).encode(),
            "ca.crt": self._trusted(),
            "link.crt": certificate_pem(pair.certificate),
            "link.key": key_pem(pair.key),
        }
        if packed is not None:
            write_board_zip(packed, files)
            return packed
        return write_board_files(self.folder / "boards" / record.site / record.name, files)

    def _equip_user(self, name: str, user: UserRecord, days: int) -> Path:
        pair = self._issue(name, days)
        user.certificates = [*self._living(user.certificates), self._issued(pair, self.record.authorities[-1])]
        folder = self.folder / "users" / name
        text = client_config.client_toml(self.record.hosts[0], self.record.board_port, name, by_certificate=True)
        write_private(folder / client_config.FILE, text.encode())
        write_private(folder / "ca.crt", self._trusted())
        write_private(folder / "user.crt", certificate_pem(pair.certificate))
        write_private(folder / "user.key", key_pem(pair.key))
        return folder

    def _issue(self, name: str, days: int) -> Pair:
        newest = self.newest
        if newest.key is None:
            raise ConfigError(f"{self._ca(newest.id, 'key')} is lost; make another: mien fleet new --renew-ca")
        return x509.issue(newest, name, self._clock(), days)

    def _issued(self, pair: Pair, authority: str) -> Issued:
        return Issued(
            serial=x509.serial_of(pair.certificate),
            authority=authority,
            issued=self._clock().timestamp(),
            expires=x509.expiry(pair.certificate).timestamp(),
            trusts=tuple(self.record.authorities),
        )

    def _living(self, held: list[Issued]) -> list[Issued]:
        return [each for each in held if each.expires > self._clock().timestamp()]

    def _holders(self) -> list[tuple[str, list[Issued]]]:
        boards = [(name, each.certificates) for name, each in self.record.boards.items()]
        return boards + [(name, each.certificates) for name, each in self.record.users.items()]

    def _note_revoked(self, name: str, gone: list[Issued]) -> None:
        at = self._clock().timestamp()
        self.record.revoked += [
            Revoked(name=name, serial=each.serial, authority=each.authority, at=at) for each in gone
        ]

    def _complain_of_lost_keys(self, gone: list[Issued]) -> None:
        lost = {each.authority for each in gone if not self._ca(each.authority, "key").exists()}
        if lost:
            raise FleetError(
                f"the key of the authority {', '.join(sorted(lost))} is lost: the certificate cannot be put on its "
                "revocation list; it has no rights at the broker, and ends with the authority: --drop-old-ca"
            )

    def _trusted(self) -> bytes:
        return b"".join(read(self._ca(name, "crt")) for name in self.record.authorities)

    def _ca(self, name: str, suffix: str) -> Path:
        return self.folder / "ca" / f"{name}.{suffix}"

    def _check_user(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"user {name[:40]!r}: use 1 to 32 of a-z, 0-9 and '-', beginning with a letter or a digit"
            )


def board_of(site: str, name: str) -> Board:
    """A place whose name fits into a certificate. Raises ConfigError."""
    try:
        place = board(site, name)
    except FleetError as error:
        raise ConfigError(str(error)) from None
    if len(place.user) > x509.MOST_NAME:
        raise ConfigError(f"board {place.user}: site and name together have more than {x509.MOST_NAME - 1} characters")
    return place


def _zip_for(packed: Path | None, record: BoardRecord, *, single: bool) -> Path | None:
    if packed is None or (single and packed.suffix == ".zip"):
        return packed
    return packed / f"{record.site}-{record.name}.zip"
