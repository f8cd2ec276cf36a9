"""A fleet with a real broker of its own on this machine."""

import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from mien.enrolment.boards_csv import Wanted
from mien.enrolment.fleet import Fleet
from mien.enrolment.registry import FleetRecord
from mien.fleet.topics import Board, Role
from rigs.broker import Broker, Peer, free_ports, peer

SEVEN, EIGHT = Board("berlin", "kiosk-7"), Board("berlin", "kiosk-8")


class Site:
    """A fleet with its broker."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(2)
        self.etc = folder / "etc"
        (self.etc / "conf.d").mkdir(parents=True)
        record = FleetRecord(
            site="berlin", hosts=("127.0.0.1",), board_port=ports[0], people_port=ports[1], etc=str(self.etc)
        )
        self.fleet = Fleet.make(folder / "fleet", record)
        self.broker = Broker(folder, self.etc / "conf.d", ports)
        self.passwords: dict[str, str] = {}

    def bring(self) -> None:
        """Copy the broker's files to it, as an operator does."""
        for path in (self.fleet.folder / "broker").iterdir():
            shutil.copy(path, self.etc / ("conf.d" if path.suffix == ".conf" else "."))

    def reload(self) -> None:
        self.bring()
        self.broker.reload()

    def restart(self) -> None:
        self.broker.stop()
        self.bring()
        self.broker.start()

    def enrol(self, *places: Board) -> None:
        self.fleet.enrol_all([Wanted(each.name, each.site) for each in places])

    def files(self, place: Board) -> Path:
        return self.fleet.folder / "boards" / place.site / place.name / "mien/link"

    def board(self, place: Board, files: Path | None = None, **options: object) -> AbstractContextManager[Peer]:
        """A connection with a board's files."""
        at = files or self.files(place)
        pair = (at / "link.crt", at / "link.key")
        return peer(self.fleet.record.board_port, at / "ca.crt", pair=pair, **options)  # type: ignore[arg-type]

    def add_user(self, name: str, role: Role, **options: object) -> None:
        self.passwords[name] = self.fleet.add_user(name, role, **options)  # type: ignore[arg-type]

    def user(self, name: str, password: str | None = None, **options: object) -> AbstractContextManager[Peer]:
        """A connection with a person's password."""
        sign_in = (name, password or self.passwords[name])
        ca = self.fleet.folder / "users" / name / "ca.crt"
        port = self.fleet.record.people_port
        return peer(port, ca, password=sign_in, websockets=True, **options)  # type: ignore[arg-type]
