"""The table of a fleet for the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mien.cli.terminal import shown
from mien.fleet.overview import Entry, Need, Overview
from mien.printable import one_line

_STYLES: Final = {Need.OFFLINE: "bold red", Need.FAULT: "yellow", Need.CALL: "bold magenta", Need.NONE: "dim"}
_WORDS: Final = {Need.OFFLINE: "offline", Need.FAULT: "fault", Need.CALL: "call", Need.NONE: ""}
MOST_CHARACTERS: Final = 120


def fleet_table(
    overview: Overview, now_s: float, *, first: int = 0, most: int | None = None, only_needs: bool = False
) -> RenderableType:
    """The boards from the first-th on, at most so many. now_s: UTC."""
    entries = [each for each in overview.sorted(now_s) if not only_needs or each.need(now_s) != Need.NONE]
    rows = entries[first:] if most is None else entries[first : first + most]
    table = Table("", "board", "level", "visit", "floor", "fps", "p95", "version", "what", expand=True)
    for entry in rows:
        table.add_row(*_cells(entry, now_s))
    left = len(entries) - len(rows)
    return Group(headline(overview, now_s), table, Text(f"{left} more" if left else "", style="dim"))


def headline(overview: Overview, now_s: float) -> Text:
    """One line for all: how many boards need somebody. now_s: UTC."""
    count = overview.summary(now_s)
    if not count["boards"]:
        return Text("no board has told anything yet", style="dim")
    needs = [f"{count[name]} {name}" for name in ("offline", "faults", "calls") if count[name]]
    style = "bold red" if count["offline"] else "bold yellow" if needs else "green"
    wrong = f"; {overview.refused} messages refused" if overview.refused else ""
    wrong += f"; {overview.left_out} messages of further boards left out" if overview.left_out else ""
    return Text(
        f"{count['boards']} boards, {count['visits']} visits: {', '.join(needs) or 'all is well'}{wrong}", style
    )


def _cells(entry: Entry, now_s: float) -> tuple[Text, ...]:
    need = entry.need(now_s)
    status, health = entry.status, entry.health
    what = [_call(entry)] if entry.online and entry.calls else []
    what += entry.alarms(now_s)
    online = status is not None and entry.online
    return (
        Text(_WORDS[need], _STYLES[need]),
        Text(entry.place.user),
        _safe(status.level if status and online else "-"),
        _safe(status.visit.phase if status and status.visit else "-"),
        _safe(status.floor.holder if status and status.floor else "-"),
        Text("-" if health is None or health.fps is None or not online else f"{health.fps:.0f}"),
        Text("-" if health is None or health.latency_p95_ms is None else f"{health.latency_p95_ms:.0f} ms"),
        _safe(status.version if status and status.version else "-"),
        _safe("; ".join(what)),
    )


def _call(entry: Entry) -> str:
    call = entry.status.call if entry.status else None
    return f"asks for a person{f' ({call.language})' if call and call.language else ''}"


def _safe(text: str) -> Text:
    """A board's text: one short line that cannot steer the terminal."""
    return shown(one_line(text, MOST_CHARACTERS))
