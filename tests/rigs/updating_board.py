"""A board whose updater is stepped on a clock of its own, and made anew at every start of the board."""

from pathlib import Path
from typing import Any

from mien.fleet.topics import Board as Place
from mien.link.config import UpdateConfig
from mien.link.update.http import Http
from mien.link.update.record import Record
from mien.link.update.updater import Updater
from rigs.update_rig import FakeKiosk, IdealBoard

PLACE = Place("lab", "k7")


class UpdatingBoard:
    """Link, kiosk and board. stages, whats: the events that were told."""

    def __init__(
        self, url: str, folder: Path, place: Place = PLACE, board: IdealBoard | None = None, **config: Any
    ) -> None:
        self.place, self.folder = place, folder
        self.board, self.kiosk = board or IdealBoard(), FakeKiosk()
        self.config = UpdateConfig(url=url, **config)
        self.now_s = 0.0
        self.minute: int | None = 180
        self.stages: list[str] = []
        self.whats: list[str] = []
        self.link = self.start()

    def start(self) -> Updater:
        """The link starts, as it does with the board."""
        self._boot = self.board.boots
        self.kiosk.face = self.kiosk.turn = self.kiosk.draining = False
        self.link = Updater(
            self.config,
            Http(self.config, self.place, self.folder),
            self.board,
            self.kiosk,
            self.folder,
            self._tell,
            clock=lambda: self.now_s,
            minute=lambda: self.minute,
            jitter=lambda: 0.5,
        )
        return self.link

    def _tell(self, action: str, stage: str, version: str, what: str) -> None:
        self.stages.append(stage)
        self.whats.append(what)

    def step(self) -> None:
        """One round; where it started the board again, the link starts again too."""
        delay_s = max(0.2, self.link.step())
        self.now_s += delay_s
        self.board.up_s += delay_s
        if self.board.boots != self._boot:
            self.start()

    def run(self, phase: str = "idle", rounds: int = 200) -> Record:
        """Until this phase is reached after the first step."""
        for _ in range(rounds):
            self.step()
            if self.link.record.phase == phase:
                return self.link.record
        raise AssertionError(f"still {self.link.record}, {self.whats}")
