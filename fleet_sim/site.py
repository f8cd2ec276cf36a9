"""A fleet's folder with a real broker that has its files."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from fleet_sim.mosquitto import Broker, free_ports
from mien.enrolment.boards_csv import Wanted
from mien.enrolment.fleet import Fleet
from mien.enrolment.registry import FleetRecord
from mien.fleet.topics import Board, Role


class Site:
    """A fleet at the site berlin, below `folder`. The broker is not started."""

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
        """Bring the files, and let the broker read them."""
        self.bring()
        self.broker.reload()

    def restart(self) -> None:
        """Bring the files, and start the broker anew."""
        self.broker.stop()
        self.bring()
        self.broker.start()

    def enrol(self, *places: Board) -> None:
        """Make boards' files."""
        self.fleet.enrol_all([Wanted(each.name, each.site) for each in places])

    def files(self, place: Board) -> Path:
        """The folder with a board's link.toml."""
        return self.fleet.folder / "boards" / place.site / place.name / "mien/link"

    def add_user(self, name: str, role: Role, *, sites: Iterable[str] = (), home_assistant: bool = False,
                 certificate: bool = False) -> None:  # fmt: skip
        """Let somebody sign in; the password is in `passwords`."""
        self.passwords[name] = self.fleet.add_user(
            name, role, sites=tuple(sites), home_assistant=home_assistant, certificate=certificate, keep_password=True
        )
