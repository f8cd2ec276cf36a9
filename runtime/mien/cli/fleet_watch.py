"""The fleet in the terminal, live: `mien watch --fleet`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from mien.cli.fleet_connection import FleetConnection
from mien.cli.fleet_table import fleet_table
from mien.cli.key_presses import key_presses
from mien.cli.terminal import data_console
from mien.fleet.overview import EVENT_FILTER, FILTERS, Need, Overview

REFRESH_S: Final = 0.5
_FRAME_LINES: Final = 7  # headline, table's frame and head, what is left out, keys
_KEYS: Final = "q quit   up, down, page up, page down scroll   n only those in need   b bell"


class FleetView:
    """What is on the screen: the boards from `first` on, all or those in need, and whether a new alarm rings."""

    def __init__(self, lines: int) -> None:
        self.overview = Overview()
        self.first = 0
        self.only_needs = False
        self.bell = False
        self.quit = False
        self._lines = lines
        self._needy: set[str] = set()

    def press(self, key: str | None) -> None:
        """Obey a key."""
        page = max(1, self._lines)
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -page, "page down": page}
        if key in steps:
            self.first = max(0, min(self.first + steps[key], len(self.overview.boards) - 1))
        elif key == "n":
            self.only_needs, self.first = not self.only_needs, 0
        elif key == "b":
            self.bell = not self.bell
        elif key in ("q", "escape"):
            self.quit = True

    def rings(self, now_s: float) -> bool:
        """Whether a board needs somebody that did not before, and the bell is on."""
        needy = {name for name, entry in self.overview.boards.items() if entry.need(now_s) != Need.NONE}
        new, self._needy = needy - self._needy, needy
        return bool(new) and self.bell

    def render(self, now_s: float, trouble: str) -> RenderableType:
        """The screen. trouble: of the connection."""
        table = fleet_table(self.overview, now_s, first=self.first, most=self._lines, only_needs=self.only_needs)
        keys = Text(_KEYS + (" (on)" if self.bell else ""), style="dim")
        return Group(table, Text(trouble, style="bold red") if trouble else keys)


def watch_fleet(config: Path, *, as_json: bool, interval_s: float, timeout_s: float) -> None:
    """Show the fleet until q or Ctrl-C. Raises ClientError, ConfigError."""
    topics = [*((topic, 1) for topic in FILTERS), (EVENT_FILTER, 1)]
    with FleetConnection(config, topics) as connection:
        connection.open(timeout_s)
        connection.settle(timeout_s)
        if as_json:
            _print_lines(connection, interval_s)
        else:
            _show(connection)


def _print_lines(connection: FleetConnection, interval_s: float) -> None:
    overview = Overview()
    while True:
        _take(connection, overview, 0.01)
        print(json.dumps(overview.snapshot(time.time()) | {"connected": connection.connected}), flush=True)
        time.sleep(interval_s)


def _show(connection: FleetConnection) -> None:
    console = data_console()
    view = FleetView(max(3, console.height - _FRAME_LINES))
    with key_presses() as keys, Live(console=console, refresh_per_second=1 / REFRESH_S, screen=True) as live:
        while not view.quit:
            _take(connection, view.overview, 0.01)
            now_s = time.time()
            if view.rings(now_s):
                console.bell()
            live.update(view.render(now_s, _trouble(connection)))
            view.press(keys.wait(REFRESH_S))


def _take(connection: FleetConnection, overview: Overview, wait_s: float) -> None:
    for topic, payload in connection.read(wait_s):
        overview.take(topic, payload, time.time())


def _trouble(connection: FleetConnection) -> str:
    if not connection.connected:
        return f"the broker {connection.where} does not answer: what you see is old"
    return f"{connection.lost} messages came too fast" if connection.lost else ""
