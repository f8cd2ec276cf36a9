"""A fleet with a real broker, whose boards and people are clients of a test."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import fleet_sim.site
from mien.fleet.topics import Board
from rigs.broker import Peer, peer

SEVEN, EIGHT = Board("berlin", "kiosk-7"), Board("berlin", "kiosk-8")


class Site(fleet_sim.site.Site):
    """Adds connections with the files that it made."""

    def board(self, place: Board, files: Path | None = None, **options: Any) -> AbstractContextManager[Peer]:
        """A connection with a board's files."""
        at = files or self.files(place)
        pair = (at / "link.crt", at / "link.key")
        return peer(self.fleet.record.board_port, at / "ca.crt", pair=pair, **options)

    def user(self, name: str, password: str | None = None, **options: Any) -> AbstractContextManager[Peer]:
        """A connection with a person's password."""
        sign_in = (name, password or self.passwords[name])
        ca = self.fleet.folder / "users" / name / "ca.crt"
        return peer(self.fleet.record.people_port, ca, password=sign_in, websockets=True, **options)
